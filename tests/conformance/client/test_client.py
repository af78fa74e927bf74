"""The public API alone is enough: a client that nobody here wrote, made from the server's reflection, builds an image."""

import json
import os
import subprocess
import unittest

from harness import npm, world

HERE = os.path.dirname(os.path.abspath(__file__))


class IndependentClientTest(world.WorldCase):

    def test_a_client_made_by_reflection_registers_a_credential_makes_a_rule_builds_and_reads_the_log(self):
        npm.install(HERE)
        repository = self.world.sample()
        repository.push()
        commit = repository.git("rev-parse", "HEAD")
        project = "independent"
        token = self.davit("tokens", "create", "--name", project, "--role", "admin", "--project", project)["token"]
        job = {
            "server": self.world.standalone.listen, "token": token, "registry": self.registry.host, "registry_user": "davit",
            "registry_password": self.world.standalone.secret("registry.password"), "git_url": self.world.git.url,
            "git_token": self.world.git.token, "repository": repository.name,
        }
        # Secrets go through a pipe.
        result = subprocess.run(["node", os.path.join(HERE, "client.mjs")], input=json.dumps(job), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, check=False, timeout=180, env={"PATH": os.environ["PATH"]})
        self.assertEqual(result.returncode, 0, result.stderr)
        got = json.loads(result.stdout)
        for service in ("davit.registry.v1.TokenRegistry", "davit.rules.v1.RuleEngine", "davit.scheduler.v1.Scheduler", "grpc.health.v1.Health"):
            self.assertIn(service, got["services"])
        self.assertEqual(got["refused"]["code"], "INVALID_ARGUMENT")
        self.assertIn("rule.trigger.branches", got["refused"]["details"])
        build = got["build"]
        self.assertEqual(build["state"], "BUILD_STATE_SUCCEEDED", got)
        self.assertEqual(build["project"], project)
        self.assertEqual(build["spec"]["git"]["commit"], commit)
        self.assertEqual(build["image_digest"], self.registry.digest(repository.name, f"by-{commit[:8]}"))
        self.assertEqual(got["states"][-1], "BUILD_STATE_SUCCEEDED")
        self.assertTrue(got["complete"])
        self.assertEqual(len(got["log"].encode()), int(build["attempts"][0]["log_size"]))
        self.assertIn("RUN sh generate.sh", got["log"])
        for secret in (token, job["registry_password"], job["git_token"]):
            self.assertNotIn(secret, result.stdout + result.stderr + self.world.standalone.program.output())


if __name__ == "__main__":
    unittest.main()
