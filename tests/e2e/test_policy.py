"""How the builds of a rule share the queue: newer pushes supersede older ones, limits, priorities."""

import os
import signal
import unittest

from harness import processes, world

# Takes as long as the file says, or until _let_go.
DOCKERFILE = "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nCOPY seconds /seconds\nRUN sleep $(cat /seconds) || true\n"


class PolicyTest(world.WorldCase):

    def _repository(self, *flags):
        repository = self.world.repository({"Dockerfile": DOCKERFILE, "seconds": "0\n"})
        self.world.rule(repository, *flags)
        self.world.webhook(repository)
        return repository

    def _push(self, repository, seconds, branch="main"):
        """Pushes a commit whose build takes that long; returns the build's id."""
        commit = repository.commit({"seconds": f"{seconds}\n"})
        self.assertIn(": 200 ", repository.push(f"HEAD:refs/heads/{branch}"))
        return self.davit.build_of_commit(repository.name, commit)

    def _await_command(self, seconds):
        """Waits until the command of a build that takes that long runs; returns its process."""
        return processes.wait_until(lambda: processes.pids_of(f"sleep {seconds}"), 60, f"sleep {seconds} runs")[0]

    def _let_go(self, seconds):
        """Ends the command of a build that takes that long: the build goes on."""
        os.kill(self._await_command(seconds), signal.SIGKILL)

    def _state(self, build_id):
        return self.davit.get_build(build_id)["state"]

    def test_of_three_quick_pushes_the_newest_is_built_and_the_others_say_by_which_they_are_superseded(self):
        repository = self._repository("--supersede", "running")
        first = self._push(repository, 98771)
        self.davit.wait_build(first, states={"BUILD_STATE_RUNNING"})
        self._await_command(98771)
        second = self._push(repository, 98772)
        third = self._push(repository, 0)
        self.assert_succeeded(self.davit.wait_build(third))
        self.assertEqual(self.registry.digest(repository.name, "latest"), self.davit.get_build(third)["image_digest"])
        for build_id in (first, second):
            build = self.davit.wait_build(build_id)
            self.assertEqual(build["state"], "BUILD_STATE_SUPERSEDED")
            self.assertIn(build["superseded_by"], (second, third))
            self.assertEqual(build.get("image_digest", ""), "")
            shown = self.davit.text("builds", "get", build_id)
            self.assertIn(f"superseded by {build['superseded_by']}", shown)
        self.assertEqual(self.davit.get_build(second)["superseded_by"], third)
        self.assertEqual(processes.processes_mentioning("sleep 98771"), [])
        self.assertNotIn(first, self.registry.tags(repository.name))

    def test_what_runs_goes_on_when_only_what_waits_is_superseded(self):
        repository = self._repository("--supersede", "queued", "--max-concurrent", "1")
        first = self._push(repository, 98773)
        self.davit.wait_build(first, states={"BUILD_STATE_RUNNING"})
        second = self._push(repository, 0)
        explained = self.davit("queue", second)
        self.assertEqual(explained["reason"], "REASON_RULE_LIMIT", explained)
        third = self._push(repository, 0)
        self.assertEqual(self._state(second), "BUILD_STATE_SUPERSEDED")
        self.assertIn(f"superseded by {third} (refs/heads/main at ", self.davit.text("builds", "get", second))
        self.assertEqual(self._state(third), "BUILD_STATE_QUEUED")
        self._let_go(98773)
        self.assert_succeeded(self.davit.wait_build(first))
        self.assert_succeeded(self.davit.wait_build(third))

    def test_other_branches_are_left_alone_and_without_a_policy_each_push_is_built(self):
        repository = self._repository("--branch", "dev", "--supersede", "queued", "--max-concurrent", "1")
        on_main = self._push(repository, 2)
        on_dev = self._push(repository, 0, "dev")
        self.assert_succeeded(self.davit.wait_build(on_main))
        self.assert_succeeded(self.davit.wait_build(on_dev))
        plain = self._repository("--max-concurrent", "1")
        builds = [self._push(plain, 1) for _ in range(3)]
        for build_id in builds:
            self.assert_succeeded(self.davit.wait_build(build_id))

    def test_a_policy_is_shown_exported_and_applied_without_a_difference(self):
        repository = self.world.repository()
        rule = self.world.rule(repository, "--priority", "-5", "--supersede", "queued", "--max-concurrent", "3", "--reuse-window", "24h",
                               "--retries", "0")
        self.assertEqual(rule["policy"], {"priority": -5, "supersede": "SUPERSEDE_POLICY_SKIP_QUEUED", "concurrency_group": "", "max_concurrent": 3,
                                          "reuse_window": "86400s", "infrastructure_retries": 0})
        exported = self.davit.text("rule", "export", rule["id"])
        for line in ("priority: -5", "supersede: skip_queued", "reuse_window: 24h", "infrastructure_retries: 0"):
            self.assertIn(line, exported)
        self.assertIn("nothing to change", self.davit.text("rule", "apply", "-f", "-", "--yes", stdin=exported))
        changed = exported.replace("priority: -5", "priority: 5")
        self.assertIn("+   priority: 5", self.davit.text("rule", "apply", "-f", "-", "--yes", stdin=changed))
        self.assertEqual(self.davit("rule", "get", rule["id"])["policy"]["priority"], 5)
        self.davit("rule", "update", rule["id"], "--clear", "priority", "--clear", "retries")
        self.assertNotIn("infrastructure_retries", self.davit("rule", "get", rule["id"])["policy"])
        self.assertIn("rule.policy.priority: ", self.davit.fails("rule", "update", rule["id"], "--priority", "101"))

    def test_waiting_builds_of_a_higher_priority_are_built_first(self):
        repository = self.world.repository({"Dockerfile": DOCKERFILE, "seconds": "98774\n"})
        repository.push("main:refs/heads/blocking")
        repository.commit({"seconds": "0\n"})
        repository.push()

        def build(branch, *flags):
            return self.davit("build", "--connection", self.world.connection["id"], "--repository", repository.name, "--branch", branch,
                              "--image", self.world.image(repository), "--build-arg", f"REGISTRY={self.registry.host}", *flags)["id"]
        agent = self.davit("agents")["agents"][0]
        # BuildKit runs their step, which is the same, once for all.
        blocking = [build("blocking") for _ in range(agent["slots"])]
        for build_id in blocking:
            self.davit.wait_build(build_id, states={"BUILD_STATE_RUNNING"})
        low = [build("main", "--priority", "-10") for _ in range(agent["slots"])]
        high = [build("main", "--priority", "10") for _ in range(agent["slots"])]
        self._let_go(98774)
        ended = [self.davit.wait_build(build_id) for build_id in (*low, *high)]
        started = [attempt["start_time"] for attempt in (build["attempts"][0] for build in ended)]
        self.assertLessEqual(max(started[len(low):]), min(started[:len(low)]), "every build of the higher priority began first")


if __name__ == "__main__":
    unittest.main()
