"""Cancelling: what a build runs is gone soon, whatever it was doing."""

import re
import time
import unittest

from harness import processes, world


class CancelTest(world.WorldCase):

    def _start(self, seconds):
        """Starts a build that sleeps that long; returns its id once it runs on this machine and its log says so."""
        repository = self.world.repository({
            "Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\n" f"RUN echo sleeping && sleep {seconds}\n"})
        repository.push()
        build = self.davit("build", "--connection", self.world.connection["id"], "--repository", repository.name, "--branch", "main",
                           "--image", self.world.image(repository), "--build-arg", f"REGISTRY={self.registry.host}")
        processes.wait_until(lambda: processes.pids_of(f"sleep {seconds}"), 60, "the build's command runs")
        processes.wait_until(lambda: re.search(r"sleeping$", self.davit.log(build["id"]), re.MULTILINE), 30, "the log says that it sleeps")
        return build["id"]

    def test_cancelling_a_running_build_ends_its_processes_within_two_seconds(self):
        build_id = self._start(98761)
        asked = time.monotonic()
        self.davit("cancel", build_id)
        processes.wait_until(lambda: not processes.processes_mentioning("sleep 98761"), 10, "the command is gone", interval=0.02)
        self.assertLess(time.monotonic() - asked, 2.0)
        build = self.davit.wait_build(build_id, timeout=10)
        self.assertEqual(build["state"], "BUILD_STATE_CANCELLED")
        self.assertIn("sleeping", self.assert_log_complete(build))
        # Cancelling again changes nothing.
        self.assertEqual(self.davit("cancel", build_id)["version"], build["version"])

    def test_a_cancelled_build_leaves_room_for_the_next(self):
        build_id = self._start(98762)
        self.davit("cancel", build_id)
        self.davit.wait_build(build_id, timeout=10)
        self.davit("cancel", self._start(98763))


if __name__ == "__main__":
    unittest.main()
