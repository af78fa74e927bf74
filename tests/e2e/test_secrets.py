"""Planted secrets occur nowhere but where they belong: not in logs, errors, the database, process lists, or images."""

import base64
import gzip
import hashlib
import os
import secrets
import threading
import unittest
import urllib.parse
import urllib.request

from harness import processes, world


def forms(secret):
    """The secret as it could be written by accident."""
    raw = secret.encode()
    return {raw, base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="), raw.hex().encode(),
            urllib.parse.quote(secret, safe="").encode(), base64.b64encode(f"davit:{secret}".encode()).rstrip(b"="),
            base64.b64encode(f"git:{secret}".encode()).rstrip(b"=")}


class ProcessWatch(threading.Thread):
    """Reads the command lines and environments of everything that runs, again and again, until it is stopped."""

    def __init__(self, needles, below):
        super().__init__(daemon=True)
        self._needles, self._below = needles, below
        self._stop_asked = threading.Event()
        self.found = set()

    def run(self):
        while not self._stop_asked.wait(0.02):
            for entry in os.listdir("/proc"):
                if not entry.isdigit() or int(entry) == os.getpid():
                    continue
                for name in ("cmdline", "environ"):
                    try:
                        with open(f"/proc/{entry}/{name}", "rb") as file:
                            content = file.read()
                    except OSError:
                        continue
                    for needle in self._needles:
                        if needle in content:
                            self.found.add(f"{name} of {content[:200]}")

    def stop(self):
        self._stop_asked.set()
        self.join()


class SecretTest(world.WorldCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        standalone = cls.world.standalone
        cls.secrets = {
            "the git token": cls.world.git.token,
            "the registry password": standalone.secret("registry.password"),
            **{name: standalone.secret(name) for name in ("admin.token", "agent.token", "scheduler.token", "rule_engine.token",
                                                          "gateway.token")},
        }
        cls.secrets["the build secret"] = f"build-secret-{secrets.token_hex(16)}"
        cls.davit("secret", "create", "planted", "--from-file", "-", stdin=cls.secrets["the build secret"])
        cls.repository = cls.world.repository({
            # Prints all that a build can see of itself, and the secret that it is given in the ways in which it may slip out.
            "Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nRUN env; cat /proc/*/cmdline /proc/*/environ; mount; true\n"
                          "RUN --mount=type=secret,id=planted,required=true cd /run/secrets && sha256sum planted && cat planted && "
                          "base64 planted && (printf davit: && cat planted) | base64 -w 0 && od -v -An -tx1 planted | tr -d ' \\n' && "
                          "(head -c 20 planted; sleep 1; tail -c +21 planted)\n"
                          "COPY . /context\n"})
        cls.world.rule(cls.repository, "--secret", "planted")
        _, cls.secrets["the webhook secret"] = cls.world.webhook(cls.repository)
        cls.needles = {needle: name for name, secret in cls.secrets.items() for needle in forms(secret)}
        watch = ProcessWatch(list(cls.needles), cls.world.directory)
        watch.start()
        try:
            commit = cls.repository.git("rev-parse", "HEAD")
            cls.build = cls.world.push_and_build(cls.repository, commit)
            # And one that fails while pushing and fetching: errors are where secrets like to show.
            failing = cls.davit("build", "--connection", cls.world.connection["id"], "--repository", "team/not-there", "--commit",
                                "1" * 40, "--image", cls.world.image(cls.repository))
            cls.failed = cls.davit.wait_build(failing["id"])
        finally:
            watch.stop()
        cls.in_processes = watch.found

    def _assert_clean(self, content, where):
        for needle, name in self.needles.items():
            self.assertNotIn(needle, content, f"{name} in {where}")

    def test_the_build_used_them(self):
        self.assert_succeeded(self.build)
        log = self.davit.log(self.build["id"])
        self.assertIn(hashlib.sha256(self.secrets["the build secret"].encode()).hexdigest(), log)
        self.assertIn("***", log)
        self.assertEqual(self.failed["state"], "BUILD_STATE_FAILED")

    def test_not_in_command_lines_and_environments(self):
        self.assertEqual(self.in_processes, set())

    def test_not_in_build_logs_and_failures(self):
        for build in (self.build, self.failed):
            self._assert_clean(self.davit.log(build["id"]).encode(), "a build's log")
            self._assert_clean(self.davit.text("builds", "get", build["id"], "-o", "json").encode(), "a build")

    def test_not_in_what_the_api_lists(self):
        for command in (("connect", "list"), ("registry-credential", "list"), ("rule", "list"), ("secret", "list"), ("events",), ("builds",), ("agents",)):
            self._assert_clean(self.davit.text(*command, "-o", "json").encode(), " ".join(command))

    def test_not_in_the_logs_of_services_and_engines(self):
        self._assert_clean(self.world.standalone.program.output().encode(), "standard error")
        directory = os.path.join(self.world.standalone.data, "log")
        self.assertIn("davit.log", os.listdir(directory))
        for name in os.listdir(directory):
            with open(os.path.join(directory, name), "rb") as file:
                self._assert_clean(file.read(), name)

    def test_not_in_the_database(self):
        dump = processes.run(["pg_dump", "-h", self.world.standalone.postgres_socket, "-U", "postgres", "davit"])
        self.assertIn("COPY scheduler.builds", dump, "the dump holds the services' rows")
        self._assert_clean(dump.encode(), "pg_dump")
        # bytea columns are dumped as hexadecimal digits, which forms() covers.

    def test_not_in_the_metrics_of_any_service(self):
        with urllib.request.urlopen(f"http://{self.world.standalone.metrics_listen}/metrics", timeout=10) as response:
            text = response.read()
        for service in (b"token_registry", b"rule_engine", b"scheduler", b"builder_agent", b"webhook_gateway"):
            self.assertTrue(b"davit_" + service in text, service)
        self._assert_clean(text, "/metrics")

    def test_not_in_the_image(self):
        manifest = self.registry.manifest(self.repository.name, self.build["image_digest"])
        self._assert_clean(str(manifest).encode(), "the manifest")
        self._assert_clean(self.registry.blob(self.repository.name, manifest["config"]["digest"]), "the config")
        for layer in manifest["layers"]:
            self._assert_clean(gzip.decompress(self.registry.blob(self.repository.name, layer["digest"])), "a layer")

    def test_not_in_files_outside_of_the_secrets_directory(self):
        allowed = (os.path.join(self.world.standalone.data, "secrets"), os.path.join(self.world.standalone.data, "admin.token"))
        for directory, _, names in os.walk(self.world.standalone.data):
            for name in names:
                path = os.path.join(directory, name)
                if path.startswith(allowed) or not os.path.isfile(path) or os.path.islink(path):
                    continue
                with open(path, "rb") as file:
                    content = file.read()
                if path.endswith("registry/config.yml"):
                    continue  # Holds a secret of its own, which none of these is.
                self._assert_clean(content, path)


if __name__ == "__main__":
    unittest.main()
