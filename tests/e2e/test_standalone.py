"""davit-standalone as a process: its lock, its end, its death, what it costs."""

import os
import signal
import subprocess
import time
import unittest
import urllib.request

from harness import processes, world


def left_of(directory):
    """Processes, mounts and sockets that belong to a data directory."""
    left = processes.processes_mentioning(directory + "/")
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        left += [line for line in mounts if f" {directory}/" in line]
    with open("/proc/net/unix", encoding="utf-8") as sockets:
        left += [line for line in sockets if f" {directory}/" in line]
    return left


def bridges_of(directory):
    """The network links of a data directory's Docker engine, which are named after FNV-1a of its path: others may run on the machine."""
    digest = 2166136261
    for byte in directory.encode():
        digest = ((digest ^ byte) * 16777619) & 0xFFFFFFFF
    return [line for line in processes.run(["ip", "-o", "link"]).splitlines() if f"dvt{digest:08x}" in line]


class StandaloneTest(unittest.TestCase):

    def setUp(self):
        self.directory = processes.temporary_directory("alone")
        self.addCleanup(processes.remove_tree, self.directory)
        self.standalone = world.Standalone(self.directory)

    def _stop(self):
        if self.standalone.program and self.standalone.program.running():
            self.standalone.stop()

    def test_it_starts_and_stops_and_leaves_nothing(self):
        self.addCleanup(self._stop)
        self.standalone.start()
        self.assertIn("agents", self.standalone.davit()("agents"))
        with urllib.request.urlopen(f"http://{self.standalone.metrics_listen}/metrics", timeout=10) as response:
            self.assertIn("davit_rpc_server_seconds", response.read().decode())
        self.assertEqual(len(bridges_of(self.standalone.data)), 1, "it has a bridge while it runs")
        self.standalone.stop()
        self.assertEqual(left_of(self.standalone.data), [])
        self.assertEqual(bridges_of(self.standalone.data), [])
        # A second start works on what the first has left, with the same token.
        self.standalone.start()
        self.assertIn("agents", self.standalone.davit()("agents"))
        mode = os.stat(os.path.join(self.standalone.data, "admin.token")).st_mode & 0o777
        self.assertEqual(mode, 0o600)

    def test_a_second_instance_is_refused_with_a_clear_message(self):
        self.addCleanup(self._stop)
        self.standalone.start()
        second = subprocess.run(
            [processes.binary("services/standalone/davit-standalone"), f"--data_dir={self.standalone.data}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"is in use by process {self.standalone.program.pid}", second.stdout)

    def test_after_kill_9_the_next_start_cleans_up_and_serves(self):
        self.addCleanup(self._stop)
        self.standalone.start()
        before = self.standalone.davit()("agents")
        self.standalone.program.kill()
        self.standalone.start()
        self.assertEqual(self.standalone.davit()("agents")["agents"][0]["id"], before["agents"][0]["id"])
        self.standalone.stop()
        self.assertEqual(left_of(self.standalone.data), [])
        self.assertEqual(bridges_of(self.standalone.data), [])

    def test_engines_that_die_are_started_again(self):
        self.addCleanup(self._stop)
        self.standalone.start()
        for engine in ("postgres", "registry", "docker"):
            record = os.path.join(self.standalone.data, "run", f"{engine}.process")
            with open(record, encoding="utf-8") as file:
                before = file.read()
            os.kill(int(before.split()[0]), signal.SIGKILL)

            def replaced():
                try:
                    with open(record, encoding="utf-8") as file:
                        return file.read() != before
                except FileNotFoundError:
                    return False
            processes.wait_until(replaced, 30, f"{engine} is started again")
        def answers():
            try:
                return self.standalone.davit()("agents", timeout=20)
            except AssertionError:
                return None
        self.assertIn("agents", processes.wait_until(answers, 30, "the services work again", interval=0.5))

    def test_idle_it_needs_less_than_120_mib_and_one_percent_of_a_core(self):
        self.addCleanup(self._stop)
        self.standalone.start()
        time.sleep(5)

        def ticks():
            with open(f"/proc/{self.standalone.program.pid}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        begun, first = time.monotonic(), ticks()
        time.sleep(20)
        share = (ticks() - first) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)
        with open(f"/proc/{self.standalone.program.pid}/status", encoding="utf-8") as file:
            resident = int(next(line for line in file if line.startswith("VmRSS:")).split()[1]) / 1024
        print(f"idle: {resident:.0f} MiB, {share * 100:.2f} % of a core")
        self.assertLess(resident, 120)
        self.assertLess(share, 0.01)


if __name__ == "__main__":
    unittest.main()
