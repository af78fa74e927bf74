"""davit-standalone killed in mid-build: the next start ends what it began."""

import os
import re
import unittest

from harness import git, processes, world


class StandaloneTest(unittest.TestCase):

    def test_a_build_survives_kill_9_of_everything(self):
        directory = processes.temporary_directory("kill")
        self.addCleanup(processes.remove_tree, directory)
        server = git.GitServer(os.path.join(directory, "git"))
        self.addCleanup(server.stop)
        standalone = world.Standalone(directory, allow_hosts=[server.host], flags=["--lease_ttl=3s"]).start()
        self.addCleanup(lambda: standalone.program.running() and standalone.stop())
        davit, registry = standalone.davit(), standalone.registry()
        registry.push_base_image()
        repository = server.create_repository("team/app")
        repository.commit({"Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\n"
                                         "RUN for i in $(seq 1 71); do echo line-$i; sleep 0.1; done\n"})
        repository.push()
        connection = davit("connect", "create", "--provider", "git", "--name", "git", "--base-url", server.url, "--token-file",
                           server.token_file, "--probe-repository", "team/app")
        build_id = davit("build", "--connection", connection["id"], "--repository", "team/app", "--branch", "main", "--image",
                         f"{registry.host}/team/app", "--image-tag", "survivor", "--build-arg", f"REGISTRY={registry.host}")["id"]
        processes.wait_until(lambda: processes.processes_mentioning("seq 1 71"), 60, "the build's command runs")
        standalone.program.kill()
        standalone.start()
        build = davit.wait_build(build_id, timeout=120)
        self.assertEqual(build["state"], "BUILD_STATE_SUCCEEDED", build.get("failure"))
        self.assertEqual(len(build["attempts"]), 2)
        self.assertTrue(build["attempts"][-1]["log_complete"])
        self.assertEqual(re.findall(r"line-(\d+)$", davit.log(build_id), re.MULTILINE), [str(i) for i in range(1, 72)])
        self.assertEqual(registry.digest("team/app", "survivor"), build["image_digest"])


if __name__ == "__main__":
    unittest.main()
