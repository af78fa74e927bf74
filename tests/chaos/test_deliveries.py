"""A stream of deliveries while the services that take them are killed: what was acknowledged is in the ledger, and is built once."""

import collections
import http.client
import json
import os
import queue
import random
import threading
import time
import unittest
import uuid

from chaos import fleet
from harness import processes, webhooks

DELIVERIES = 2000
REPEATED = 0.15  # the same delivery again
AGAIN = 0.03     # the same commit of the same ref, in a new delivery
SENDERS = 8
PER_SECOND = 90  # so that the stream lasts some twenty seconds
VICTIMS = ("webhook-gateway", "rule-engine", "token-registry")
RULES = {"team/one": ["main"], "team/two": ["main", "release/*"], "team/three": ["main"]}  # and nothing for team/none


class Delivery:
    """A push and the id it is delivered with."""

    def __init__(self, repository, ref, commit):
        self.push, self.id = (repository, ref, commit), str(uuid.uuid4())
        self.body = json.dumps(webhooks.github_push(repository, ref, commit)).encode()

    def again(self):
        return Delivery(*self.push)


def make_stream(randomness):
    """The deliveries in the order in which they are sent, repeats included."""
    stream = []
    while len(stream) < DELIVERIES:
        chance = randomness.random()
        if stream and chance < REPEATED:
            stream.append(randomness.choice(stream[-200:]))
        elif stream and chance < REPEATED + AGAIN:
            stream.append(randomness.choice(stream).again())
        else:
            repository = randomness.choice([*RULES, "team/none"])
            ref = randomness.choice(["refs/heads/main", "refs/heads/main", "refs/heads/release/1", "refs/heads/other"])
            stream.append(Delivery(repository, ref, f"{randomness.getrandbits(160):040x}"))
    return stream


class Senders:
    """Deliver the stream at its pace, each delivery until it is answered with 2xx."""

    def __init__(self, port, path, secret, stream):
        self.port, self.path, self.secret = port, path, secret
        self.waiting = queue.SimpleQueue()
        self.acknowledged = collections.Counter()
        self.refusals = collections.Counter()
        self.unexpected = []
        self._lock = threading.Lock()
        self._begin = time.monotonic()
        for place, delivery in enumerate(stream):
            self.waiting.put((place, delivery))
        self._threads = [threading.Thread(target=self._send_all, daemon=True) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def running(self):
        return any(thread.is_alive() for thread in self._threads)

    def _send_all(self):
        while True:
            try:
                place, delivery = self.waiting.get_nowait()
            except queue.Empty:
                return
            time.sleep(max(0, self._begin + place / PER_SECOND - time.monotonic()))
            for _ in range(600):
                outcome = self._send(delivery)
                with self._lock:
                    if outcome == 200:
                        self.acknowledged[delivery.id] += 1
                        break
                    self.refusals[outcome] += 1
                    if outcome not in ("no answer", 503):
                        self.unexpected.append((outcome, delivery.push))
                        break
                time.sleep(0.1)

    def _send(self, delivery):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request("POST", self.path, delivery.body, {
                "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery.id,
                "X-Hub-Signature-256": webhooks.signature(self.secret, delivery.body)})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return "no answer"
        finally:
            connection.close()


class DeliveryTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        # One of its own, without agents: nobody is to build what stays queued.
        cls.fleet = fleet.Fleet(engines=["--buildkit=none"])
        cls.addClassCleanup(cls.fleet.close)

    def _rules(self):
        """Makes the rules; returns what their ids build: {id: (repository, branches)}."""
        made = {}
        for number, (repository, branches) in enumerate(RULES.items()):
            flags = [flag for branch in branches for flag in ("--branch", branch)]
            rule = self.fleet.davit("rule", "create", "--name", f"rule-{number}", "--connection", self.fleet.connection["id"],
                                    "--repository", repository, *flags, "--image", f"{self.fleet.registry.host}/{repository}",
                                    "--image-tag", "{commit:12}")
            made[rule["id"]] = (repository, branches)
        return made

    @staticmethod
    def _expected(rules, stream):
        """The (rule, ref, commit) that must have a build."""
        expected = set()
        for repository, ref, commit in {delivery.push for delivery in stream}:
            for rule, (of_repository, branches) in rules.items():
                matches = ref == "refs/heads/main" or (ref.startswith("refs/heads/release/") and "release/*" in branches)
                if repository == of_repository and matches:
                    expected.add((rule, ref, commit))
        return expected

    def _kill_while(self, senders, randomness):
        """Kills and starts the services again, in a random order, while the stream lasts; returns how often each."""
        killed = collections.Counter()
        turns = []
        while senders.running():
            turns = turns or randomness.sample(VICTIMS, len(VICTIMS))
            victim = self.fleet.services[turns.pop()]
            time.sleep(randomness.uniform(0.2, 1.0))
            victim.kill()
            killed[victim.name] += 1
            time.sleep(randomness.uniform(0, 0.6))
            victim.start()
        return killed

    def _settled(self):
        return self.fleet.sql("select (select count(*) from rule_engine.events where state = 'received') + "
                              "(select count(*) from rule_engine.build_orders)") == [["0"]]

    def test_every_acknowledged_delivery_is_in_the_ledger_and_built_once(self):
        seed = int(os.environ.get("DAVIT_SEED") or random.randrange(2**32))
        print(f"DAVIT_SEED={seed}", flush=True)
        randomness = random.Random(seed)
        rules = self._rules()
        hook = self.fleet.davit("webhook", "create", self.fleet.connection["id"])
        stream = make_stream(randomness)
        senders = Senders(self.fleet.ports["webhook-gateway"], hook["path"], hook["secret"], stream)
        killed = self._kill_while(senders, randomness)
        print(f"killed {dict(killed)}, refused {dict(senders.refusals)}", flush=True)
        self.assertEqual(senders.unexpected, [])
        for name in VICTIMS:
            self.assertGreaterEqual(killed[name], 2, killed)
        self.assertEqual(senders.acknowledged, collections.Counter(delivery.id for delivery in stream))

        processes.wait_until(self._settled, 240, f"all events are evaluated and all builds ordered\n{self.fleet.output()}")
        ledger = collections.Counter(row[0] for row in self.fleet.sql("select delivery_id from rule_engine.events where kind = 'webhook'"))
        self.assertEqual(ledger, collections.Counter({delivery.id: 1 for delivery in stream}))
        expected = self._expected(rules, stream)
        builds = collections.Counter(map(tuple, self.fleet.sql("select rule_id, ref, commit_id from scheduler.builds where rule_id <> ''")))
        self.assertEqual({build: count for build, count in builds.items() if count != 1}, {})
        self.assertEqual(set(builds), expected)
        # Every event says so, too.
        unexplained = self.fleet.sql("select count(*) from rule_engine.rule_builds where build_id is null")
        self.assertEqual(unexplained, [["0"]])


if __name__ == "__main__":
    unittest.main()
