"""Pushes whose webhook never came, and pushes whose webhook does not say all."""

import json
import os
import threading
import unittest
from http import server

from harness import git, processes, webhooks, world

BEFORE, AFTER = "b" * 40, "a" * 40


class CompareApi:
    """As much of GitHub's and GitLab's APIs as a connection and the comparison of two commits need."""

    def __init__(self):
        self.files, self.asked, self.status = ["docs/guide.md"], [], 200
        api = self

        class Handler(server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                status, answer = api.answer(self.path)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):  # pylint: disable=arguments-differ
                pass

        self._server = server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path):
        if path in ("/api/v3/user", "/api/v4/user"):
            return 200, {"login": "octocat", "username": "tanuki"}
        if path == "/api/v4/personal_access_tokens/self":
            return 200, {"scopes": ["api"]}
        if "/compare" not in path:
            return 404, {"message": "Not Found"}
        self.asked.append(path)
        return self.status, {"status": "ahead", "files": [{"filename": name} for name in self.files], "compare_timeout": False,
                             "diffs": [{"old_path": name, "new_path": name} for name in self.files]}

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class MissedPushTest(unittest.TestCase):
    """On a davit-standalone of its own that compares refs every second and leaves what it builds in the queue."""

    @classmethod
    def setUpClass(cls):
        cls.directory = processes.temporary_directory("missed")
        cls.addClassCleanup(processes.remove_tree, cls.directory)
        cls.git = git.GitServer(os.path.join(cls.directory, "git"))
        cls.addClassCleanup(cls.git.stop)
        cls.api = CompareApi()
        cls.addClassCleanup(cls.api.close)
        cls.standalone = world.Standalone(cls.directory, ["--buildkit=none", "--build_slots=0", "--reconcile_interval=1s",
                                                          "--webhook_rate=0.001", "--webhook_burst=8"], [cls.git.host, cls.api.host])
        cls.standalone.start()
        cls.addClassCleanup(cls.standalone.stop)
        cls.davit = cls.standalone.davit()
        repository = cls.git.create_repository("team/app")
        repository.commit({"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
        repository.push()
        cls.repository = repository
        cls.connection = cls.davit("connect", "create", "--provider", "git", "--name", "git", "--base-url", cls.git.url,
                                   "--token-file", cls.git.token_file, "--probe-repository", "team/app")
        token = os.path.join(cls.directory, "token")
        with open(token, "w", encoding="utf-8") as file:
            file.write("any\n")
        cls.hub, cls.lab = (cls.davit("connect", "create", "--provider", provider, "--name", provider, "--base-url", f"http://{cls.api.host}",
                                      "--token-file", token) for provider in ("github", "gitlab"))

    def setUp(self):
        self.api.files, self.api.asked, self.api.status = [], [], 200

    def rule(self, name, connection, repository, *flags):
        return self.davit("rule", "create", "--name", name, "--connection", connection["id"], "--repository", repository, "--branch", "**",
                          "--tag", "**", "--image", f"{self.standalone.registry_host}/{repository}", "--image-tag", "{commit:7}", *flags)

    def sql(self, statement):
        return processes.run(["psql", "-qAt", "-h", self.standalone.postgres_socket, "-U", "postgres", "-d", "davit", "-c", statement]).strip()

    def test_a_push_whose_webhook_never_came_is_found_and_built_once(self):
        self.rule("reconciled", self.connection, "team/app")
        processes.wait_until(lambda: self.sql("select count(*) from rule_engine.repository_watches where look_time is not null "
                                              "and repository = 'team/app'") == "1", 30, "the first look at the repository")
        self.assertEqual(self.davit.events("team/app"), [], "what was there before the rule is not built")
        self.repository.commit({"more": "1\n"})
        self.repository.push()  # nobody is told
        commit = self.repository.git("rev-parse", "HEAD")
        events = processes.wait_until(lambda: self.davit.events("team/app"), 30, "the push is found")
        event = self.davit.wait_event(events[0]["id"])
        self.assertEqual((event["kind"], event["push"]["ref"], event["push"]["after"]), ("KIND_RECONCILED", "refs/heads/main", commit))
        self.assertEqual(event["explanations"][0]["reason"], "REASON_MATCHED")
        build = processes.wait_until(lambda: self.davit.builds("team/app"), 10, "the build")[0]
        self.assertEqual((build["state"], build["origin"]["event_id"]), ("BUILD_STATE_QUEUED", event["id"]))
        # The webhook that comes after all makes no second build.
        hook = self.davit("webhook", "create", self.connection["id"])
        status, body = webhooks.deliver_github(self.standalone.webhook_url + hook["path"], hook["secret"],
                                               webhooks.github_push("team/app", "refs/heads/main", commit))
        self.assertEqual(status, 200, body)
        late = self.davit.wait_event(json.loads(body)["event"])
        self.assertEqual(late["explanations"][0]["reason"], "REASON_ALREADY_BUILT")
        self.assertEqual(len(self.davit.builds("team/app")), 1)

    def deliver_rewritten(self, hook, repository, after):
        """A push that rewrote history, of which the payload does not say what it changed."""
        payload = webhooks.github_push(repository, "refs/heads/main", after, before=BEFORE, forced=True,
                                       commits=[{"id": after, "message": "x", "added": [], "removed": [], "modified": ["README.md"]}])
        return self.explained(webhooks.deliver_github(self.standalone.webhook_url + hook["path"], hook["secret"], payload))

    def explained(self, answer):
        """What the only rule made of a delivery."""
        status, body = answer
        self.assertEqual(status, 200, body)
        event = self.davit.wait_event(json.loads(body)["event"])
        self.assertEqual(len(event["explanations"]), 1, event)
        return event["explanations"][0]["reason"], event["explanations"][0]["detail"]

    def test_the_provider_is_asked_what_a_push_changed_when_its_webhook_does_not_say(self):
        self.rule("filtered", self.hub, "team/lib", "--path", "src/")
        hook = self.davit("webhook", "create", self.hub["id"])
        self.api.files = ["docs/guide.md"]
        self.assertEqual(self.deliver_rewritten(hook, "team/lib", f"{1:040x}")[0], "REASON_PATHS_NOT_MATCHED")
        self.assertIn(f"{BEFORE}...{1:040x}", self.api.asked[-1])
        self.api.files = ["docs/guide.md", "src/main.c"]
        reason, detail = self.deliver_rewritten(hook, "team/lib", f"{2:040x}")
        self.assertEqual(reason, "REASON_MATCHED")
        self.assertIn("src/main.c changed", detail)
        self.api.status = 404
        reason, detail = self.deliver_rewritten(hook, "team/lib", f"{3:040x}")
        self.assertEqual(reason, "REASON_MATCHED", "a push is not lost because its provider cannot tell")
        self.assertIn("built whatever changed", detail)
        self.assertIn("the provider could not be asked", detail)

    def test_every_form_of_a_push_to_github(self):
        self.rule("forms", self.hub, "team/forms", "--path", "src/")
        hook = self.davit("webhook", "create", self.hub["id"])

        def push(ref, number, paths=None, commits=1, **more):
            after = more.pop("after", f"{number:040x}")
            listed = [{"id": f"{number * 4096 + i:040x}" if i < commits - 1 else after, "message": "x", "added": [], "removed": [],
                       "modified": paths} for i in range(commits)] if paths else []
            payload = webhooks.github_push("team/forms", ref, after, commits=listed, **more)
            return webhooks.deliver_github(self.standalone.webhook_url + hook["path"], hook["secret"], payload)

        self.assertEqual(self.explained(push("refs/heads/new", 1, ["docs/a"]))[0], "REASON_PATHS_NOT_MATCHED")
        reason, detail = self.explained(push("refs/heads/at-an-old-commit", 2))
        self.assertEqual((reason, "the push names no paths" in detail), ("REASON_MATCHED", True), detail)
        self.assertEqual(self.explained(push("refs/tags/v1", 3))[0], "REASON_MATCHED")
        self.assertEqual(push("refs/heads/gone", 0, after=webhooks.ZERO, before=BEFORE)[0], 202)
        # Several refs at once are as many deliveries.
        for ref in ("refs/heads/one", "refs/heads/two"):
            self.assertEqual(self.explained(push(ref, 4, ["src/a"]))[0], "REASON_MATCHED")
        built = [build["spec"]["git"]["ref"] for build in self.davit.builds("team/forms") if build["spec"]["git"]["commit"] == f"{4:040x}"]
        self.assertEqual(sorted(built), ["refs/heads/one", "refs/heads/two"])
        self.assertEqual(self.api.asked, [])
        # GitHub lists 2,048 commits and does not say whether there are more.
        self.api.files = ["src/b"]
        reason, detail = self.explained(push("refs/heads/main", 5, ["docs/a"], commits=2048, before=BEFORE))
        self.assertEqual((reason, "src/b changed" in detail), ("REASON_MATCHED", True), detail)
        self.assertEqual(len(self.api.asked), 1)

    def test_a_push_of_more_commits_than_gitlab_lists(self):
        self.rule("lab", self.lab, "team/lab", "--path", "src/")
        hook = self.davit("webhook", "create", self.lab["id"])

        def push(number, files):
            self.api.files = files
            after = f"{number:040x}"
            payload = {"object_kind": "push", "ref": "refs/heads/main", "before": BEFORE, "after": after, "checkout_sha": after,
                       "user_username": "tanuki", "project": {"path_with_namespace": "team/lab"}, "total_commits_count": 25,
                       "commits": [{"id": f"{number * 100 + i:040x}", "message": "x", "author": {"name": "n", "email": "e"}, "added": [],
                                    "modified": ["docs/a"], "removed": []} for i in range(20)]}
            return self.explained(webhooks.post(self.standalone.webhook_url + hook["path"], json.dumps(payload).encode(),
                                                {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": hook["secret"]}))

        self.assertEqual(push(1, ["docs/b"])[0], "REASON_PATHS_NOT_MATCHED")
        self.assertEqual(push(2, ["src/b"])[0], "REASON_MATCHED")
        self.assertIn(f"from={BEFORE}&to={2:040x}&straight=true", self.api.asked[-1])

    def test_a_webhooks_rate_is_what_the_flags_say(self):
        hook = self.davit("webhook", "create", self.hub["id"])
        url = self.standalone.webhook_url + hook["path"]
        push = webhooks.github_push("team/other", "refs/heads/main", AFTER)
        for _ in range(8):
            self.assertEqual(webhooks.deliver_github(url, hook["secret"], push)[0], 200)
        status, body = webhooks.deliver_github(url, hook["secret"], push)
        self.assertEqual(status, 429, body)


if __name__ == "__main__":
    unittest.main()
