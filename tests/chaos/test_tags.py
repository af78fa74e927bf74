"""A moving tag never goes back."""

import os
import signal
import unittest

from chaos import fleet
from harness import processes

HOLD = "sleep 98781"  # The older build goes on when this ends.


class TagTest(fleet.FleetCase):

    def test_the_tag_stays_on_the_newer_build_when_the_older_one_finishes_last(self):
        self.fleet.agent("two-slots", slots=2)
        repository = self.fleet.repository({
            "Dockerfile": f"ARG REGISTRY\nFROM ${{REGISTRY}}/base/busybox:latest\nCOPY salt /salt\nRUN {HOLD} || true\n", "salt": os.urandom(8).hex()})
        repository.push()
        older = self.fleet.build(repository, "--image-tag", "latest")
        [hold] = processes.wait_until(lambda: processes.pids_of(HOLD), 60, "the older build's command runs")
        repository.commit({"Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nRUN echo quick >/quick\n"})
        repository.push()
        newer = self.davit.wait_build(self.fleet.build(repository, "--image-tag", "latest"))
        self.assertEqual(newer["state"], "BUILD_STATE_SUCCEEDED", self.fleet.output())
        self.assertEqual(self.davit.get_build(older)["state"], "BUILD_STATE_RUNNING")
        self.assertEqual(self.registry.digest(repository.name, "latest"), newer["image_digest"])

        os.kill(hold, signal.SIGKILL)
        late = self.davit.wait_build(older)
        self.assertEqual(late["state"], "BUILD_STATE_SUPERSEDED")
        self.assertEqual([(t["tag"], t["set"]) for t in late["tag_results"]], [("latest", False)])
        self.assertEqual(self.registry.digest(repository.name, "latest"), newer["image_digest"])
        self.assertEqual(self.registry.digest(repository.name, older), late["image_digest"], "its image is kept under its own tag")


if __name__ == "__main__":
    unittest.main()
