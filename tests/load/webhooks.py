"""Deliveries accepted per second, verified and durable, against single-row INSERT commits of the same PostgreSQL.

Runs a davit-standalone without builds, with its data on a disk (PostgreSQL flushes each commit), and in turn pgbench and the deliveries,
both with as many connections. Prints the figures `webhooks_ratio` and `webhooks_p99_ms`; webhook_load.cc sends the deliveries. The
figures of a busy machine say little, since each delivery waits for several programs in turn: the CPU time that one costs is printed, too.

Usage: python3 tests/load/webhooks.py PROGRAM     the built webhook_load
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from conformance.webhooks import provider_api  # pylint: disable=wrong-import-position
from harness import processes, world  # pylint: disable=wrong-import-position

RATIO_BOUND = 0.4
P99_BOUND_MS = 100
ROUNDS = 8
# As long as an event's row: what the ledger keeps of such a push.
ROW_BYTES = 600


def cpu_seconds(pid):
    """What a process has used; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descendants(pid):
    """The processes below a process."""
    found = []
    for line in processes.run(["ps", "-eo", "pid=,ppid="]).splitlines():
        child, parent = map(int, line.split())
        if parent == pid:
            found += [child, *descendants(child)]
    return found


class Bench:
    """One installation, its PostgreSQL and its webhooks."""

    def __init__(self, directory, options):
        self.options = options
        self.provider = provider_api.ProviderApi()
        self.standalone = world.Standalone(directory, ["--buildkit=none", "--build_slots=0", "--log_level=warning"], [self.provider.host])
        self.standalone.start()
        self._runs = 0
        davit = self.standalone.davit()
        token_file = os.path.join(directory, "token")
        with open(token_file, "w", encoding="utf-8") as file:
            file.write("any\n")
        connection = davit("connect", "create", "--provider", "github", "--name", "hub", "--base-url", f"http://{self.provider.host}",
                           "--token-file", token_file)
        # Each has a rate of its own.
        made = [davit("webhook", "create", connection["id"]) for _ in range(options.webhooks)]
        self.webhooks = "".join(f"{hook['path']} {hook['secret']}\n" for hook in made)
        self._script = os.path.join(directory, "insert.sql")
        with open(self._script, "w", encoding="utf-8") as file:
            file.write("insert into load_rows (payload) values (:payload);\n")
        self._psql("create table load_rows (id bigint generated always as identity primary key, payload text not null)")

    def _psql(self, statement):
        return processes.run(["psql", "-qAt", "-h", self.standalone.postgres_socket, "-U", "postgres", "-d", "davit", "-c", statement])

    def insert_rate(self, seconds):
        """Commits of one row each per second."""
        os.sync()  # Or this would wait for the disk to write what came before.
        said = processes.run(["pgbench", "-h", self.standalone.postgres_socket, "-U", "postgres", "-n", "-M", "prepared", "-f", self._script,
                              "-D", "payload=" + "x" * ROW_BYTES, "-c", self.options.connections, "-j", "2", "-T", str(max(1, round(seconds))), "davit"])
        return float(re.search(r"tps = ([0-9.]+) \(without", said).group(1))

    def cpu(self):
        """CPU seconds of Davit, and of its PostgreSQL."""
        davit = self.standalone.program.pid
        return cpu_seconds(davit), sum(cpu_seconds(pid) for pid in descendants(davit))

    def deliver(self, seconds, rate=0):
        """Runs webhook_load; returns what it measured. Every accepted delivery must be in the ledger."""
        self._runs += 1
        os.sync()
        before = self._events()
        result = subprocess.run([self.options.program, f"--port={self.standalone.webhook_listen.rsplit(':', 1)[1]}",
                                 f"--connections={self.options.connections}", f"--seconds={seconds}", f"--rate={rate}", f"--run=run{self._runs}"],
                                input=self.webhooks, stdout=subprocess.PIPE, text=True, check=True)
        measured = json.loads(result.stdout)
        stored = self._events() - before
        assert stored >= measured["accepted"], f"{measured['accepted']} accepted, {stored} in the ledger"
        assert measured["refused"] == 0, measured
        return measured

    def _events(self):
        return int(self._psql("select count(*) from rule_engine.events"))

    def close(self):
        self.standalone.stop()
        self.provider.close()


class Totals:
    """What the rounds have measured together."""

    def __init__(self):
        self.inserts = []
        self.accepted = self.davit = self.database = 0
        self.rates = []
        self.p99_ms = []

    def add(self, bench, seconds):
        """A round: inserts, then deliveries."""
        self.inserts.append(bench.insert_rate(seconds))
        before = bench.cpu()
        deliveries = bench.deliver(seconds)
        davit, database = (after - earlier for earlier, after in zip(before, bench.cpu()))
        self.davit += davit
        self.database += database
        self.accepted += deliveries["accepted"]
        self.rates.append(deliveries["per_second"])
        self.p99_ms.append(deliveries["p99_ms"])


def measure(bench, seconds):
    """Prints the figures; returns whether both are within their bounds. Inserts and deliveries in turn: a machine, a virtual one above all,
    is not as fast at every moment, and each must have had the same moments."""
    bench.deliver(2)
    totals = Totals()
    for _ in range(ROUNDS):
        totals.add(bench, seconds / ROUNDS)
    inserts, deliveries = (sum(rates) / ROUNDS for rates in (totals.inserts, totals.rates))
    davit, database = (1e6 * used / totals.accepted for used in (totals.davit, totals.database))
    print(f"# inserts_per_second {inserts:.0f} ({' '.join(f'{rate:.0f}' for rate in totals.inserts)})")
    print(f"# deliveries_per_second {deliveries:.0f} ({' '.join(f'{rate:.0f}' for rate in totals.rates)}) p99 {max(totals.p99_ms):.1f} ms")
    print(f"# cpu_us_per_delivery {davit + database:.0f} ({davit:.0f} Davit, {database:.0f} PostgreSQL; rules are looked at meanwhile)")
    ratio = deliveries / inserts
    half = bench.deliver(seconds, rate=deliveries / 2)
    print(f"# at_half_load {half['per_second']:.0f} per second p50 {half['p50_ms']:.1f} ms max {half['max_ms']:.1f} ms")
    quick = half["p99_ms"] < P99_BOUND_MS
    print(f"webhooks_ratio {ratio:.2f} >={RATIO_BOUND} {'ok' if ratio >= RATIO_BOUND else 'short'}")
    print(f"webhooks_p99_ms {half['p99_ms']:.1f} <{P99_BOUND_MS} {'ok' if quick else 'short'}")
    return ratio >= RATIO_BOUND and quick


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--connections", default="16")
    parser.add_argument("--seconds", type=int, default=24, help="of inserts, of deliveries, and of deliveries at half the rate")
    parser.add_argument("--webhooks", type=int, default=100)
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="dvt-", dir="/var/tmp")
    os.chmod(directory, 0o711)
    try:
        bench = Bench(directory, options)
        try:
            return 0 if measure(bench, options.seconds) else 1
        finally:
            bench.close()
    finally:
        processes.remove_tree(directory)


if __name__ == "__main__":
    sys.exit(main())
