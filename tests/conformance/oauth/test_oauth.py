"""Davit authorizes connections and refreshes their tokens at an authorization server that others wrote."""

import concurrent.futures
import http.cookiejar
import os
import re
import subprocess
import unittest
import urllib.parse
import urllib.request

from harness import npm, processes, world

HERE = os.path.dirname(os.path.abspath(__file__))


class Person:
    """Whoever sits before the browser: cookies, redirects, forms."""

    def __init__(self):
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())).open

    def visit(self, url, **form):
        with self._open(url, urllib.parse.urlencode(form).encode() if form else None, 30) as response:
            return response.read().decode()

    @staticmethod
    def hidden(page):
        """The hidden fields of a page's form."""
        return dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))

    def enter_code(self, url, code):
        page = self.visit(url)
        page = self.visit(url, **self.hidden(page), user_code=code)
        return self.visit(url, **{**self.hidden(page), "user_code": code, "confirm": "yes"})


class OAuthConformanceTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        npm.install(HERE)
        cls.directory = processes.temporary_directory("oauth")
        cls.addClassCleanup(processes.remove_tree, cls.directory)
        port = processes.free_port()
        cls.host = f"127.0.0.1:{port}"
        cls.server = processes.Program(["node", os.path.join(HERE, "server.mjs"), str(port), "client-secret-of-the-test"],
                                       os.path.join(cls.directory, "server.log"))
        cls.addClassCleanup(cls.server.stop)
        cls.server.wait_ready(lambda: processes.listening(port), 60, "the authorization server listens")
        secret, apps = (os.path.join(cls.directory, name) for name in ("secret", "apps"))
        for path, text in ((secret, "client-secret-of-the-test\n"), (apps, f"gitlab http://{cls.host} davit-client {secret}\n")):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        cls.standalone = world.Standalone(cls.directory, ["--buildkit=none", "--build_slots=0", f"--oauth_apps_file={apps}"], [cls.host])
        cls.addClassCleanup(cls.standalone.stop)
        cls.standalone.start()
        cls.davit = cls.standalone.davit()

    def authorize(self, *arguments):
        """Runs a command that authorizes, with a person beside it; returns what the command printed."""
        with subprocess.Popen(self.davit.argv(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={"PATH": "/usr/bin:/bin"}) as command:
            said = [command.stderr.readline() for _ in range(2)]
            url = said[1].strip()
            person = Person()
            if "--browser" in arguments:
                page = person.visit(url)
            else:
                said += [command.stderr.readline() for _ in range(2)]
                page = person.enter_code(url, said[3].strip())
            printed, complaints = command.communicate(timeout=60)
            self.assertEqual(command.returncode, 0, f"{said}{complaints}\n{page}\n{self.server.output()[-2000:]}")
        return printed

    def connection(self, name):
        return next(c for c in self.davit("connect", "list")["connections"] if c["display_name"] == name)

    def test_a_browser_authorizes_with_pkce_and_comes_back_to_a_loopback_port(self):
        self.authorize("connect", "create", "--name", "browser", "--provider", "gitlab", "--base-url", f"http://{self.host}", "--oauth",
                       "--browser")
        connection = self.connection("browser")
        self.assertEqual((connection["credential_kind"], connection["state"], connection["account"], connection["scopes"]),
                         ("CREDENTIAL_KIND_OAUTH", "STATE_ACTIVE", "ann", ["api"]))

    def test_a_device_authorizes_with_a_code(self):
        self.authorize("connect", "create", "--name", "device", "--provider", "gitlab", "--base-url", f"http://{self.host}", "--oauth")
        self.assertEqual(self.connection("device")["state"], "STATE_ACTIVE")

    def test_tokens_are_refreshed_once_whoever_uses_them_at_the_same_time(self):
        self.authorize("connect", "create", "--name", "busy", "--provider", "gitlab", "--base-url", f"http://{self.host}", "--oauth",
                       "--browser")
        before = self.connection("busy")
        # The server revokes the grant when a refresh token comes twice.
        for _ in range(3):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda _: self.davit("connect", "repositories", before["id"]), range(8)))
            self.assertEqual(self.davit("connect", "verify", before["id"])["state"], "STATE_ACTIVE")
        self.assertGreater(self.connection("busy")["token_expire_time"], before["token_expire_time"])
        openings = self.davit("audit", "--record", before["id"], "--limit", "500")["accesses"]
        self.assertGreaterEqual([access["purpose"] for access in openings].count("refresh"), 3)

    def test_nothing_secret_is_in_the_log(self):
        self.assertNotIn("client-secret-of-the-test", self.standalone.program.output())


if __name__ == "__main__":
    unittest.main()
