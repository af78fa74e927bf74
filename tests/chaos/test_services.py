"""Services and their database that die in mid-build: nothing is lost, and the log is whole."""

import os
import signal
import threading
import time
import unittest

from chaos import fleet
from harness import cli, processes


class Asking:
    """Makes the same call over and over while the block runs, one after the other, and keeps what went wrong."""

    def __init__(self, davit, *call):
        self._davit, self._call = davit, call
        self._answers = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.errors = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def await_answers(self, number):
        """Waits until so many calls more have come back, well or not."""
        enough = self._answers + number
        processes.wait_until(lambda: self._answers >= enough, 60, f"{number} answers to {self._call}")

    def _ask(self):
        while not self._done.is_set():
            try:
                self._davit(*self._call)
            except cli.CommandError as error:
                self.errors.append(str(error))
            self._answers += 1


class ServiceTest(fleet.FleetCase):

    def _build_while(self, disturb):
        """Starts a build, calls `disturb` with its id in the middle of it, and checks that it ended as if nothing had happened."""
        self.fleet.agent("steady")
        repository = self.slow_repository()
        repository.push()
        build_id = self.fleet.build(repository, "--image-tag", "done")
        self.started(build_id)
        disturb(build_id)
        build = self.davit.wait_build(build_id, timeout=120)
        self.assert_ended_once(build)
        self.assert_whole_log(build)
        self.assertEqual(self.registry.digest(repository.name, "done"), build["image_digest"])
        return build

    def test_the_scheduler_killed_and_started_again(self):
        def disturb(_build_id):
            self.fleet.services["scheduler"].kill()
            time.sleep(1)
            self.fleet.services["scheduler"].start()
        build = self._build_while(disturb)
        self.assertEqual(len(build["attempts"]), 1, "the agent kept its lease")

    def test_the_token_registry_killed_and_started_again(self):
        def disturb(_build_id):
            self.fleet.services["token-registry"].kill()
            time.sleep(1)
            self.fleet.services["token-registry"].start()
        self._build_while(disturb)

    def test_postgresql_restarted(self):
        """Nobody notices: calls that are made one after the other while the database restarts all succeed."""
        def disturb(build_id):
            with Asking(self.davit, "builds", "get", build_id) as asking:
                asking.await_answers(2)
                self._end_database(signal.SIGINT)  # A fast shutdown.
                asking.await_answers(2)
            self.assertEqual(asking.errors, [])
        self._build_while(disturb)

    def _end_database(self, how):
        """Ends PostgreSQL with a signal; davit-standalone starts it again. Waits until it answers again."""
        with open(os.path.join(self.fleet.engines.data, "run/postgres.process"), encoding="utf-8") as file:
            pid = int(file.read().split()[0])
        os.kill(pid, how)
        processes.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 60, "PostgreSQL ends")

        def answers():
            try:
                return self.fleet.sql("select 1")
            except AssertionError:
                return False
        processes.wait_until(answers, 60, "PostgreSQL answers again")

    def test_postgresql_killed(self):
        def disturb(_build_id):
            self._end_database(signal.SIGKILL)
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
