"""Every GitHub call of Davit's fits GitHub's own description: Prism serves it and refuses what it does not allow."""

import json
import os
import shutil
import unittest
import urllib.error
import urllib.request

from harness.processes import Program, free_port, listening, run, temporary_directory
from . import driver

COMMIT = "6dcb09b5b57875f334f61aebed695e2e4193db5e"


class GitHubTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        github = driver.install_packages("github")
        cls.directory = temporary_directory("prism")
        cls.addClassCleanup(shutil.rmtree, cls.directory, True)
        description = os.path.join(cls.directory, "github.json")
        run(["node", os.path.join(github, "cut_openapi.mjs"), description])
        port = free_port()
        cls.prism = Program(["node", os.path.join(github, "node_modules/@stoplight/prism-cli/dist/index.js"), "mock", "--errors",
                             "--host", "127.0.0.1", "--port", port, description], os.path.join(cls.directory, "log"))
        cls.addClassCleanup(cls.prism.stop)
        cls.prism.wait_ready(lambda: listening(port), 120, "Prism to listen")
        cls.url = f"http://127.0.0.1:{port}"

    def call(self, *arguments):
        code, lines, said = driver.call("github", self.url, *arguments)
        self.assertEqual(code, 0, said + self.prism.output()[-3000:])
        return lines

    def post(self, path, body):
        request = urllib.request.Request(f"{self.url}/api/v3{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            return urllib.request.urlopen(request, timeout=30).status
        except urllib.error.HTTPError as error:
            return error.code

    def test_the_server_refuses_what_github_does_not_describe(self):
        self.assertEqual(self.post(f"/repos/o/r/statuses/{COMMIT}", {"state": "success"}), 201)
        self.assertEqual(self.post(f"/repos/o/r/statuses/{COMMIT}", {"state": "running"}), 422)
        self.assertEqual(self.post(f"/repos/o/r/statuses/{COMMIT}", {}), 422)
        self.assertEqual(self.post("/repos/o/r/nothing", {}), 404)

    def test_verify(self):
        self.assertEqual(len(self.call("verify")), 1)

    def test_every_state(self):
        for state in range(1, 7):
            with self.subTest(state):
                self.call("status", "octocat/hello", COMMIT, str(state), "davit/main", "refs/heads/main", "https://davit.example.com/b")
        self.call("status", "octocat/hello", COMMIT, "3", "davit/main")

    def test_repositories_of_the_account(self):
        self.assertGreaterEqual(len(self.call("repositories")), 1)

    def test_repositories_of_an_organization(self):
        self.call("repositories", "", "github", "100")

    def test_search(self):
        self.call("repositories", "hello world")
        self.call("repositories", "hello", "github")

    def test_organizations(self):
        self.assertGreaterEqual(len(self.call("organizations")), 1)

    def test_changed_paths(self):
        self.assertGreaterEqual(len(self.call("changed-paths", "octocat/hello", "a" * 40, COMMIT)), 1)

    def test_a_hook_is_installed_changed_and_removed(self):
        installed = self.call("ensure-hook", "octocat/hello", "https://hooks.example.com/hooks/whk_1", "hush")
        self.assertRegex(installed[0], r"^\d+ installed$")
        number = installed[0].split()[0]
        changed = self.call("ensure-hook", "octocat/hello", "https://hooks.example.com/hooks/whk_1", "hush", number)
        self.assertRegex(changed[0], r"^\d+ repaired$")
        self.call("remove-hook", "octocat/hello", number)
