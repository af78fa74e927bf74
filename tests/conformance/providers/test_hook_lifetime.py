"""Installed webhooks go with what they were for: with a repository's last rule, and with the connection."""

import os
import unittest

from conformance.gitlab.fake_gitlab import TOKEN, FakeGitLab
from harness import processes, world


class HookLifetimeTest(unittest.TestCase):
    """A whole davit-standalone beside the stateful GitLab."""

    @classmethod
    def setUpClass(cls):
        cls.gitlab = FakeGitLab()
        cls.addClassCleanup(cls.gitlab.stop)
        cls.directory = processes.temporary_directory("hooks")
        cls.addClassCleanup(processes.remove_tree, cls.directory)
        cls.token_file = os.path.join(cls.directory, "token")
        with open(cls.token_file, "w", encoding="utf-8") as file:
            file.write(f"{TOKEN}\n")
        cls.standalone = world.Standalone(cls.directory, ["--buildkit=none", "--build_slots=0",
                                                          "--webhook_public_url=https://hooks.example.com"],
                                          [cls.gitlab.url.removeprefix("http://")])
        cls.addClassCleanup(cls.standalone.stop)
        cls.standalone.start()
        cls.davit = cls.standalone.davit()

    def connect(self, name):
        return self.davit("connect", "create", "--provider", "gitlab", "--name", name, "--base-url", self.gitlab.url, "--token-file",
                          self.token_file)["id"]

    def rule(self, connection, name, repository):
        return self.davit("rule", "create", "--name", name, "--connection", connection, "--repository", repository, "--branch", "main",
                          "--image", f"{self.standalone.registry_host}/team/app", "--image-tag", f"{name}-{{branch}}")["id"]

    def installed(self):
        return sum(len(hooks) for hooks in self.gitlab.hooks.values())

    def listed(self, connection):
        """The repositories of the webhooks that Davit knows; one is forgotten after it was removed at the provider."""
        return [hook["repository"] for hook in self.davit("webhook", "list", "--connection", connection).get("webhooks", [])]

    def test_a_webhook_goes_with_the_last_rule_of_its_repository(self):
        connection = self.connect("rules")
        one, other = self.rule(connection, "one", "team/app"), self.rule(connection, "other", "team/app")
        self.davit("webhook", "ensure", connection, "--repository", "team/app")
        self.davit("webhook", "ensure", connection, "--repository", "team/tool")
        self.assertEqual(self.installed(), 2)
        self.davit.text("rule", "delete", one)
        self.davit.text("rule", "delete", other)
        # One that never had a rule stays.
        processes.wait_until(lambda: self.listed(connection) == ["team/tool"], 30, "the webhook of team/app is removed")
        self.assertEqual(self.installed(), 1)
        self.davit.text("connect", "delete", connection)
        self.assertEqual(self.installed(), 0, "the rest goes with the connection")

    def test_a_webhook_stays_as_long_as_a_rule_needs_it(self):
        connection = self.connect("stays")
        gone, kept = self.rule(connection, "gone", "team/app"), self.rule(connection, "kept", "Team/App")
        self.davit("webhook", "ensure", connection, "--repository", "team/app")
        before = self.installed()
        self.davit.text("rule", "delete", gone)
        # The release of a second rule, of another repository, is done after that of the first.
        marker = self.rule(connection, "marker", "team/sub/lib")
        self.davit("webhook", "ensure", connection, "--repository", "team/sub/lib")
        self.davit.text("rule", "delete", marker)
        processes.wait_until(lambda: self.listed(connection) == ["team/app"], 30, "the marker's webhook is removed")
        self.assertEqual(self.installed(), before)
        self.davit.text("rule", "delete", kept)
        processes.wait_until(lambda: self.installed() == before - 1, 30, "the last webhook is removed")


if __name__ == "__main__":
    unittest.main()
