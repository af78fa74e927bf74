"""Services and their database that die in mid-build: nothing is lost, and the log is whole."""

import os
import signal
import time
import unittest

from chaos import fleet
from harness import processes


class ServiceTest(fleet.FleetCase):

    def _build_while(self, disturb):
        """Starts a build, calls `disturb` in the middle of it, and checks that it ended as if nothing had happened."""
        self.fleet.agent("steady")
        repository = self.slow_repository()
        repository.push()
        build_id = self.fleet.build(repository, "--image-tag", "done")
        self.started(build_id)
        disturb()
        build = self.davit.wait_build(build_id, timeout=120)
        self.assert_ended_once(build)
        self.assert_whole_log(build)
        self.assertEqual(self.registry.digest(repository.name, "done"), build["image_digest"])
        return build

    def test_the_scheduler_killed_and_started_again(self):
        def disturb():
            self.fleet.services["scheduler"].kill()
            time.sleep(1)
            self.fleet.services["scheduler"].start()
        build = self._build_while(disturb)
        self.assertEqual(len(build["attempts"]), 1, "the agent kept its lease")

    def test_the_token_registry_killed_and_started_again(self):
        def disturb():
            self.fleet.services["token-registry"].kill()
            time.sleep(1)
            self.fleet.services["token-registry"].start()
        self._build_while(disturb)

    def test_postgresql_restarted(self):
        def disturb():
            record = os.path.join(self.fleet.engines.data, "run/postgres.process")
            with open(record, encoding="utf-8") as file:
                before = file.read()
            os.kill(int(before.split()[0]), signal.SIGINT)  # A fast shutdown; davit-standalone starts it again.

            def again():
                try:
                    with open(record, encoding="utf-8") as file:
                        return file.read() != before
                except FileNotFoundError:
                    return False
            processes.wait_until(again, 30, "PostgreSQL is started again")
        self._build_while(disturb)

    def test_postgresql_killed(self):
        def disturb():
            with open(os.path.join(self.fleet.engines.data, "run/postgres.process"), encoding="utf-8") as file:
                os.kill(int(file.read().split()[0]), signal.SIGKILL)
            time.sleep(2)
        self._build_while(disturb)

    def test_a_push_while_the_scheduler_is_away_is_built_when_it_is_back(self):
        self.fleet.agent("patient")
        repository = self.slow_repository(lines=3)
        self.davit("rule", "create", "--name", "patient", "--connection", self.fleet.connection["id"], "--repository", repository.name,
                   "--branch", "main", "--image", self.fleet.image(repository), "--image-tag", "latest", "--build-arg",
                   f"REGISTRY={self.registry.host}")
        made = self.davit("webhook", "create", self.fleet.connection["id"], "--repository", repository.name)
        repository.deliver_to(f"http://127.0.0.1:{self.fleet.ports['webhook-gateway']}{made['path']}", made["secret"])
        self.fleet.services["scheduler"].kill()
        try:
            self.assertIn(": 200 ", repository.push())
            time.sleep(2)
        finally:
            self.fleet.services["scheduler"].start()
        build = self.davit.wait_build(self.davit.build_of_commit(repository.name, repository.git("rev-parse", "HEAD"), timeout=60))
        self.assert_ended_once(build)
        self.assertEqual(len(self.davit.builds(repository.name)), 1)


if __name__ == "__main__":
    unittest.main()
