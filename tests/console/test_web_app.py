"""The web app's own types and unit tests."""

import os
import unittest

from harness import npm, processes

WEB = os.path.join(processes.ROOT, "services/console/web")


class WebAppTest(unittest.TestCase):

    def test_its_types_hold_and_its_unit_tests_pass(self):
        npm.install(WEB)
        processes.run(["npm", "test"], cwd=WEB)


if __name__ == "__main__":
    unittest.main()
