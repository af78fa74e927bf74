"""Runs browser/NAME.mjs, which drives Chromium, and does for it what a browser cannot: pushes commits, asks the command line.

The script prints one JSON object per line: {"call": NAME, "arguments": [...]} is answered on its standard input with {"value": ...}
or {"error": ...}; {"figure": ...} is shown. Its exit code says whether it went well.
"""

import ctypes
import json
import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time

from harness import cli, npm, processes

HERE = os.path.dirname(os.path.abspath(__file__))
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_screenshots = []


def screenshots():
    """The folder for pictures; it stays when the run is over."""
    if not _screenshots:
        folder = os.environ.get("DAVIT_SCREENSHOTS") or tempfile.mkdtemp(prefix="davit-console-", dir=os.environ.get("TEST_TMPDIR"))
        os.makedirs(folder, exist_ok=True)
        _screenshots.append(folder)
        print(f"screenshots: {folder}", flush=True)
    return _screenshots[0]


class Actions:
    """What scripts may ask for; the names are theirs, so they are in the scripts' style."""

    def __init__(self, world):
        self._world = world
        self._repositories = {}

    # The environment.

    def about(self):
        world = self._world
        return {
            "console": f"http://{world.standalone.console_listen}", "gitUrl": world.git.url, "gitToken": world.git.token,
            "registry": world.registry.host, "registryPassword": world.standalone.secret("registry.password"),
            "webhookUrl": world.standalone.webhook_url, "connection": world.connection["id"], "screenshots": screenshots(),
        }

    def token(self, role, project):
        """A new token of a role; project '*' = all."""
        flags = ["--all-projects"] if project == "*" else ["--project", project]
        return self._world.davit("tokens", "create", "--name", f"browser {secrets.token_hex(4)}", "--role", role, *flags)["token"]

    def signInLink(self, token=None):  # pylint: disable=invalid-name
        """An address that signs in once; without a token as the administrator of everything."""
        code = secrets.token_urlsafe(32)
        if token is None:
            with open(os.path.join(self._world.standalone.data, "admin.token"), encoding="utf-8") as file:
                token = file.read().strip()
        path = os.path.join(self._world.standalone.data, "secrets/sign_in_codes")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(f"{code} {int(time.time()) + 600} {token}\n")
        return f"http://{self._world.standalone.console_listen}/sign-in#code={code}"

    def cli(self, *arguments):
        """A command of the command line, as the administrator of everything; its answer."""
        return self._world.davit(*arguments)

    # Repositories.

    def repository(self, files=None, name=None):
        """A repository with these files, or the sample's, pushed to main; returns {name, commit}."""
        repository = self._world.repository(name=name)
        if files is None:
            repository.copy_in(os.path.join(processes.ROOT, "deploy/local/sample"))
        commit = repository.commit(files or {}, "first")
        repository.push()
        self._repositories[repository.name] = repository
        return {"name": repository.name, "commit": commit}

    def push(self, name, files, message="change", refspecs=("main",)):
        """Commits and pushes; returns {commit, said}, what the server's hook said of its delivery."""
        commit = self._repositories[name].commit(files, message)
        return {"commit": commit, "said": self._repositories[name].push(*refspecs)}

    def evaluated(self, name, commit, project):
        """Waits until the rules have looked at the push of a commit."""
        def found():
            listed = self._world.davit("events", "--project", project, "--repository", name).get("events", [])
            return [event for event in listed if event["push"]["after"] == commit and event["state"] != "STATE_RECEIVED"]
        processes.wait_until(found, 30, f"the push of {commit} is evaluated")

    def rule(self, name, *flags):
        """A rule and a webhook in the default project: pushes build from now on."""
        rule = self._world.rule(self._repositories[name], *flags)
        self._world.webhook(self._repositories[name])
        return rule

    def deliverTo(self, name, path, secret):  # pylint: disable=invalid-name
        """Makes the server deliver the repository's pushes to the gateway's path."""
        self._repositories[name].deliver_to(self._world.standalone.webhook_url + path, secret)

    def cancelAll(self):  # pylint: disable=invalid-name
        """Frees the agent from what a script left behind."""
        for build in self._world.davit.builds():
            if build["state"] not in cli.ENDED:
                self._world.davit("cancel", build["id"])

    # What came of it.

    def build(self, build_id, *states):
        """The build, once it has ended or is in one of the states."""
        davit = self._world.davit
        return davit.wait_build(build_id, states=set(states)) if states else davit.wait_build(build_id)

    def imageDigest(self, repository, tag):  # pylint: disable=invalid-name
        return self._world.registry.digest(repository, tag)

    def processesMentioning(self, text):  # pylint: disable=invalid-name
        return processes.processes_mentioning(text)


def run(world, name, timeout=150 * float(os.environ.get("DAVIT_SLACK", "1"))):
    """Runs browser/NAME.mjs to its end; fails with what it said."""
    npm.install(HERE)
    actions = Actions(world)
    environment = {"PATH": os.environ["PATH"], "HOME": world.directory, "LANG": "C.UTF-8", "TZ": "UTC"}
    environment.update({key: os.environ[key] for key in ("CHROMIUM", "DAVIT_SLACK") if key in os.environ})
    with open(os.path.join(world.directory, f"browser-{name}.log"), "w+", encoding="utf-8") as errors:
        script = subprocess.Popen(
            ["node", os.path.join(HERE, "browser", name + ".mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            env=environment, start_new_session=True, preexec_fn=lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))
        # Whatever it waits for; Chromium ends with the pipe to it.
        timer = threading.Timer(timeout, lambda: os.killpg(script.pid, signal.SIGKILL))
        timer.start()
        try:
            for line in script.stdout:
                _answer(actions, script, json.loads(line))
            code = script.wait()
        finally:
            timer.cancel()
            if script.poll() is None:
                os.killpg(script.pid, signal.SIGKILL)
                script.wait()
            script.stdin.close()
            script.stdout.close()
        errors.seek(0)
        said = errors.read()
    if code != 0:
        actions.cancelAll()
    assert code == 0, f"{name}: exit {code} {'(it took too long)' if code == -signal.SIGKILL else ''}\n{said[-6000:]}"


def _answer(actions, script, asked):
    if "figure" in asked:
        print(f"    {asked['figure']}", flush=True)
        return
    try:
        answer = {"value": getattr(actions, asked["call"])(*asked["arguments"])}
    except Exception as error:  # pylint: disable=broad-except
        answer = {"error": f"{asked['call']}: {error}"}
    script.stdin.write(json.dumps(answer) + "\n")
    script.stdin.flush()
