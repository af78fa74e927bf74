"""Calls the provider client as the token-registry does."""

import os
import subprocess

from harness import npm
from harness.processes import binary

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def install_packages(name):
    """`npm ci` in a directory beside this one, once for each state of its lock file; returns the directory."""
    directory = os.path.join(HERE, name)
    npm.install(directory)
    return directory


def call(provider, url, *arguments):
    """Returns (exit code, lines of output, what was said on standard error)."""
    result = subprocess.run([binary("tests/conformance/provider_driver"), provider, url, *arguments], check=False, timeout=60,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return result.returncode, result.stdout.splitlines(), result.stderr
