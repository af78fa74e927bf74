"""GitHub's example payloads of every event, and GitLab's signed form, against a real gateway, rule-engine and token-registry."""

import json
import os
import subprocess
import unittest
import uuid

from conformance.webhooks import provider_api
from harness import npm, processes, webhooks, world

HERE = os.path.dirname(os.path.abspath(__file__))
COMMIT = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
GITLAB_PUSH = {
    "object_kind": "push", "event_name": "push", "before": "95790bf891e76fee5e1747ab589903a6a1f80f22", "after": COMMIT,
    "ref": "refs/heads/master", "ref_protected": True, "checkout_sha": COMMIT, "user_id": 4, "user_name": "John Smith",
    "user_username": "jsmith", "project_id": 15,
    "project": {"id": 15, "name": "Diaspora", "path_with_namespace": "mike/diaspora", "default_branch": "master"},
    "commits": [{"id": COMMIT, "message": "fixed readme\n", "title": "fixed readme", "author": {"name": "dev", "email": "dev@example.com"},
                 "added": ["CHANGELOG"], "modified": ["app/controller/application.rb"], "removed": []}],
    "total_commits_count": 4,
}


def deliver(**job):
    """Runs deliver.mjs; returns what it printed, one object per line. The secret goes through a pipe."""
    result = subprocess.run(["node", os.path.join(HERE, "deliver.mjs")], input=json.dumps(job), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, check=False, timeout=300, env={"PATH": os.environ["PATH"]})
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


