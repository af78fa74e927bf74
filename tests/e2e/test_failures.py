"""What fails for the user's own reason: FAILED (USER), the right message, the whole log. Rows of the bad-input list are named."""

import os
import unittest

from harness import world


class FailureTest(world.WorldCase):

    def _build(self, files, *flags, prepare=None):
        """Builds a repository with these files by hand; returns (build, commit)."""
        repository = self.world.repository()
        if prepare:
            prepare(repository)
        commit = repository.commit(files)
        repository.push()
        build = self.davit("build", "--connection", self.world.connection["id"], "--repository", repository.name, "--branch", "main",
                           "--image", self.world.image(repository), "--build-arg", f"REGISTRY={self.registry.host}", *flags)
        return self.davit.wait_build(build["id"]), commit

    def test_row_14_a_context_directory_that_is_a_symlink_to_the_root(self):
        build, _ = self._build({"Dockerfile": "FROM scratch\nCOPY . /\n"}, "--context", "out",
                               prepare=lambda repository: os.symlink("/", os.path.join(repository.work, "out")))
        self.assert_failed_by_user(build, "context resolves outside the repository")

    def test_row_15_no_dockerfile(self):
        build, commit = self._build({"README": "nothing here\n"}, "--file", "docker/Dockerfile")
        self.assert_failed_by_user(build, f"Dockerfile not found at docker/Dockerfile in {commit}")

    def test_row_16_an_empty_dockerfile(self):
        build, _ = self._build({"Dockerfile": "# only a comment\n"})
        self.assert_failed_by_user(build, "Dockerfile has no instructions")

    def test_row_17_an_unknown_instruction(self):
        build, _ = self._build({"Dockerfile": "FROM scratch\n\nBOGUS thing\n"})
        self.assert_failed_by_user(build, "line 3: unknown instruction BOGUS")

    def test_row_18_a_command_that_fails_and_the_log_holds_all_that_it_printed(self):
        lines = 3000
        build, _ = self._build({"Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nRUN echo before\n"
                                              f"RUN seq 1 {lines} | sed s/^/line-/; echo last words >&2; exit 42\n"})
        self.assertRegex(build["failure"]["message"], r"step \d+ exited 42")
        self.assert_failed_by_user(build, "exited 42")
        log = self.davit.log(build["id"])
        for expected in ("before", "line-1\n", f"line-{lines}\n", "last words"):
            self.assertIn(expected, log)

    def test_row_19_a_base_image_that_is_not_there(self):
        build, _ = self._build({"Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/no/such:image\nRUN true\n"})
        self.assert_failed_by_user(build, f"image not found: {self.registry.host}/no/such:image")

    def test_row_23_a_revoked_token(self):
        server = self.world.revocable_git
        connection = self.world.connect("revocable", server)
        repository = server.create_repository("team/revoked")
        repository.commit({"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
        repository.push()
        commit = repository.git("rev-parse", "HEAD")
        server.replace_token()
        build = self.davit("build", "--connection", connection["id"], "--repository", repository.name, "--commit", commit,
                           "--image", self.world.image(repository))
        self.assert_failed_by_user(self.davit.wait_build(build["id"]), f"credential rejected by {server.host} (401)")

    def test_row_24_a_commit_that_was_forced_away(self):
        repository = self.world.repository({"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
        repository.push()
        gone = "1234567890" * 4
        build = self.davit("build", "--connection", self.world.connection["id"], "--repository", repository.name, "--commit", gone,
                           "--image", self.world.image(repository))
        self.assert_failed_by_user(self.davit.wait_build(build["id"]), f"commit {gone} is no longer reachable")

    def test_row_29_a_build_over_its_time_limit_is_stopped(self):
        build, _ = self._build({"Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nRUN echo begins && sleep 600\n"},
                               "--timeout", "10s")
        self.assertEqual(build["state"], "BUILD_STATE_TIMED_OUT")
        self.assertIn("timed out after 10s", build["failure"]["message"])
        self.assertIn("begins", self.assert_log_complete(build))


if __name__ == "__main__":
    unittest.main()
