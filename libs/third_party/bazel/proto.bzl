"""One macro for protobuf and gRPC C++ libraries, generated with Debian's protoc and grpc_cpp_plugin."""

def _sources_of(dep):
    """The label of the .proto files behind a davit_proto_library, also when dep is a shorthand such as //proto/x/v1."""
    return (dep if ":" in dep else dep + ":" + dep.split("/")[-1]) + "_protos"

def davit_proto_library(name, srcs, root, deps = [], visibility = None):
    """Generates and compiles the C++ messages and gRPC stubs of .proto files.

    Args:
      name: the cc_library to make.
      srcs: the .proto files; paths are relative to the package.
      root: the workspace-relative folder that import paths start at; it must be a prefix of (or equal to) the package.
      deps: other davit_proto_library targets whose files srcs import.
      visibility: as usual.
    """
    outs = []
    for src in srcs:
        base = src[:-len(".proto")]
        outs += [base + ext for ext in [".pb.h", ".pb.cc", ".grpc.pb.h", ".grpc.pb.cc"]]
    package = native.package_name()
    native.filegroup(
        name = name + "_protos",
        srcs = srcs + [_sources_of(dep) for dep in deps],
        visibility = visibility,
    )
    native.genrule(
        name = name + "_gen",
        srcs = srcs + [_sources_of(dep) for dep in deps],
        outs = outs,
        cmd = "mkdir -p $(GENDIR)/{root} && protoc -I {root} -I /usr/include --cpp_out=$(GENDIR)/{root} ".format(root = root) +
              "--grpc_out=$(GENDIR)/{root} --plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin ".format(root = root) +
              " ".join([package + "/" + src for src in srcs]),
    )
    native.cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        strip_include_prefix = "/" + root,
        visibility = visibility,
        deps = deps + ["//libs/third_party/system:grpc"],
    )
