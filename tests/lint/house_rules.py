"""The house rules that no ready-made linter knows; called by run.sh.

Usage: house_rules.py --list | house_rules.py RULE < file names, separated by NUL

Prints the findings and exits with 1 when there are any.
"""

import glob
import re
import sys

SOURCE = (".cc", ".h", ".py", ".sh", ".proto", ".bzl", ".bazel", ".sql")
TEXT = SOURCE + (".md", ".json", ".yaml", ".yml", ".html", ".ts", ".js", ".css")
MAX_LINES = 500

# Written so that this file does not hold them.
MACHINE = [r"/wor[k]/", r"/hom[e]/", r"davit-scratc[h]", r"/var/tmp/b[z]", r"registry\.npmj[s]"]
UNFINISHED = [r"\bTOD[O]\b", r"\bFIXM[E]\b", r"\bXX[X]\b", r"\bHAC[K]\b", r"^<<<<<<[<] ", r"^>>>>>>[>] "]


def lines_of(name):
    with open(name, encoding="utf-8", errors="replace") as file:
        return file.read().split("\n")


def matches(name, patterns):
    expression = re.compile("|".join(patterns))
    for number, line in enumerate(lines_of(name), 1):
        if expression.search(line):
            yield "%s:%d: %s" % (name, number, line.strip()[:160])


def file_length(name):
    """No source file is longer than 500 lines: split it by responsibility. A BUILD file is a list, as long as what it lists."""
    if name.endswith(SOURCE) and not name.endswith("BUILD.bazel"):
        count = len(lines_of(name)) - 1
        if count > MAX_LINES:
            yield "%s: %d lines, at most %d; split it by responsibility" % (name, count, MAX_LINES)


def machine_names(name):
    """Nothing names the machine on which it was written."""
    if name.endswith(TEXT) or "." not in name.rsplit("/", 1)[-1]:
        yield from matches(name, MACHINE)


def unfinished(name):
    """No marks of unfinished work, no conflict markers."""
    if name.endswith(TEXT):
        yield from matches(name, UNFINISHED)


def first_comment(name):
    """A C++ file begins with a comment that says what it owns."""
    if name.endswith((".cc", ".h")) and not lines_of(name)[0].startswith("// "):
        yield "%s:1: the first line is no comment" % name


def white_space(name):
    """No blanks at the ends of lines, one line break at the end of the file."""
    if not name.endswith(TEXT):
        return
    lines = lines_of(name)
    for number, line in enumerate(lines, 1):
        if line != line.rstrip() and not name.endswith(".md"):
            yield "%s:%d: blanks at the end" % (name, number)
    if lines != [""] and (lines[-1] != "" or (len(lines) > 1 and lines[-2] == "")):
        yield "%s: does not end with one line break" % name


def decision_numbers(name):
    """A decision's number is its own."""
    number = re.fullmatch(r"(.*/decisions/)(\d{4})-[^/]*\.md", name)
    if number and len(glob.glob("%s%s-*.md" % number.groups())) > 1:
        yield "%s: another decision has this number" % name


RULES = {
    "decision-numbers": decision_numbers,
    "file-length": file_length,
    "machine-names": machine_names,
    "unfinished": unfinished,
    "first-comment": first_comment,
    "white-space": white_space,
}


def main():
    if sys.argv[1] == "--list":
        print("\n".join(RULES))
        return 0
    names = [name for name in sys.stdin.buffer.read().decode().split("\0") if name]
    findings = [finding for name in names for finding in RULES[sys.argv[1]](name)]
    print("\n".join(findings))
    return 1 if findings else 0


sys.exit(main())
