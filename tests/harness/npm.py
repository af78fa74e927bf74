"""Installs the npm packages of a test, as their lock file says."""

import filecmp
import os
import shutil

from harness import processes


def install(directory):
    """`npm ci`, once for each state of the lock file."""
    lock = os.path.join(directory, "package-lock.json")
    installed = os.path.join(directory, "node_modules/.installed")
    if not (os.path.exists(installed) and filecmp.cmp(lock, installed, shallow=False)):
        processes.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=directory)
        shutil.copy(lock, installed)
