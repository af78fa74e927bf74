"""Builds by hand: of a branch, of a commit, of an uploaded Dockerfile, folder or archive."""

import io
import os
import tarfile
import unittest
import zipfile

from harness import images, world

DOCKERFILE = "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nARG DAVIT_COMMIT=none\nCOPY message /message\nRUN echo ${DAVIT_COMMIT} >/commit\n"


class ManualTest(world.WorldCase):

    def _build(self, *arguments):
        """Starts a build and waits for its end; returns it."""
        build = self.davit("build", *arguments, "--build-arg", f"REGISTRY={self.registry.host}")
        return self.davit.wait_build(build["id"])

    def _read(self, repository, reference, path):
        with open(os.path.join(self.registry.unpack(repository, reference), path), encoding="utf-8") as file:
            return file.read()

    def _work_file(self, name, content):
        path = os.path.join(self.world.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_a_branch_is_built_from_where_it_points_to_now(self):
        repository = self.world.repository({"Dockerfile": DOCKERFILE, "message": "branch\n"})
        repository.push("main:refs/heads/work")
        commit = repository.git("rev-parse", "HEAD")
        build = self._build("--connection", self.world.connection["id"], "--repository", repository.name, "--branch", "work",
                            "--image", self.world.image(repository), "--image-tag", "by-branch")
        self.assert_succeeded(build)
        self.assertEqual(build["spec"]["git"]["commit"], commit)
        self.assertEqual(self._read(repository.name, "by-branch", "commit"), commit + "\n")

    def test_a_commit_that_no_branch_points_to_any_more_is_built(self):
        repository = self.world.repository({"Dockerfile": DOCKERFILE, "message": "old\n"})
        old = repository.git("rev-parse", "HEAD")
        repository.commit({"message": "new\n"})
        repository.push()
        build = self._build("--connection", self.world.connection["id"], "--repository", repository.name, "--commit", old,
                            "--image", self.world.image(repository), "--image-tag", "by-commit")
        self.assert_succeeded(build)
        self.assertEqual(self._read(repository.name, "by-commit", "message"), "old\n")

    def test_a_branch_that_is_not_there_is_refused_at_once(self):
        repository = self.world.repository({"Dockerfile": DOCKERFILE, "message": "x\n"})
        repository.push()
        message = self.davit.fails("build", "--connection", self.world.connection["id"], "--repository", repository.name,
                                   "--branch", "nowhere", "--image", self.world.image(repository))
        self.assertIn("revision not found: ", message)

    def test_a_dockerfile_alone_is_built(self):
        path = self._work_file("alone/Dockerfile", b"ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nRUN echo alone >/said\n")
        build = self._build("--file", path, "--image", f"{self.registry.host}/manual/alone", "--image-tag", "1")
        self.assert_succeeded(build)
        self.assertEqual(self._read("manual/alone", "1", "said"), "alone\n")

    def test_a_folder_is_built_with_its_dockerignore(self):
        self._work_file("folder/Dockerfile", b"ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nCOPY . /in\n")
        self._work_file("folder/.dockerignore", b"secret*\n")
        self._work_file("folder/secret.txt", b"no\n")
        path = self._work_file("folder/sub/file.txt", b"yes\n")
        build = self._build(os.path.dirname(os.path.dirname(path)), "--image", f"{self.registry.host}/manual/folder",
                            "--image-tag", "1")
        self.assert_succeeded(build)
        found = images.listing(os.path.join(self.registry.unpack("manual/folder", "1"), "in"))
        self.assertIn("sub/file.txt", found)
        self.assertNotIn("secret.txt", found)

    def _archive(self, compression):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:
            for name, content, mode in (("Dockerfile", DOCKERFILE, 0o644), ("message", "packed\n", 0o640), ("run", "#!/bin/sh\n", 0o755)):
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), mode
                archive.addfile(member, io.BytesIO(content.encode()))
        return buffer.getvalue()

    def test_archives_are_built(self):
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("Dockerfile", DOCKERFILE)
            archive.writestr("message", "packed\n")
        for name, content in (("a.tar", self._archive("")), ("a.tar.gz", self._archive("gz")), ("a.zip", zipped.getvalue())):
            with self.subTest(name):
                build = self._build(self._work_file(name, content), "--image", f"{self.registry.host}/manual/archive",
                                    "--image-tag", name)
                self.assert_succeeded(build)
                self.assertEqual(self._read("manual/archive", name, "message"), "packed\n")

    def test_an_archive_that_reaches_outside_is_refused(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name in ("Dockerfile", "../../escape"):
                member = tarfile.TarInfo(name)
                content = DOCKERFILE.encode()
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        build = self._build(self._work_file("escape.tar", buffer.getvalue()), "--image",
                            f"{self.registry.host}/manual/escape", "--image-tag", "1")
        self.assert_failed_by_user(build, "escape")


if __name__ == "__main__":
    unittest.main()
