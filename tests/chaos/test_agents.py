"""Agents that die, stall and come back."""

import os
import signal
import time
import unittest

from chaos import fleet
from harness import processes


class AgentTest(fleet.FleetCase):

    def test_an_agent_killed_in_mid_build_the_build_is_made_again_and_ends_once(self):
        first = self.fleet.agent("doomed")
        repository = self.slow_repository()
        repository.push()
        build_id = self.fleet.build(repository, "--image-tag", "killed")
        self.started(build_id)
        first.kill()
        self.fleet.agent("heir")
        build = self.davit.wait_build(build_id, timeout=120)
        self.assert_ended_once(build)
        self.assertEqual([a["outcome"] for a in build["attempts"]], ["OUTCOME_LOST", "OUTCOME_SUCCEEDED"])
        self.assertEqual([a["agent_name"] for a in build["attempts"]], ["doomed", "heir"])
        self.assertLess(int(build["attempts"][0]["fence"]), int(build["attempts"][1]["fence"]))
        self.assert_whole_log(build)
        self.assertEqual(self.registry.digest(repository.name, "killed"), build["image_digest"])

    def test_an_agent_that_restarts_with_its_name_takes_the_build_up_again(self):
        agent = self.fleet.agent("phoenix")
        repository = self.slow_repository()
        repository.push()
        build_id = self.fleet.build(repository)
        self.started(build_id)
        agent.kill()
        agent.start()
        build = self.davit.wait_build(build_id, timeout=120)
        self.assert_ended_once(build)
        self.assertEqual(len(build["attempts"]), 2)
        self.assert_whole_log(build)

    def test_an_agent_stopped_past_its_lease_and_continued_cannot_change_anything(self):
        sleeper = self.fleet.agent("sleeper")
        repository = self.slow_repository(lines=60)
        repository.push()
        build_id = self.fleet.build(repository, "--image-tag", "stalled")
        self.started(build_id)
        sleeper.program.signal(signal.SIGSTOP)
        self.addCleanup(sleeper.program.signal, signal.SIGCONT)
        self.fleet.agent("waker")
        build = self.davit.wait_build(build_id, timeout=120)
        self.assert_ended_once(build)
        self.assertEqual([a["agent_name"] for a in build["attempts"]], ["sleeper", "waker"])
        log = self.davit.log(build_id)
        digest = self.registry.digest(repository.name, "stalled")

        sleeper.program.signal(signal.SIGCONT)
        # It notices, stops its build, and works again as an agent without leases.
        processes.wait_until(lambda: not processes.processes_mentioning("seq 1 60"), 20, "the stale build's command is gone")
        time.sleep(2)
        after = self.davit.get_build(build_id)
        self.assertEqual(after["version"], build["version"])
        self.assertEqual(after["attempts"], build["attempts"])
        self.assertEqual(self.davit.log(build_id), log)
        self.assertEqual(self.registry.digest(repository.name, "stalled"), digest)
        self.assertTrue(sleeper.program.running(), sleeper.program.output()[-2000:])

    def test_an_agent_that_is_asked_to_stop_gives_its_build_back(self):
        leaving = self.fleet.agent("leaving")
        leaving.stop()
        leaving.flags.append("--drain_timeout=2s")
        leaving.start()
        repository = self.slow_repository()
        repository.push()
        build_id = self.fleet.build(repository)
        self.started(build_id)
        os.kill(leaving.program.pid, signal.SIGTERM)
        leaving.program.process.wait(30)
        self.fleet.agent("staying")
        build = self.davit.wait_build(build_id, timeout=120)
        self.assert_ended_once(build)
        self.assert_whole_log(build)

    def test_without_an_agent_a_build_says_why_it_waits(self):
        repository = self.slow_repository(lines=1)
        repository.push()
        build_id = self.fleet.build(repository)
        def reason():
            why = self.davit("queue", build_id)
            return why if why["reason"] == "REASON_NO_AGENT" else None
        # An agent of an earlier test counts as there until its lease has run out.
        self.assertIn("agent", processes.wait_until(reason, 30, "the reason is that there is no agent")["detail"])
        self.davit("cancel", build_id)
        self.assertEqual(self.davit.wait_build(build_id, timeout=10)["state"], "BUILD_STATE_CANCELLED")


if __name__ == "__main__":
    unittest.main()
