"""Rules as a user keeps them: what they leave out, tried before they are trusted, kept in a file, looked at again."""

import unittest

from harness import webhooks, world

COMMIT = "c0ffee" * 6 + "c0ff"


def commit(identity, message="a change", modified=(), author="Someone"):
    """A commit of GitHub's push payload."""
    return {"id": identity, "message": message, "author": {"name": author, "email": "someone@example.org"},
            "added": [], "modified": list(modified), "removed": []}


class RulesTest(world.WorldCase):

    def deliver(self, repository, hook, number, ref="refs/heads/main", **details):
        """Delivers a push of one commit; returns the event once the rules have looked at it."""
        identity = f"{number:040x}"
        payload = webhooks.github_push(repository.name, ref, identity, before=COMMIT, commits=[commit(identity, **details)])
        status, body = webhooks.deliver_github(*hook, payload)
        self.assertEqual(status, 200, body)
        newest = self.davit("events", "--repository", repository.name, "--limit", "1")["events"][0]["id"]
        return self.davit.wait_event(newest)

    def reason(self, event):
        self.assertEqual(len(event["explanations"]), 1, event)
        return event["explanations"][0]["reason"]

    def test_what_a_rule_leaves_out_is_explained(self):
        repository = self.world.repository()
        self.world.rule(repository, "--exclude-branch", "wip/**", "--path", "src/", "--exclude-path", "**/*.md",
                        "--exclude-author", "*[bot]", branches=("**",))
        hook = self.world.webhook(repository, deliver=False)
        for number, expected, details in (
                (1, "REASON_REF_EXCLUDED", {"ref": "refs/heads/wip/x", "modified": ["src/a"]}),
                (2, "REASON_PATHS_NOT_MATCHED", {"modified": ["docs/a", "src/README.md"]}),
                (3, "REASON_AUTHOR_NOT_MATCHED", {"modified": ["src/a"], "author": "renovate[bot]"}),
                (4, "REASON_SKIP_MARK", {"modified": ["src/a"], "message": "typo [skip ci]"})):
            event = self.deliver(repository, hook, number, **details)
            self.assertEqual(self.reason(event), expected, event)
        self.assertEqual(self.davit.builds(repository.name), [])
        found = self.davit("events", "--repository", repository.name, "--ref", "wip/x")["events"]
        self.assertEqual([event["push"]["ref"] for event in found], ["refs/heads/wip/x"])

    def test_a_rule_is_tried_kept_in_a_file_and_applied_once(self):
        repository = self.world.repository()
        hook = self.world.webhook(repository, deliver=False)
        event = self.deliver_unmatched(repository, hook)
        document = (f"rules:\n  - display_name: file {repository.name}\n    connection_id: {self.world.connection['id']}\n"
                    f"    repository: {repository.name}\n    trigger: {{branches: [main], paths: [src/]}}\n"
                    f"    destination: {{repository: {self.world.image(repository)}}}\n    tag_templates: ['{{commit:7}}']\n")
        tried = self.davit("rule", "simulate", "-f", "-", stdin=document)["simulations"]
        self.assertEqual([(trial["event_id"], trial.get("would_build")) for trial in tried], [(event["id"], True)])
        self.assertEqual(tried[0]["explanation"]["tags"], [f"{11:040x}"[:7]])
        self.assertIn("nothing was changed", self.davit.text("rule", "apply", "-f", "-", stdin=document))
        self.assertIn("made 1 change", self.davit.text("rule", "apply", "-f", "-", "--yes", stdin=document))
        self.assertIn("nothing to change", self.davit.text("rule", "apply", "-f", "-", "--yes", stdin=document))
        rule = self.davit("rule", "list", "--repository", repository.name)["rules"][0]
        exported = self.davit.text("rule", "export", rule["id"])
        self.assertIn("nothing to change", self.davit.text("rule", "apply", "-f", "-", stdin=exported))

    def deliver_unmatched(self, repository, hook):
        """A push of src/a that no rule is there for yet."""
        event = self.deliver(repository, hook, 11, modified=["src/a"])
        self.assertIn("no rule", event["detail"])
        return event

    def test_a_replayed_event_builds_what_matches_now(self):
        repository = self.world.repository({"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
        self.world.webhook(repository)
        repository.push()
        event = self.davit.wait_event(self.davit.events(repository.name)[0]["id"])
        self.assertEqual(event.get("explanations", []), [])
        self.world.rule(repository)
        self.davit("events", "replay", event["id"])
        event = self.davit.wait_event(event["id"])
        self.assertEqual(self.reason(event), "REASON_MATCHED")
        self.assert_succeeded(self.davit.wait_build(event["explanations"][0]["build_id"]))
        self.davit("events", "replay", event["id"])
        self.assertEqual(len(self.davit.builds(repository.name)), 1)


if __name__ == "__main__":
    unittest.main()
