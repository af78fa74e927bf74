"""What is refused before anything is built. Rows of the bad-input list are named."""

import json
import os
import unittest
import uuid

from harness import cli, webhooks, world

HELLO = {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}


class WebhookTest(world.WorldCase):
    """Rows 1-7 and 9-12, over real HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.repository = cls.world.repository(HELLO)
        cls.repository.push()
        cls.commit = cls.repository.git("rev-parse", "HEAD")
        cls.url, cls.secret = cls.world.webhook(cls.repository, deliver=False)
        cls.payload = webhooks.github_push(cls.repository.name, "refs/heads/main", cls.commit)
        cls.body = json.dumps(cls.payload).encode()

    def _post(self, body, **headers):
        fixed = {"X-GitHub-Event": "push", "X-GitHub-Delivery": str(uuid.uuid4())}
        fixed.update({name.replace("_", "-"): value for name, value in headers.items()})
        return webhooks.post(self.url, body, fixed)

    def _refused(self, answer, status, text):
        self.assertEqual(answer[0], status, answer[1])
        self.assertIn(text, answer[1])
        self.assertNotIn(self.secret, answer[1])

    def test_row_1_without_signature(self):
        self._refused(self._post(self.body), 401, "missing X-Hub-Signature-256")

    def test_row_2_wrong_signature(self):
        self._refused(self._post(self.body, X_Hub_Signature_256=webhooks.signature("other", self.body)), 401, "signature mismatch")
        self._refused(self._post(self.body + b" ", X_Hub_Signature_256=webhooks.signature(self.secret, self.body)), 401,
                      "signature mismatch")

    def test_row_3_sha1_only(self):
        self._refused(self._post(self.body, X_Hub_Signature="sha1=" + "0" * 40), 401, "sha256 signature required")

    def test_row_4_26_megabytes(self):
        body = b" " * (26 * 1024 * 1024)
        try:
            answer = self._post(body, X_Hub_Signature_256=webhooks.signature(self.secret, body))
        except (BrokenPipeError, ConnectionResetError):
            self.fail("the connection was closed before the answer could be read")
        except OSError as error:
            self.fail(f"no answer: {error}")
        self._refused(answer, 413, "body over 25 MiB")

    def test_row_5_truncated_json(self):
        body = self.body[:-10]
        self._refused(self._post(body, X_Hub_Signature_256=webhooks.signature(self.secret, body)), 400, "invalid JSON at byte ")

    def test_row_6_nested_10000_deep(self):
        body = b"[" * 10000 + b"]" * 10000
        self._refused(self._post(body, X_Hub_Signature_256=webhooks.signature(self.secret, body)), 400, "nesting over 64")

    def test_row_9_an_unknown_event_type(self):
        status, body = webhooks.deliver_github(self.url, self.secret, {"zen": "x"}, event="watch")
        self.assertEqual(status, 202, body)
        self.assertIn("ignored: event watch", body)

    def test_row_10_a_deleted_branch(self):
        deleted = webhooks.github_push(self.repository.name, "refs/heads/gone", webhooks.ZERO, before=self.commit)
        status, body = webhooks.deliver_github(self.url, self.secret, deleted)
        self.assertEqual(status, 202, body)
        self.assertIn("ignored: ref deleted", body)

    def test_row_11_an_unknown_hook_looks_like_an_inaccessible_one(self):
        unknown = webhooks.post(self.world.standalone.webhook_url + "/hooks/whk_" + "0" * 26, self.body,
                                {"X-GitHub-Event": "push", "X-Hub-Signature-256": webhooks.signature(self.secret, self.body)})
        malformed = webhooks.post(self.world.standalone.webhook_url + "/hooks/nothing", self.body, {"X-GitHub-Event": "push"})
        other = webhooks.github_push("team/other", "refs/heads/main", self.commit)
        foreign = webhooks.deliver_github(self.url, self.secret, other)
        self.assertEqual(unknown[0], 404, unknown)
        self.assertEqual(malformed, unknown)
        self.assertEqual(foreign, unknown)

    def test_row_12_a_ref_that_is_an_option(self):
        payload = webhooks.github_push(self.repository.name, "refs/heads/--upload-pack=x", self.commit)
        self._refused(webhooks.deliver_github(self.url, self.secret, payload), 400, "invalid ref")

    def test_a_refused_delivery_leaves_no_event(self):
        before = len(self.davit.events(self.repository.name))
        self._post(self.body)
        self._post(self.body, X_Hub_Signature_256="sha256=" + "0" * 64)
        self.assertEqual(len(self.davit.events(self.repository.name)), before)


class RequestTest(world.WorldCase):
    """Rows 13, 20, 22, 25, 26: refused by the API."""

    def _build(self, *flags, image=None):
        return self.davit.fails("build", "--connection", self.world.connection["id"], "--repository", "team/any", "--branch", "main",
                                "--image", image or f"{self.registry.host}/bad/input", *flags)

    def test_row_13_a_dockerfile_path_that_leaves_the_repository(self):
        message = self._build("--file", "../../etc/passwd")
        self.assertIn("INVALID_ARGUMENT", message)
        self.assertIn("dockerfile_path: path leaves the repository", message)

    def test_row_13_a_context_directory_that_leaves_the_repository(self):
        self.assertIn("context_dir: path leaves the repository", self._build("--context", "a/../../.."))

    def test_row_20_addresses_that_are_not_allowed(self):
        for host in ("http://169.254.169.254", "https://10.0.0.1", "https://127.0.0.1", "https://100.64.0.1", "https://[fd00::1]",
                     "https://[::ffff:10.0.0.1]"):
            with self.subTest(host):
                message = self.davit.fails("connect", "create", "--provider", "git", "--name", f"x{uuid.uuid4().hex[:8]}",
                                           "--base-url", host, "--token-file", self.world.git.token_file)
                self.assertIn("INVALID_ARGUMENT", message)
                self.assertIn("base_url: address not allowed", message)

    def test_row_22_schemes_that_are_not_allowed(self):
        for url in ("file:///etc", "ext::sh -c id", "ssh://-oProxyCommand=id/x", "git://example.com"):
            with self.subTest(url):
                message = self.davit.fails("connect", "create", "--provider", "git", "--name", f"x{uuid.uuid4().hex[:8]}",
                                           "--base-url", url, "--token-file", self.world.git.token_file)
                self.assertIn("INVALID_ARGUMENT", message)
                self.assertIn("base_url: scheme not allowed", message)

    def test_row_25_an_image_reference_that_is_none(self):
        for image in ("UPPER/..:x y", f"{self.registry.host}/Upper/case", f"{self.registry.host}/a/../b"):
            with self.subTest(image):
                message = self._build(image=image)
                self.assertIn("INVALID_ARGUMENT", message)
                self.assertIn("invalid image reference", message)

    def test_row_25_a_tag_that_is_none(self):
        self.assertIn("INVALID_ARGUMENT", self._build("--image-tag", "x y"))

    def test_row_26_patterns_that_are_rejected_when_the_rule_is_saved(self):
        for pattern in ("re:(unclosed", "re:(a{1000}){1000}"):
            with self.subTest(pattern):
                message = self.davit.fails("rule", "create", "--name", f"r{uuid.uuid4().hex[:8]}", "--connection",
                                           self.world.connection["id"], "--repository", "team/any", "--branch", pattern, "--image",
                                           f"{self.registry.host}/bad/input", "--image-tag", "latest")
                self.assertIn("INVALID_ARGUMENT", message)
                self.assertIn("pattern rejected: ", message)

    def test_a_wrong_token_of_a_connection_is_refused_when_it_is_made(self):
        path = os.path.join(self.world.directory, "wrong.token")
        with open(path, "w", encoding="utf-8") as file:
            file.write("not-the-token-4711\n")
        message = self.davit.fails("connect", "create", "--provider", "git", "--name", "wrong", "--base-url", self.world.git.url,
                                   "--token-file", path, "--probe-repository", "probe/probe")
        self.assertIn(f"credential rejected by {self.world.git.host} (401)", message)
        self.assertNotIn("not-the-token-4711", message)


class IdentityTest(world.WorldCase):
    """Every call needs a token."""

    def _with_token(self, text):
        path = os.path.join(self.world.directory, f"token-{uuid.uuid4().hex}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return cli.Davit(self.world.standalone.listen, path)

    def test_a_call_with_an_unknown_token_is_refused(self):
        message = self._with_token("dvt_" + "A" * 43).fails("builds")
        self.assertIn("UNAUTHENTICATED", message)

    def test_an_agents_token_can_do_an_agents_work_only(self):
        agent = self._with_token(self.world.standalone.secret("agent.token"))
        self.assertIn("PERMISSION_DENIED", agent.fails("builds"))
        self.assertIn("PERMISSION_DENIED", agent.fails("connect", "list"))


if __name__ == "__main__":
    unittest.main()
