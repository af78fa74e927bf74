"""A git server over HTTP with token authentication, its repositories, and working copies that push to it."""

import json
import os
import secrets
import shutil
import subprocess

from harness import processes

LIB = os.path.join(processes.ROOT, "deploy/local/lib")


class GitServer:
    """lighttpd in front of git http-backend; user `git`, password `token`."""

    def __init__(self, directory):
        self.directory = directory
        self.port = processes.free_port()
        self.token = "gt_" + secrets.token_urlsafe(24)
        os.makedirs(directory, exist_ok=True)
        self._write_token()
        self._start()

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.host}"

    def _write_token(self):
        self.token_file = os.path.join(self.directory, "token")
        with open(os.open(self.token_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(self.token + "\n")

    def _start(self):
        self.program = processes.Program(
            ["bash", os.path.join(LIB, "git_server.sh"), self.directory, self.port], os.path.join(self.directory, "server.log"))
        self.program.wait_ready(lambda: processes.listening(self.port), 10, "the git server listens")

    def replace_token(self):
        """The old token is refused from now on, as if it had been revoked."""
        self.program.stop()
        self.token = "gt_" + secrets.token_urlsafe(24)
        self._write_token()
        self._start()

    def create_repository(self, name):
        processes.run(["bash", os.path.join(LIB, "git_repository.sh"), self.directory, name])
        return Repository(self, name)

    def stop(self):
        self.program.stop()


class Repository:
    """A served repository with one working copy."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.bare = os.path.join(server.directory, "repositories", name + ".git")
        self.work = os.path.join(server.directory, "work", name)
        os.makedirs(self.work)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments, **options):
        settings = {"user.name": "Test", "user.email": "test@example.com", "commit.gpgsign": "false",
                    "advice.detachedHead": "false"}
        flags = [flag for key, value in settings.items() for flag in ("-c", f"{key}={value}")]
        return processes.run(["git", "-C", self.work, *flags, *arguments], **options).strip()

    def deliver_to(self, url, secret):
        """Makes the repository's post-receive hook send webhooks."""
        path = os.path.join(self.bare, "hooks/davit.json")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"url": url, "secret": secret, "repository": self.name}, file)

    def write(self, files):
        """Writes {path: text or bytes}; None removes the path."""
        for path, content in files.items():
            full = os.path.join(self.work, path)
            if content is None:
                os.remove(full)
                continue
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())

    def copy_in(self, directory):
        shutil.copytree(directory, self.work, dirs_exist_ok=True)

    def commit(self, files=None, message="change"):
        """Commits everything and returns the commit's id."""
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self, *refspecs):
        """Pushes over HTTP with the token; returns what the server's hook said."""
        # The token goes through the environment of this one command, as git's own helpers do.
        environment = dict(os.environ, GIT_ASKPASS=os.path.join(LIB, "askpass.sh"),
                           DAVIT_GIT_TOKEN_FILE=self.server.token_file, GIT_TERMINAL_PROMPT="0")
        result = subprocess.run(
            ["git", "-C", self.work, "push", f"http://git@{self.server.host}/{self.name}.git", *(refspecs or ("main",))],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert result.returncode == 0, result.stdout
        return result.stdout
