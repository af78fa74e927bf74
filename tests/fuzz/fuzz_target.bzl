"""A libFuzzer program, and the test that replays its seeds."""

def fuzz_target(name, deps):
    """Declares `NAME`, made of NAME_fuzz.cc, and the test `NAME_corpus_test`, which runs it over corpus/NAME with the usual compiler.

    Only run.sh builds `NAME`: it takes clang and flags for everything below it.

    Args:
      name: the target; its seeds are in corpus/NAME.
      deps: what it tries.
    """
    sources = [
        name + "_fuzz.cc",
        "check.h",
    ]
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = sources,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = deps,
    )
    seeds = native.glob(["corpus/" + name + "/**"])
    native.cc_test(
        name = name + "_corpus_test",
        size = "small",
        srcs = sources + ["replay_main.cc"],
        args = ["'$(location %s)'" % seed for seed in seeds],
        data = seeds,
        deps = deps,
    )
