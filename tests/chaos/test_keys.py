"""Keys are rotated while the token-registry is killed again and again: every secret stays readable, and none keeps the old key."""

import base64
import contextlib
import os
import secrets
import subprocess
import unittest

from chaos import fleet
from harness import processes

WEBHOOKS = 120
# The rotation is killed so often, each time after about so many webhooks.
ROUNDS = 8
STEP = 10


class KeyRotationTest(fleet.FleetCase):

    def _old_ones(self, key):
        """How many secrets other keys wrap."""
        counts = " + ".join(f"(select count(*) from token_registry.{table} where sealed_key_id <> '{key}')"
                            for table in ("connections", "registry_credentials", "webhooks"))
        return int(self.fleet.sql(f"select {counts}")[0][0])

    @contextlib.contextmanager
    def _one_of_the_old_ones_held(self, key):
        """Locks a webhook that has still to be rotated, some way on, so that a rotation comes that far and no further."""
        psql = subprocess.Popen(["psql", "-qAt", "-h", self.fleet.engines.postgres_socket, "-U", "postgres", "-d", "fleet"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            # In a select of its own: for update would also lock those that offset skips.
            psql.stdin.write("begin; select id from token_registry.webhooks where id = (select id from token_registry.webhooks "
                             f"where sealed_key_id <> '{key}' order by ctid offset {STEP} limit 1) for update;\n")
            psql.stdin.flush()
            self.assertTrue(psql.stdout.readline().startswith("whk_"))
            yield
        finally:
            psql.stdin.close()  # Ends it, and its transaction.
            psql.wait(timeout=60)
            psql.stdout.close()

    def _waits_for_a_lock(self):
        return int(self.fleet.sql("select count(*) from pg_stat_activity where datname = 'fleet' and wait_event_type = 'Lock'")[0][0]) > 0

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

        left = before
        for _ in range(ROUNDS):
            with self._one_of_the_old_ones_held(key):
                with subprocess.Popen(self.davit.argv("keys", "rotate", "--batch", "3"),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"}) as rotation:
                    processes.wait_until(self._waits_for_a_lock, 60, "the rotation is in the middle", 0.01)
                    registry.kill()
                    self.assertNotEqual(rotation.wait(timeout=90), 0)
            processes.wait_until(lambda: not self._waits_for_a_lock(), 60, "what was killed has ended", 0.01)
            before_round, left = left, self._old_ones(key)
            self.assertTrue(0 < left < before_round, f"{before_round} before the round, {left} after it")
            registry.start()
            # What is half rotated is readable: the connection's token, by a call that needs it.
            self.assertEqual(self.davit("connect", "verify", self.fleet.connection["id"])["state"], "STATE_ACTIVE")
        self.davit.text("keys", "rotate")
        self.assertEqual(self._old_ones(key), 0)

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
