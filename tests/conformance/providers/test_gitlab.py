"""What Davit does at GitLab is what an independent client sees there; and that client accepts the fake that Davit is tested on."""

import json
import os
import unittest

from harness.processes import run
from conformance.gitlab.fake_gitlab import BEFORE, COMMIT, FakeGitLab
from . import driver

HOOK = "https://hooks.example.com/hooks/whk_1"


class GitLabTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.script = os.path.join(driver.install_packages("gitlab"), "client.mjs")

    def setUp(self):
        self.gitlab = FakeGitLab()
        self.addCleanup(self.gitlab.stop)

    def call(self, *arguments):
        code, lines, said = driver.call("gitlab", self.gitlab.url, *arguments)
        self.assertEqual(code, 0, said)
        return lines

    def refused(self, *arguments):
        code, _, said = driver.call("gitlab", self.gitlab.url, *arguments)
        self.assertNotEqual(code, 0)
        return said

    def client(self, *words):
        """What the independent client sees."""
        return json.loads(run(["node", self.script, self.gitlab.url, *words]))

    def mark(self, state, context="davit/main"):
        return self.call("status", "team/app", COMMIT, str(state), context, "refs/heads/main", "https://davit.example.com/b")

    def test_the_account_is_the_clients(self):
        self.assertEqual(self.call("verify"), [self.client("user")["username"]])
        self.assertEqual(self.client("token")["scopes"], ["api"])

    def test_a_status_goes_from_pending_to_success(self):
        for state, word in ((1, "pending"), (2, "running"), (3, "success")):
            self.mark(state)
            seen = self.client("statuses", "team/app", COMMIT)
            self.assertEqual([(status["name"], status["status"], status["ref"]) for status in seen], [("davit/main", word, "main")])
        self.assertEqual(seen[0]["target_url"], "https://davit.example.com/b")

    def test_a_state_that_is_shown_already_is_no_error(self):
        self.mark(2)
        self.mark(2)
        self.mark(1)
        self.assertEqual(self.client("statuses", "team/app", COMMIT)[0]["status"], "running")

    def test_failures_and_cancellations_have_gitlabs_words(self):
        for state, word in ((4, "failed"), (5, "failed"), (6, "canceled")):
            self.mark(state, f"davit/{state}")
        self.assertEqual([status["status"] for status in self.client("statuses", "team/app", COMMIT)], ["failed", "failed", "canceled"])

    def test_contexts_and_the_clients_statuses_stay_apart(self):
        self.client("set-status", "team/app", COMMIT, "running")
        self.mark(3)
        self.assertEqual({status["name"]: status["status"] for status in self.client("statuses", "team/app", COMMIT)},
                         {"other": "running", "davit/main": "success"})

    def test_refusals(self):
        self.assertIn("(404)", self.refused("status", "team/gone", COMMIT, "1", "davit/main"))
        self.assertIn("(404)", self.refused("status", "team/app", "f" * 40, "1", "davit/main"))
        self.gitlab.limited = 1
        self.assertIn("limits requests; try again in 7s", self.refused("status", "team/app", COMMIT, "1", "davit/main"))

    def test_projects_come_in_pages_and_are_searched(self):
        seen = [project["path_with_namespace"] for project in self.client("projects", "app")]
        self.assertEqual([line.split()[0] for line in self.call("repositories", "app", "", "1")], seen)
        self.assertEqual(len(self.call("repositories", "", "", "2")), 4)
        self.assertEqual(self.call("repositories", "", "team/sub"), ["team/sub/lib main private"])

    def test_changed_paths_are_those_that_the_client_sees(self):
        seen = self.client("compare", "team/app", BEFORE, COMMIT)["diffs"]
        self.assertEqual(self.call("changed-paths", "team/app", BEFORE, COMMIT),
                         sorted({path for diff in seen for path in (diff["old_path"], diff["new_path"])}))
        self.gitlab.compare_timeout = True
        self.assertIn("incomplete: GitLab cut the comparison short", self.call("changed-paths", "team/app", BEFORE, COMMIT))
        self.assertIn("(404)", self.refused("changed-paths", "team/app", "f" * 40, COMMIT))

    def test_groups(self):
        self.assertEqual(self.call("organizations"), [group["full_path"] for group in self.client("groups")])

    def test_a_hook_is_installed_once_repaired_and_removed(self):
        self.client("add-hook", "team/app", "https://example.com/other")
        number, change = self.call("ensure-hook", "team/app", HOOK, "hush")[0].split()
        self.assertEqual(change, "installed")
        self.assertEqual(self.gitlab.tokens[int(number)], "hush")
        self.assertEqual(self.call("ensure-hook", "team/app", HOOK, "hush", number), [f"{number} none"])
        self.client("break-hook", "team/app", number)
        self.assertEqual(self.call("ensure-hook", "team/app", HOOK, "hush", number), [f"{number} repaired"])
        # One whose id was lost is found by its address.
        self.assertEqual(self.call("ensure-hook", "team/app", HOOK, "hush"), [f"{number} none"])
        seen = {hook["url"]: hook for hook in self.client("hooks", "team/app")}
        self.assertEqual(len(seen), 2)
        self.assertTrue(seen[HOOK]["push_events"] and seen[HOOK]["tag_push_events"] and seen[HOOK]["enable_ssl_verification"])
        self.call("remove-hook", "team/app", number)
        self.call("remove-hook", "team/app", number)
        self.assertEqual([hook["url"] for hook in self.client("hooks", "team/app")], ["https://example.com/other"])
