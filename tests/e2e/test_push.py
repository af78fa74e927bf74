"""A git push becomes an image; what each push makes, and what it does not."""

import os
import shutil
import unittest

from harness import images, processes, webhooks, world

HELLO = {
    "Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nCOPY message /message\nRUN cat /message\n",
    "message": "one\n",
}


class PushTest(world.WorldCase):

    def test_a_push_becomes_an_image_with_the_rules_tags_whose_program_runs(self):
        repository = self.world.sample()
        self.world.rule(repository)
        self.world.webhook(repository)
        commit = repository.git("rev-parse", "HEAD")
        build = self.world.push_and_build(repository, commit)
        self.assert_succeeded(build)
        self.assertEqual(self.registry.tags(repository.name), sorted([build["id"], f"main-{commit[:7]}", "latest"]))
        for tag in self.registry.tags(repository.name):
            self.assertEqual(self.registry.digest(repository.name, tag), build["image_digest"], tag)
        root = self.registry.unpack(repository.name, build["image_digest"])
        self.assertIn(f"commit {commit}", images.run_in(root, "/bin/hello"))
        self.assert_log_complete(build)

    def test_the_image_says_where_it_came_from_in_annotations_and_not_in_its_config(self):
        repository = self.world.repository(HELLO)
        self.world.rule(repository)
        self.world.webhook(repository)
        commit = repository.git("rev-parse", "HEAD")
        build = self.world.push_and_build(repository, commit)
        self.assert_succeeded(build)
        annotations = self.registry.manifest(repository.name, build["image_digest"])["annotations"]
        self.assertEqual(annotations["org.opencontainers.image.revision"], commit)
        self.assertEqual(annotations["org.opencontainers.image.source"], f"{self.world.git.url}/{repository.name}.git")
        self.assertNotIn(commit, str(self.registry.config(repository.name, build["image_digest"])))

    def test_config_and_files_are_those_of_docker_build_of_the_same_commit(self):
        repository = self.world.sample()
        repository.write({".dockerignore": "ignored*\n!ignored-not\n", "ignored-file": "no\n", "ignored-not": "yes\n",
                          "tree/deep/file": "deep\n", "tree/program": "#!/bin/sh\n"})
        os.chmod(os.path.join(repository.work, "tree/program"), 0o755)
        os.symlink("deep/file", os.path.join(repository.work, "tree/link"))
        dockerfile = open(os.path.join(repository.work, "Dockerfile"), encoding="utf-8").read()
        repository.commit({"Dockerfile": dockerfile.replace("USER nobody", "COPY . /all\nENV A=b\nEXPOSE 80\nLABEL x=y\nUSER nobody")})
        self.world.rule(repository, "--label", "team=tools")
        self.world.webhook(repository)
        commit = repository.git("rev-parse", "HEAD")
        build = self.world.push_and_build(repository, commit)
        self.assert_succeeded(build)

        directory = os.path.join(self.world.directory, "compare")
        os.makedirs(os.path.join(directory, "docker"))
        with open(self.registry.auth_file, encoding="utf-8") as auth:
            with open(os.path.join(directory, "docker/config.json"), "w", encoding="utf-8") as config:
                config.write(auth.read())
        docker = images.Docker(self.world.standalone.docker_socket, os.path.join(directory, "docker"))
        checkout = os.path.join(directory, "checkout")
        processes.run(["git", "clone", "-q", repository.work, checkout])
        shutil.rmtree(os.path.join(checkout, ".git"))  # What a checkout has and a commit has not.
        docker("build", "-q", "-t", "compare:1", "--build-arg", f"REGISTRY={self.registry.host}", "--build-arg", f"DAVIT_COMMIT={commit}",
               "--label", "team=tools", checkout)
        expected, expected_root = docker.save("compare:1", directory)
        actual = self.registry.config(repository.name, build["image_digest"])
        for field in ("architecture", "os"):
            self.assertEqual(actual[field], expected[field], field)
        # An absent setting and one that is null are the same.
        self.assertEqual(*({name: value for name, value in image["config"].items() if value is not None} for image in (actual, expected)))
        self.assertEqual([h["created_by"] for h in actual["history"]], [h["created_by"] for h in expected["history"]])
        self.assertEqual(images.listing(self.registry.unpack(repository.name, build["image_digest"])), images.listing(expected_root))

    def test_a_change_makes_a_new_digest_and_moves_the_tag(self):
        repository = self.world.repository(HELLO)
        self.world.rule(repository)
        self.world.webhook(repository)
        first = self.world.push_and_build(repository, repository.git("rev-parse", "HEAD"))
        self.assert_succeeded(first)
        second = self.world.push_and_build(repository, repository.commit({"message": "two\n"}))
        self.assert_succeeded(second)
        self.assertNotEqual(first["image_digest"], second["image_digest"])
        self.assertEqual(self.registry.digest(repository.name, "latest"), second["image_digest"])
        self.assertEqual(self.registry.digest(repository.name, first["id"]), first["image_digest"], "the old build's own tag stays")
        root = self.registry.unpack(repository.name, "latest")
        with open(os.path.join(root, "message"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "two\n")

    def test_a_new_tag_makes_a_tag_build(self):
        repository = self.world.repository(HELLO)
        self.world.rule(repository, templates=("{tag}", "{branch}-branch"))
        self.world.webhook(repository)
        commit = repository.git("rev-parse", "HEAD")
        self.assert_succeeded(self.world.push_and_build(repository, commit))
        repository.git("tag", "-a", "v1.2.3", "-m", "release")
        build = self.world.push_and_build(repository, commit, "v1.2.3", ref="refs/tags/v1.2.3")
        self.assert_succeeded(build)
        self.assertEqual(build["spec"]["tags"], ["v1.2.3"])
        self.assertEqual(self.registry.digest(repository.name, "v1.2.3"), build["image_digest"])
        self.assertIn("main-branch", self.registry.tags(repository.name))

    def test_a_push_that_no_rule_matches_makes_no_build_and_the_event_says_why(self):
        repository = self.world.repository(HELLO)
        self.world.rule(repository, branches=("main", "release/*"))
        self.world.webhook(repository)
        said = repository.push("main:refs/heads/feature/x")
        self.assertIn(": 200 ", said)
        event = self.davit.wait_event(self.davit.events(repository.name)[0]["id"])
        self.assertEqual([e["reason"] for e in event["explanations"]], ["REASON_BRANCH_NOT_MATCHED"])
        self.assertIn("main", event["explanations"][0]["detail"])
        self.assertIn("release/*", event["explanations"][0]["detail"])
        self.assertEqual(self.davit.builds(repository.name), [])

    def test_a_push_to_a_repository_without_rules_says_so(self):
        repository = self.world.repository(HELLO)
        self.world.webhook(repository)
        self.assertIn(": 200 ", repository.push())
        event = self.davit.wait_event(self.davit.events(repository.name)[0]["id"])
        self.assertIn("no rule", event["detail"])
        self.assertEqual(self.davit.builds(repository.name), [])

    def test_a_repeated_delivery_makes_one_build(self):
        repository = self.world.repository(HELLO)
        self.world.rule(repository)
        url, secret = self.world.webhook(repository, deliver=False)
        repository.push()
        commit = repository.git("rev-parse", "HEAD")
        payload = webhooks.github_push(repository.name, "refs/heads/main", commit)
        status, body = webhooks.deliver_github(url, secret, payload, delivery="delivery-1")
        self.assertEqual(status, 200, body)
        self.davit.wait_build(self.davit.build_of_commit(repository.name, commit))
        event = self.davit.events(repository.name)[0]["id"]
        status, body = webhooks.deliver_github(url, secret, payload, delivery="delivery-1")
        self.assertEqual(status, 200, body)
        self.assertIn(f"duplicate of event {event}", body)
        # Another delivery of the same push: another event, the same build.
        status, body = webhooks.deliver_github(url, secret, payload, delivery="delivery-2")
        self.assertEqual(status, 200, body)
        second = self.davit.wait_event(self.davit.events(repository.name)[0]["id"])
        self.assertEqual([e["reason"] for e in second["explanations"]], ["REASON_ALREADY_BUILT"])
        self.assertEqual(len(self.davit.builds(repository.name)), 1)

    def test_two_rules_of_one_repository_make_two_images(self):
        repository = self.world.repository(HELLO)
        self.world.rule(repository, image=f"{self.registry.host}/two/a", templates=("latest",))
        self.world.rule(repository, image=f"{self.registry.host}/two/b", templates=("latest",))
        self.world.webhook(repository)
        repository.push()
        event = self.davit.wait_event(self.davit.events(repository.name)[0]["id"])
        builds = [self.davit.wait_build(e["build_id"]) for e in event["explanations"]]
        self.assertEqual(len(builds), 2)
        for build in builds:
            self.assert_succeeded(build)
        # Equal inputs, equal images: only the annotation of the build's time could differ, and there is none.
        self.assertEqual(self.registry.digest("two/a", "latest"), self.registry.digest("two/b", "latest"))

    def test_the_same_commit_built_again_gives_the_same_digest(self):
        repository = self.world.repository(HELLO)
        rule = self.world.rule(repository)
        self.world.webhook(repository)
        first = self.world.push_and_build(repository, repository.git("rev-parse", "HEAD"))
        self.assert_succeeded(first)
        self.davit("rule", "trigger", rule["id"], "--revision", "main")
        def another():
            builds = self.davit.builds(repository.name)
            return builds[0]["id"] if len(builds) == 2 else None
        second = self.davit.wait_build(processes.wait_until(another, 20, "a second build"))
        self.assert_succeeded(second)
        self.assertEqual(first["image_digest"], second["image_digest"])


if __name__ == "__main__":
    unittest.main()
