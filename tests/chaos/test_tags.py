"""A moving tag never goes back."""

import unittest

from chaos import fleet


class TagTest(fleet.FleetCase):

    def test_the_tag_stays_on_the_newer_build_when_the_older_one_finishes_last(self):
        self.fleet.agent("two-slots", slots=2)
        repository = self.slow_repository(lines=80)
        repository.push()
        older = self.fleet.build(repository, "--image-tag", "latest")
        self.started(older)
        repository.commit({"Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nRUN echo quick >/quick\n"})
        repository.push()
        newer = self.davit.wait_build(self.fleet.build(repository, "--image-tag", "latest"))
        self.assertEqual(newer["state"], "BUILD_STATE_SUCCEEDED", self.fleet.output())
        self.assertEqual(self.davit.get_build(older)["state"], "BUILD_STATE_RUNNING", "the older build must still run for this test")
        self.assertEqual(self.registry.digest(repository.name, "latest"), newer["image_digest"])

        late = self.davit.wait_build(older)
        self.assertEqual(late["state"], "BUILD_STATE_SUPERSEDED")
        self.assertEqual([(t["tag"], t["set"]) for t in late["tag_results"]], [("latest", False)])
        self.assertEqual(self.registry.digest(repository.name, "latest"), newer["image_digest"])
        self.assertEqual(self.registry.digest(repository.name, older), late["image_digest"], "its image is kept under its own tag")


if __name__ == "__main__":
    unittest.main()
