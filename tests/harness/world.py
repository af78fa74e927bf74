"""One davit-standalone with a git server, a base image and a connection: what the e2e suite runs on."""

import atexit
import os
import secrets
import unittest

from harness import cli, git, images, processes

SAMPLE = os.path.join(processes.ROOT, "deploy/local/sample")


class Standalone:
    """A davit-standalone with engines of its own, below `directory`."""

    def __init__(self, directory, flags=(), allow_hosts=()):
        self.directory = directory
        self.data = os.path.join(directory, "data")
        self.listen = f"127.0.0.1:{processes.free_port()}"
        self.webhook_listen = f"127.0.0.1:{processes.free_port()}"
        self.console_listen = f"127.0.0.1:{processes.free_port()}"
        self.registry_host = f"127.0.0.1:{processes.free_port()}"
        self.metrics_listen = f"127.0.0.1:{processes.free_port()}"
        self.flags = list(flags)
        self.allow_hosts = [*allow_hosts, self.registry_host]
        self.log = os.path.join(directory, "standalone.log")
        self.program = None

    def start(self, timeout=120):
        ready = os.path.join(self.data, "run/ready")
        if os.path.exists(ready):
            os.remove(ready)
        self.program = processes.Program(
            [processes.binary("services/standalone/davit-standalone"), f"--data_dir={self.data}", f"--listen={self.listen}",
             f"--webhook_listen={self.webhook_listen}", f"--console_listen={self.console_listen}",
             f"--registry_listen={self.registry_host}",
             f"--metrics_listen={self.metrics_listen}", f"--allow_hosts={','.join(self.allow_hosts)}", *self.flags], self.log)
        self.program.wait_ready(lambda: os.path.exists(ready), timeout, "davit-standalone is ready")
        return self

    def stop(self):
        code = self.program.stop()
        assert code == 0, f"davit-standalone ended with {code}:\n{self.program.output()[-4000:]}"

    def secret(self, name):
        with open(os.path.join(self.data, "secrets", name), encoding="utf-8") as file:
            return file.read().strip()

    def davit(self):
        return cli.Davit(self.listen, os.path.join(self.data, "admin.token"))

    def registry(self):
        return images.ImageRegistry(self.registry_host, "davit", self.secret("registry.password"), os.path.join(self.directory, "images"))

    @property
    def docker_socket(self):
        return os.path.join(self.data, "run/docker.sock")

    @property
    def postgres_socket(self):
        return os.path.join(self.data, "run/postgres")

    @property
    def webhook_url(self):
        return f"http://{self.webhook_listen}"


class World:
    """Everything that an e2e test needs; made once per suite."""

    def __init__(self):
        self.directory = processes.temporary_directory("e2e")
        self.git = git.GitServer(os.path.join(self.directory, "git"))
        self.revocable_git = git.GitServer(os.path.join(self.directory, "git-revocable"))
        self.standalone = Standalone(self.directory, allow_hosts=[self.git.host, self.revocable_git.host], flags=["--log_level=debug"])
        self.standalone.start()
        self.davit = self.standalone.davit()
        self.registry = self.standalone.registry()
        self.registry.push_base_image()
        self.base = f"{self.registry.host}/base/busybox:latest"
        self._repositories = 0
        self.connection = self.connect("git", self.git)

    def connect(self, name, server):
        """Registers a git server; returns the connection."""
        probe = server.create_repository("probe/probe")
        probe.commit({"README": "tried when the connection is made\n"})
        probe.push()
        return self.davit("connect", "create", "--provider", "git", "--name", name, "--base-url", server.url,
                          "--token-file", server.token_file, "--probe-repository", "probe/probe")

    def close(self):
        try:
            if self.standalone.program.running():
                self.standalone.stop()
        finally:
            self.git.stop()
            self.revocable_git.stop()
            if not os.environ.get("DAVIT_KEEP"):
                processes.remove_tree(self.directory)

    def repository(self, files=None, name=None):
        """A fresh repository with a first commit that is not pushed yet."""
        self._repositories += 1
        repository = self.git.create_repository(name or f"team/app{self._repositories}")
        if files:
            repository.commit(files, "first")
        return repository

    def sample(self):
        """The sample of deploy/local, as a fresh repository."""
        repository = self.repository()
        repository.copy_in(SAMPLE)
        repository.commit()
        return repository

    def rule(self, repository, *flags, branches=("main",), tags=("v*",), templates=("{ref}-{commit:7}", "latest"), image=None):
        """Makes a rule and a webhook for the repository; pushes build from now on. Returns the rule."""
        arguments = ["rule", "create", "--name", f"rule-{secrets.token_hex(4)}", "--connection", self.connection["id"], "--repository", repository.name,
                     "--image", image or self.image(repository), "--build-arg", f"REGISTRY={self.registry.host}"]
        for branch in branches:
            arguments += ["--branch", branch]
        for tag in tags:
            arguments += ["--tag", tag]
        for template in templates:
            arguments += ["--image-tag", template]
        return self.davit(*arguments, *flags)

    def webhook(self, repository, deliver=True):
        """Makes a webhook; returns (url, secret). With `deliver` the repository's own hook uses it."""
        made = self.davit("webhook", "create", self.connection["id"], "--repository", repository.name)
        url = self.standalone.webhook_url + made["path"]
        if deliver:
            repository.deliver_to(url, made["secret"])
        return url, made["secret"]

    def image(self, repository):
        return f"{self.registry.host}/{repository.name}"

    def push_and_build(self, repository, commit, *refspecs, ref=None, timeout=120):
        """Pushes and waits for the build to end; returns it."""
        said = repository.push(*refspecs)
        assert ": 200 " in said, said
        return self.davit.wait_build(self.davit.build_of_commit(repository.name, commit, ref), timeout)


_shared = []


def shared():
    """The suite's world, made when it is first asked for."""
    if not _shared:
        world = World()
        _shared.append(world)
        atexit.register(world.close)
    return _shared[0]


class WorldCase(unittest.TestCase):
    """A test on the suite's world."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.world = shared()
        cls.davit = cls.world.davit
        cls.registry = cls.world.registry

    def assert_succeeded(self, build):
        if build["state"] != "BUILD_STATE_SUCCEEDED":
            self.fail(f"{build['state']}: {build.get('failure')}\n{self.davit.log(build['id'])}")

    def assert_failed_by_user(self, build, message):
        """The build failed, for the user's own reason, with the message, and its log is whole."""
        self.assertEqual(build["state"], "BUILD_STATE_FAILED", build)
        self.assertEqual(build["failure"]["failure_class"], "FAILURE_CLASS_USER", build["failure"])
        self.assertIn(message, build["failure"]["message"])
        self.assertEqual(len(build["attempts"]), 1, "a user's failure is not tried again")
        self.assert_log_complete(build)

    def assert_log_complete(self, build):
        attempt = build["attempts"][-1]
        self.assertTrue(attempt.get("log_complete"), attempt)
        log = self.davit.log(build["id"])
        self.assertEqual(len(log.encode()), int(attempt.get("log_size", 0)))
        return log
