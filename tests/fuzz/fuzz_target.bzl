"""A libFuzzer program."""

def fuzz_target(name, deps):
    """Declares `NAME`, made of NAME_fuzz.cc. Only run.sh builds it: it takes clang and flags for everything below it.

    Args:
      name: the target; its seeds are in corpus/NAME.
      deps: what it tries.
    """
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = [
            name + "_fuzz.cc",
            "check.h",
        ],
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = deps,
    )
