"""One macro that embeds SQL files into C++: each file becomes one named constant, so that code, plan tests and load tests share the text."""

def sql_library(name, srcs, namespace, visibility = None):
    """Embeds SQL files as constants of a header NAME.h.

    A file queries/claim_builds.sql becomes `inline constexpr Statement kClaimBuilds` with its name and text, and every file,
    in the order of its path, becomes an element of `kAll` (which is what migrations are read from).

    Args:
      name: the cc_library to make, and the header's name.
      srcs: the .sql files.
      namespace: the C++ namespace of the constants, for example "davit::scheduler::queries".
      visibility: as usual.
    """
    native.genrule(
        name = name + "_gen",
        srcs = srcs,
        outs = [name + ".h"],
        tools = ["//libs/third_party/bazel:embed_sql.py"],
        cmd = "python3 $(location //libs/third_party/bazel:embed_sql.py) {} $(SRCS) > $@".format(namespace),
    )
    native.cc_library(
        name = name,
        hdrs = [name + ".h"],
        visibility = visibility,
        deps = ["//libs/postgres:statement"],
    )
