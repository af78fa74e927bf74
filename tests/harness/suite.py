"""Runs a suite of unittest files and ends with the line that tests/run.sh counts."""

import os
import sys
import time
import unittest


class _Result(unittest.TextTestResult):
    """Prints each test with its time."""

    def startTest(self, test):
        self._started = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.passed = getattr(self, "passed", 0) + 1
        if self.showAll:
            self.stream.write(f"[{time.monotonic() - self._started:.1f} s] ")
        super().addSuccess(test)


def run(name, directory):
    """Runs directory/test_*.py, or those whose name holds one of the command line's arguments; returns the exit code."""
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*" for word in sys.argv[1:]] or None
    suite = loader.discover(directory, pattern="test_*.py", top_level_dir=os.path.dirname(directory))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=_Result).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{name}: {getattr(result, 'passed', 0)} passed, {failed} failed", flush=True)
    return 1 if failed or result.testsRun == 0 else 0
