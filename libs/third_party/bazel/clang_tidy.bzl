"""An aspect that runs clang-tidy's checks over our C++ files, so that Bazel's cache knows what has been checked.

bazel build --aspects=//libs/third_party/bazel:clang_tidy.bzl%clang_tidy --output_groups=clang_tidy -- //libs/... //services/...
"""

# Tests are left out: they are half of the code and more than half of the time.
_CC_KINDS = ["cc_library", "cc_binary"]

def _source_files(rule_attr, names):
    files = []
    for name in names:
        for target in getattr(rule_attr, name, []):
            files += [file for file in target.files.to_list() if file.is_source]
    return files

def _stem(file):
    return file.path[:-len(file.extension) - 1]

def _include_flags(context):
    flags = ["-std=c++20"]
    flags += ["-D" + define for define in context.defines.to_list() + context.local_defines.to_list()]
    for include in context.quote_includes.to_list():
        flags += ["-iquote", include]
    for include in context.includes.to_list() + context.system_includes.to_list():
        flags += ["-isystem", include]
    return flags

def _check(target, ctx, source, header):
    report = ctx.actions.declare_file("{}.{}.clang_tidy".format(ctx.label.name, source.basename))
    context = target[CcInfo].compilation_context
    arguments = ctx.actions.args()
    arguments.add(report)
    arguments.add(ctx.file._config)
    arguments.add(source)
    arguments.add(header.path if header else "")
    arguments.add_all(_include_flags(context))
    ctx.actions.run(
        executable = "python3",
        arguments = [ctx.file._driver.path, arguments],
        inputs = depset(
            [source, ctx.file._config, ctx.file._driver] + ([header] if header else []) + _source_files(ctx.rule.attr, ["srcs", "hdrs"]),
            transitive = [context.headers],
        ),
        outputs = [report],
        mnemonic = "ClangTidy",
        progress_message = "Checking %s" % source.short_path,
        use_default_shell_env = True,
    )
    return report

def _clang_tidy_impl(target, ctx):
    ours = ctx.label.workspace_name == "" and not ctx.label.package.startswith("libs/third_party")
    checked = not getattr(ctx.rule.attr, "testonly", False) and ctx.rule.kind in _CC_KINDS
    if not ours or not checked or CcInfo not in target:
        return [OutputGroupInfo(clang_tidy = depset())]
    files = _source_files(ctx.rule.attr, ["srcs", "hdrs"])
    headers = {_stem(file): file for file in files if file.extension == "h"}
    reports = []
    for file in files:
        if file.extension == "cc":
            # The file's own header is checked together with it: one parse for both.
            reports.append(_check(target, ctx, file, headers.pop(_stem(file), None)))
    for header in headers.values():
        reports.append(_check(target, ctx, header, None))
    return [OutputGroupInfo(clang_tidy = depset(reports))]

clang_tidy = aspect(
    implementation = _clang_tidy_impl,
    attrs = {
        "_config": attr.label(default = "//:.clang-tidy", allow_single_file = True),
        "_driver": attr.label(default = "//libs/third_party/bazel:clang_tidy.py", allow_single_file = True),
    },
)
