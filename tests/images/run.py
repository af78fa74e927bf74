"""Davit builds Davit: its image from the repository's own commit, and the image runs. See tests/README.md.

Usage: python3 tests/images/run.py [WORD...]     only tests whose name holds one of the words
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from harness import suite  # pylint: disable=wrong-import-position

sys.exit(suite.run("images", HERE))
