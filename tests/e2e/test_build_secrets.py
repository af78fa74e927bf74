"""Secrets of the project in RUN steps: usable, by reference, and a clear word when they are not there. That they show nowhere is in
test_secrets.py."""

import hashlib
import secrets
import unittest

from harness import world


class BuildSecretsTest(world.WorldCase):

    def _secret(self, value):
        """Stores a secret; returns its name."""
        name = f"s{secrets.token_hex(4)}"
        shown = self.davit("secret", "create", name, "--from-file", "-", stdin=value)
        self.assertEqual((shown["name"], shown["version"]), (name, "1"))
        return name

    def _repository(self, step):
        return self.world.repository({"Dockerfile": f"ARG REGISTRY\nFROM ${{REGISTRY}}/base/busybox:latest\n{step}\n"})

    def test_a_step_uses_it_and_a_new_value_is_used_by_the_next_build(self):
        value = f"first-{secrets.token_hex(16)}\nand a second line\n"
        name = self._secret(value)
        repository = self._repository("ARG N\nRUN --mount=type=secret,id=npm,required=true sha256sum /run/secrets/npm && sed -n 2p /run/secrets/npm\n"
                                      "RUN test ! -e /run/secrets/npm")
        self.world.rule(repository, "--secret", f"npm={name}")
        self.world.webhook(repository)
        build = self.world.push_and_build(repository, repository.git("rev-parse", "HEAD"))
        self.assert_succeeded(build)
        log = self.davit.log(build["id"])
        self.assertIn(hashlib.sha256(value.encode()).hexdigest(), log)
        self.assertNotIn("and a second line", log)

        other = f"second-{secrets.token_hex(16)}"
        self.assertEqual(self.davit("secret", "update", name, "--from-file", "-", stdin=other)["version"], "2")
        # BuildKit's cache does not look at a secret's value.
        again = self.davit("build", "--connection", self.world.connection["id"], "--repository", repository.name, "--branch", "main", "--image",
                           self.world.image(repository), "--build-arg", f"REGISTRY={self.registry.host}", "--build-arg", "N=2",
                           "--secret", f"npm={name}")
        build = self.davit.wait_build(again["id"])
        self.assert_succeeded(build)
        self.assertIn(hashlib.sha256(other.encode()).hexdigest(), self.davit.log(build["id"]))

    def test_only_what_the_rule_names_is_there(self):
        name = self._secret("not-for-this-build")
        repository = self._repository(f"RUN --mount=type=secret,id={name},required=true cat /run/secrets/{name}")
        self.world.rule(repository)
        self.world.webhook(repository)
        build = self.world.push_and_build(repository, repository.git("rev-parse", "HEAD"))
        self.assertEqual(build["state"], "BUILD_STATE_FAILED")
        self.assertEqual(build["failure"]["failure_class"], "FAILURE_CLASS_USER", build["failure"])

    def test_one_that_is_not_there_is_refused_when_saved_and_named_when_it_is_gone_later(self):
        repository = self._repository("RUN true")
        self.assertIn('rule.recipe.secrets[0].secret: no secret "nowhere"',
                      self.davit.fails("rule", "create", "--name", "r", "--connection", self.world.connection["id"], "--repository", repository.name,
                                       "--image", self.world.image(repository), "--image-tag", "x", "--secret", "nowhere"))
        name = self._secret("short lived")
        self.world.rule(repository, "--secret", name)
        self.world.webhook(repository)
        self.davit("secret", "delete", name)
        self.assertIn(f'no secret "{name}"', self.davit.fails("secret", "delete", name))
        build = self.world.push_and_build(repository, repository.git("rev-parse", "HEAD"))
        self.assertEqual(build["state"], "BUILD_STATE_FAILED")
        self.assertEqual(build["failure"]["failure_class"], "FAILURE_CLASS_USER", build["failure"])
        self.assertIn(f'no secret "{name}"', build["failure"]["message"])
        repository.push()
        self.assertIn(f'spec.recipe.secrets[0].secret: no secret "{name}"',
                      self.davit.fails("build", "--connection", self.world.connection["id"], "--repository", repository.name, "--branch", "main",
                                       "--image", self.world.image(repository), "--secret", name))


if __name__ == "__main__":
    unittest.main()
