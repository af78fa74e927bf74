"""Runs clang-tidy's checks on one C++ file and its header; called by clang_tidy.bzl.

Usage: clang_tidy.py REPORT CONFIG SOURCE HEADER|"" FLAG...

The checks run inside clangd (`clangd --check`), which lets them see the one file instead of everything that it includes: with gRPC's
headers that is three to five times faster than the program clang-tidy. clangd only checks the main file, so the file's own header is
put in the place of its #include, and an overlay makes later inclusions of it empty. Findings are printed with their real file and line;
the report is written when there are none.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

FINDING = re.compile(r"^E\[[^]]*\] \[([\w.-]+)\] Line (\d+): (.*)$")


def joined_lines(source, header):
    """The main file's lines, each with the file and line number that it comes from."""
    with open(source, encoding="utf-8") as file:
        lines = [(text, source, number) for number, text in enumerate(file.read().splitlines(), 1)]
    if not header:
        return lines
    with open(header, encoding="utf-8") as file:
        pasted = [(text, header, number) for number, text in enumerate(file.read().splitlines(), 1)]
    for index, (text, _, _) in enumerate(lines):
        if text.strip() == '#include "%s"' % header:
            return lines[:index] + pasted + lines[index + 1:]
    return lines


def overlay(header, directory):
    """A file for -ivfsoverlay that makes `header` empty however it is found."""
    empty = os.path.join(directory, "empty.h")
    with open(empty, "w", encoding="utf-8"):
        pass
    path = os.path.join(directory, "overlay.yaml")
    entries = [{"name": os.path.abspath(header), "type": "file", "external-contents": empty}]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": 0, "case-sensitive": "true", "roots": entries}, file)
    return path


def check(config, source, header, flags, directory):
    """Returns the findings as lines of text."""
    shutil.copyfile(config, os.path.join(directory, ".clang-tidy"))
    lines = joined_lines(source, header)
    main = os.path.join(directory, os.path.basename(source))
    with open(main, "w", encoding="utf-8") as file:
        file.write("\n".join(text for text, _, _ in lines) + "\n")
    command = ["clang++"] + flags + ["-Wno-pragma-once-outside-header", "-xc++"]
    if header:
        command += ["-ivfsoverlay", overlay(header, directory)]
    with open(os.path.join(directory, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump([{"directory": os.getcwd(), "file": main, "arguments": command + ["-c", main]}], file)
    result = subprocess.run(
        ["clangd", "--check=" + main, "--check-lines=1", "--clang-tidy", "--background-index=0", "--log=error",
         "--compile-commands-dir=" + directory],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    findings = []
    for line in result.stdout.splitlines():
        match = FINDING.match(line)
        if match:
            _, file, number = lines[int(match.group(2)) - 1]
            findings.append("%s:%d: %s [%s]" % (file, number, match.group(3), match.group(1)))
    if result.returncode != 0 and not findings:
        findings.append("%s: clangd failed:\n%s" % (source, result.stdout))
    return findings


def main():
    report, config, source, header = sys.argv[1:5]
    with tempfile.TemporaryDirectory() as directory:
        findings = check(config, source, header, sys.argv[5:], os.path.realpath(directory))
    if findings:
        print("\n".join(findings))
        sys.exit(1)
    with open(report, "w", encoding="utf-8"):
        pass


main()
