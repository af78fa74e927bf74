"""The console in a browser, over a real davit-standalone with its engines. See tests/README.md.

Usage: python3 tests/console/run.py [WORD...]     only tests whose name holds one of the words
Environment: DAVIT_SCREENSHOTS names the folder for the pages' pictures (default: a new one below the temporary directory);
CHROMIUM the browser's program; DAVIT_SLACK multiplies the limits of measured times, for a machine that has other work.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from harness import suite  # pylint: disable=wrong-import-position

sys.exit(suite.run("console", HERE))