class WebhookConformanceTest(unittest.TestCase):
    """Nothing is built here: there are no rules."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        npm.install(HERE)
        cls.directory = processes.temporary_directory("conf")
        cls.addClassCleanup(processes.remove_tree, cls.directory)
        cls.provider = provider_api.ProviderApi()
        cls.addClassCleanup(cls.provider.close)
        cls.standalone = world.Standalone(cls.directory, ["--buildkit=none", "--build_slots=0"], [cls.provider.host])
        cls.addClassCleanup(cls._stop)
        cls.standalone.start()
        cls.davit = cls.standalone.davit()
        token_file = os.path.join(cls.directory, "token")
        with open(token_file, "w", encoding="utf-8") as file:
            file.write("any\n")
        cls.hooks = {}
        for provider in ("github", "gitlab"):
            connection = cls.davit("connect", "create", "--provider", provider, "--name", provider, "--base-url",
                                   f"http://{cls.provider.host}", "--token-file", token_file)
            made = cls.davit("webhook", "create", connection["id"])
            cls.hooks[provider] = {"url": cls.standalone.webhook_url + made["path"], "secret": made["secret"]}

    @classmethod
    def _stop(cls):
        if cls.standalone.program is not None and cls.standalone.program.running():
            cls.standalone.stop()

    def _gitlab(self, **job):
        job = {"kind": "gitlab", "payload": GITLAB_PUSH, "id": str(uuid.uuid4()), "age": 0, "event": "Push Hook", "change": "",
               **self.hooks["gitlab"], **job}
        return deliver(**job)[0]

    def test_every_example_of_github_has_the_right_outcome(self):
        answers = deliver(kind="github", **self.hooks["github"])
        self.assertGreater(len(answers), 700)
        self.assertGreater(len({answer["event"] for answer in answers}), 50)
        taken = {}
        for answer in answers:
            with self.subTest(answer["name"]):
                if answer["event"] != "push":
                    self.assertEqual((answer["status"], answer["answer"]), (202, {"message": f"ignored: event {answer['event']}"}))
                elif answer["after"] == webhooks.ZERO:
                    self.assertEqual((answer["status"], answer["answer"]), (202, {"message": "ignored: ref deleted"}))
                else:
                    self.assertEqual(answer["status"], 200, answer)
                    taken[answer["answer"]["event"]] = answer
        self.assertGreater(len(taken), 5)
        self.assertEqual({event["id"] for event in self.davit.events("Codertocat/Hello-World")}, set(taken))
        for event_id, answer in taken.items():
            push = self.davit.event(event_id)["push"]
            self.assertEqual((push["ref"], push["after"]), (answer["ref"], answer["after"]))
        again = {answer["name"]: answer for answer in deliver(kind="github", **self.hooks["github"])}
        for event_id, answer in taken.items():
            self.assertEqual(again[answer["name"]]["answer"], {"event": event_id, "message": f"duplicate of event {event_id}"})

    def test_no_example_of_github_with_a_wrong_signature_is_taken(self):
        for answer in deliver(kind="github", wrong=True, **self.hooks["github"]):
            with self.subTest(answer["name"]):
                self.assertEqual((answer["status"], answer["answer"]), (401, {"error": "signature mismatch"}))

    def test_githubs_package_takes_the_signature_that_our_own_tests_make(self):
        signature = webhooks.signature("s3cret", b'{"zen":"ok"}')
        self.assertEqual(deliver(kind="verify", secret="s3cret", payload='{"zen":"ok"}', signature=signature), [{"verified": True}])

    def test_a_signed_push_of_gitlab_is_taken_once(self):
        first = self._gitlab(id="once")
        self.assertEqual(first["status"], 200, first)
        event = self.davit.event(first["answer"]["event"])
        self.assertEqual(event["delivery_id"], "once")
        self.assertEqual(event["push"]["after"], COMMIT)
        self.assertTrue(event["push"]["commits_truncated"])
        replayed = self._gitlab(id="once")
        self.assertEqual(replayed["answer"].get("message"), f"duplicate of event {first['answer']['event']}")

    def test_one_right_signature_of_several_is_enough(self):
        self.assertEqual(self._gitlab(change="several")["status"], 200)

    def test_signed_deliveries_that_are_not_genuine_are_refused(self):
        for change in ("body", "id", "signature"):
            with self.subTest(change):
                answer = self._gitlab(change=change)
                self.assertEqual((answer["status"], answer["answer"]), (401, {"error": "signature mismatch"}))
        answer = self._gitlab(secret="whsec_" + "QUJD" * 8)
        self.assertEqual((answer["status"], answer["answer"]), (401, {"error": "signature mismatch"}))

    def test_row_8_a_signed_delivery_of_ten_minutes_ago_is_refused(self):
        for age in (600, -600):
            answer = self._gitlab(age=age)
            self.assertEqual((answer["status"], answer["answer"]), (401, {"error": "timestamp outside 5 min"}))
        self.assertEqual(self._gitlab(age=240)["status"], 200)

    def test_other_signed_events_of_gitlab_are_ignored(self):
        answer = self._gitlab(event="Issue Hook", payload={"object_kind": "issue"})
        self.assertEqual((answer["status"], answer["answer"]), (202, {"message": "ignored: event Issue Hook"}))

    def test_the_same_secret_serves_as_gitlabs_plain_token(self):
        hook = self.hooks["gitlab"]
        headers = {"X-Gitlab-Event": "Push Hook", "Idempotency-Key": str(uuid.uuid4())}
        body = json.dumps(GITLAB_PUSH).encode()
        self.assertEqual(webhooks.post(hook["url"], body, {**headers, "X-Gitlab-Token": hook["secret"]})[0], 200)
        status, answer = webhooks.post(hook["url"], body, {**headers, "X-Gitlab-Token": "wrong"})
        self.assertEqual((status, json.loads(answer)), (401, {"error": "token mismatch"}))
        status, answer = webhooks.post(hook["url"], body, headers)
        self.assertEqual((status, json.loads(answer)), (401, {"error": "missing webhook-signature"}))

    def test_nothing_secret_is_logged(self):
        for hook in self.hooks.values():
            self.assertNotIn(hook["secret"], self.standalone.program.output())


if __name__ == "__main__":
    unittest.main()
