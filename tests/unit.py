"""Runs every Bazel test and counts the test cases; ends with `unit: N passed, N failed`.

Arguments are handed to `bazel test`. A target that does not build, crashes or times out counts as one failed case.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    """Returns (passed, failed) of one test.xml; (0, 0) when it holds no cases."""
    passed = failed = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.get("status") == "notrun":
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        else:
            passed += 1
    return passed, failed


def main():
    arguments = sys.argv[1:]
    result = subprocess.run(["bazel", "test", "--keep_going", *arguments, "//..."], check=False)
    logs = subprocess.run(
        ["bazel", "info", *arguments, "bazel-testlogs"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    targets = subprocess.run(
        ["bazel", "query", "--noshow_progress", "tests(//...)"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()
    passed = failed = 0
    for target in targets:
        path = os.path.join(logs, target[2:].replace(":", "/"), "test.xml")
        if not os.path.exists(path):
            print(f"{target}: no result", file=sys.stderr)
            failed += 1
            continue
        target_passed, target_failed = count(path)
        if target_passed + target_failed == 0:
            print(f"{target}: ran no test case", file=sys.stderr)
            target_failed = 1
        passed += target_passed
        failed += target_failed
    if result.returncode != 0 and failed == 0:
        print(f"bazel test exited with {result.returncode}", file=sys.stderr)
        failed += 1
    print(f"unit: {passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
