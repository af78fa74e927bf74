"""Drives Davit through its command line, `davit -o json`."""

import json
import subprocess
import time

from harness import processes

ENDED = {"BUILD_STATE_SUCCEEDED", "BUILD_STATE_FAILED", "BUILD_STATE_CANCELLED", "BUILD_STATE_TIMED_OUT", "BUILD_STATE_SUPERSEDED"}


class CommandError(AssertionError):
    """A command that failed, with its exit code and what it said."""

    def __init__(self, argv, result):
        super().__init__(f"{' '.join(argv)}: exit {result.returncode}\n{result.stderr}{result.stdout}")
        self.code = result.returncode
        self.message = result.stderr.strip()


class Davit:
    """The command line with an address and a token file. `servers` are further flags, for services on addresses of their own."""

    def __init__(self, server, token_file, servers=()):
        self._flags = [f"--server={server}", f"--api-token-file={token_file}", *servers]

    def argv(self, *arguments):
        """The command line of a command, for tests that run it themselves."""
        return [processes.binary("services/cli/davit"), *self._flags, *map(str, arguments)]

    def text(self, *arguments, timeout=180, stdin=None):
        """Runs a command; returns what it printed."""
        argv = self.argv(*arguments)
        result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=timeout,
                                input=stdin, env={"PATH": "/usr/bin:/bin"})
        if result.returncode != 0:
            raise CommandError(argv, result)
        return result.stdout

    def __call__(self, *arguments, **options):
        """Runs a command with -o json; returns the object."""
        return json.loads(self.text(*arguments, "-o", "json", **options) or "{}")

    def fails(self, *arguments, **options):
        """Runs a command that must fail; returns its message."""
        try:
            printed = self.text(*arguments, **options)
        except CommandError as error:
            return error.message
        raise AssertionError(f"{arguments} succeeded: {printed}")

    def get_build(self, build_id):
        return self("builds", "get", build_id)

    def builds(self, repository=None):
        """Newest first."""
        return self("builds", *(["--repository", repository] if repository else [])).get("builds", [])

    def wait_build(self, build_id, timeout=120, states=ENDED):
        """Waits until the build is in one of the states; returns it."""
        last = {}

        def reached():
            build = self.get_build(build_id)
            last.update(build)
            if build["state"] in states:
                return build
            assert build["state"] not in ENDED, f"ended as {build['state']} instead of {states}: {build.get('failure')}"
            return None
        try:
            return processes.wait_until(reached, timeout, f"{build_id} in {states}", interval=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; last seen {json.dumps(last)}") from None

    def log(self, build_id):
        """The whole log of the newest attempt."""
        return self.text("logs", build_id)

    def events(self, repository):
        """Newest first."""
        return self("events", "--repository", repository).get("events", [])

    def event(self, event_id):
        return self("events", "get", event_id)

    def wait_event(self, event_id, timeout=30):
        """Waits until the rules have looked at the event and the scheduler has its builds; returns it."""
        def settled():
            event = self.event(event_id)
            if event["state"] == "STATE_RECEIVED":
                return None
            matched = [e for e in event.get("explanations", []) if e["reason"] == "REASON_MATCHED"]
            return event if all(e.get("build_id") for e in matched) else None
        return processes.wait_until(settled, timeout, f"{event_id} evaluated", interval=0.05)

    def build_of_commit(self, repository, commit, ref=None, timeout=30):
        """The id of the build that a push of `commit` made."""
        def found():
            for build in self.builds(repository):
                git = build["spec"].get("git", {})
                if git.get("commit") == commit and (ref is None or git.get("ref") == ref):
                    return build["id"]
            return None
        return processes.wait_until(found, timeout, f"a build of {commit}", interval=0.05)


def measure(action):
    """Returns (result, seconds)."""
    begun = time.monotonic()
    result = action()
    return result, time.monotonic() - begun
