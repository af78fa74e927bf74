"""Keys are rotated while the token-registry is killed again and again: every secret stays readable, and none keeps the old key."""

import base64
import os
import secrets
import subprocess
import time
import unittest

from chaos import fleet
from harness import processes

WEBHOOKS = 120


class KeyRotationTest(fleet.FleetCase):

    def _old_ones(self, key):
        """How many secrets other keys wrap."""
        counts = " + ".join(f"(select count(*) from token_registry.{table} where sealed_key_id <> '{key}')"
                            for table in ("connections", "registry_credentials", "webhooks"))
        return int(processes.run(["psql", "-tA", "-h", self.fleet.engines.postgres_socket, "-U", "postgres", "-c", f"select {counts}",
                                  "fleet"]))

    def _put_key_in_front(self, key):
        path = os.path.join(self.fleet.provisioner.data, "secrets", "keys")
        with open(path, encoding="ascii") as file:
            old = file.read()
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{key} {base64.b64encode(secrets.token_bytes(32)).decode()}\n{old}")
        return path

    def test_a_rotation_goes_on_after_kill_9(self):
        registry = self.fleet.services["token-registry"]
        for _ in range(WEBHOOKS):
            self.davit("webhook", "create", self.fleet.connection["id"])
        key = f"k{secrets.token_hex(4)}"
        path = self._put_key_in_front(key)
        registry.kill()
        registry.start()
        before = self._old_ones(key)
        self.assertGreater(before, WEBHOOKS)

        kills = 0
        interrupted_at = set()
        while self._old_ones(key) > 0:
            self.assertLess(kills, 100, "the rotation does not come to an end")
            with subprocess.Popen(self.davit.argv("keys", "rotate", "--batch", "3"),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"}) as rotation:
                before_round = self._old_ones(key)
                processes.wait_until(lambda left=before_round: self._old_ones(key) < left or rotation.poll() is not None, 60, "the rotation goes on", 0.01)
                time.sleep(0.01 * (kills % 7))
                registry.kill()
                rotation.wait(timeout=90)
            kills += 1
            interrupted_at.add(self._old_ones(key))
            registry.start()
            # What is half rotated is readable: the connection's token, by a call that needs it.
            self.assertEqual(self.davit("connect", "verify", self.fleet.connection["id"])["state"], "STATE_ACTIVE")
        self.assertTrue(any(0 < left < before for left in interrupted_at), f"no kill hit the middle: {interrupted_at}")
        self.davit.text("keys", "rotate")

        # The old keys are not needed any more.
        with open(path, encoding="ascii") as file:
            first = file.readline()
        with open(path, "w", encoding="ascii") as file:
            file.write(first)
        registry.kill()
        registry.start()
        self.assertEqual(self.davit("connect", "verify", self.fleet.connection["id"])["state"], "STATE_ACTIVE")


if __name__ == "__main__":
    unittest.main()
