"""Starts and stops programs, and waits for what they do."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def binary(target):
    """The path of a built program, `services/cli/davit`; DAVIT_BIN names another bazel-bin."""
    path = os.path.join(os.environ.get("DAVIT_BIN", os.path.join(ROOT, "bazel-bin")), target)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} is missing; build it first: bazel build //...")
    return path


def temporary_directory(name):
    """A directory on tmpfs, short enough for sockets and reachable by other users."""
    path = tempfile.mkdtemp(prefix=f"dvt-{name}-", dir="/dev/shm")
    os.chmod(path, 0o711)
    return path


_given = set()


def free_port():
    """A port of 127.0.0.1 that nobody listens on, never given twice by this process."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def wait_until(condition, timeout, what, interval=0.05):
    """Returns the first true value of `condition`; fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(interval)


def listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(argv, **options):
    """Runs a command to its end and returns its output; fails with what it said."""
    result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


class Program:
    """A program in the background, its output in a file. It ends with this process."""

    def __init__(self, argv, log, environment=None, cwd=None):
        self.argv = [str(argument) for argument in argv]
        self.log = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=cwd,
                env=environment, preexec_fn=lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM))

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_ready(self, condition, timeout, what):
        """Waits for `condition`; fails at once, with the program's output, when it ends before."""
        def ready():
            if not self.running():
                raise AssertionError(f"{self.argv[0]} ended with {self.process.returncode} before it was ready:\n{self.output()[-4000:]}")
            return condition()
        return wait_until(ready, timeout, f"{what}; output:\n{self.output()[-4000:]}")

    def signal(self, number):
        if self.running():
            os.kill(self.pid, number)

    def stop(self, timeout=60):
        """SIGTERM, then SIGKILL; returns the exit code."""
        self.signal(signal.SIGTERM)
        # A stopped process does not see SIGTERM.
        self.signal(signal.SIGCONT)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.argv[0]} did not stop within {timeout} s:\n{self.output()[-4000:]}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()


def processes_mentioning(text):
    """Command lines of the running processes (zombies and this one left out) that hold `text`."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(f"{entry}: {command}")
    return found


def pids_of(command):
    """The processes of this machine, those in containers too, whose whole command line is `command`."""
    return [int(line.split(":")[0]) for line in processes_mentioning(command) if line.split(": ", 1)[1].rstrip() == command]


def remove_tree(path):
    shutil.rmtree(path, ignore_errors=True)
