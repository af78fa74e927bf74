"""Calls the provider client as the token-registry does."""

import filecmp
import os
import shutil
import subprocess

from harness.processes import binary, run

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def install_packages(name):
    """`npm ci` in a directory beside this one, once for each state of its lock file; returns the directory."""
    directory = os.path.join(HERE, name)
    lock, installed = os.path.join(directory, "package-lock.json"), os.path.join(directory, "node_modules/.installed")
    if not (os.path.exists(installed) and filecmp.cmp(lock, installed, shallow=False)):
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=directory)
        shutil.copy(lock, installed)
    return directory


def call(provider, url, *arguments):
    """Returns (exit code, lines of output, what was said on standard error)."""
    result = subprocess.run([binary("tests/conformance/provider_driver"), provider, url, *arguments], check=False, timeout=60,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return result.returncode, result.stdout.splitlines(), result.stderr
