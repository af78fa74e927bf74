"""Every RPC of every service wants a token whose role allows it; asked from outside over plain HTTP/2 with curl."""

import base64
import os
import re
import subprocess

from harness import processes
from harness.world import WorldCase

PROTOS = os.path.join(processes.ROOT, "proto/davit")

# gRPC status codes.
PERMISSION_DENIED, UNAUTHENTICATED = "7", "16"


def every_rpc():
    """Full names of all RPCs, read from the .proto files: `/davit.rules.v1.RuleEngine/GetRule`."""
    names = []
    for folder, _, files in os.walk(PROTOS):
        for name in files:
            if not name.endswith(".proto"):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            package = re.search(r"^package ([\w.]+);", text, re.MULTILINE).group(1)
            for service in re.finditer(r"^service (\w+) \{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
                for rpc in re.finditer(r"^  rpc (\w+)\(", service.group(2), re.MULTILINE):
                    names.append(f"/{package}.{service.group(1)}/{rpc.group(1)}")
    return sorted(names)


class IdentityTest(WorldCase):

    def status_of(self, rpc, token=None):
        """Calls an RPC with an empty message; returns (grpc-status, grpc-message)."""
        empty_message = os.path.join(self.world.directory, "empty-message")
        with open(empty_message, "wb") as file:
            file.write(b"\0\0\0\0\0")
        headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        if token is not None:
            # From a file, so that a token is not in the process list.
            header_file = os.path.join(self.world.directory, "authorization")
            with open(os.open(header_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(f"authorization: Bearer {token}\n")
            headers += ["-H", f"@{header_file}"]
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "20", "--http2-prior-knowledge", "--dump-header", "-", "--output", "/dev/null",
             *headers, "--data-binary", f"@{empty_message}", f"http://{self.world.standalone.listen}{rpc}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        status = re.search(r"^grpc-status: (\d+)", done.stdout, re.MULTILINE)
        message = re.search(r"^grpc-message: (.*?)\r?$", done.stdout, re.MULTILINE)
        self.assertTrue(status, f"{rpc}: {done.stdout}")
        return status.group(1), message.group(1) if message else ""

    def test_every_rpc_refuses_a_call_without_a_token_and_with_an_unknown_one(self):
        rpcs = every_rpc()
        self.assertGreater(len(rpcs), 40)
        for rpc in rpcs:
            with self.subTest(rpc=rpc):
                self.assertEqual(self.status_of(rpc), (UNAUTHENTICATED, "missing bearer token"))
                status, message = self.status_of(rpc, "dvt_" + base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("="))
                self.assertEqual((status, message), (UNAUTHENTICATED, "token is not valid or was revoked"))

    def test_a_viewer_can_change_nothing_and_an_agent_can_only_work(self):
        made = self.davit("tokens", "create", "--name", "looks", "--role", "viewer")
        viewer = made["token"]
        agent = self.world.standalone.secret("agent.token")
        for rpc in every_rpc():
            verb = rpc.split("/")[-1]
            with self.subTest(rpc=rpc):
                if not re.match(r"(Get|List|Preview|Simulate|Explain|Watch|ReadLog)", verb) or verb == "GetWebhookSecret":
                    self.assertEqual(self.status_of(rpc, viewer)[0], PERMISSION_DENIED, f"viewer, {rpc}")
                if ".AgentService/" not in rpc and verb not in ("IssueBuildCredentials", "GetCaller"):
                    self.assertEqual(self.status_of(rpc, agent)[0], PERMISSION_DENIED, f"agent, {rpc}")

    def test_a_revoked_token_is_refused(self):
        made = self.davit("tokens", "create", "--name", "for a moment", "--role", "viewer")
        self.assertNotEqual(self.status_of("/davit.rules.v1.RuleEngine/ListRules", made["token"])[0], UNAUTHENTICATED)
        self.davit("tokens", "revoke", made["api_token"]["id"])
        # The services remember a token for at most 30 seconds; the token-registry itself refuses at once.
        self.assertEqual(self.status_of("/davit.registry.v1.TokenRegistry/ListConnections", made["token"])[0], UNAUTHENTICATED)
        processes.wait_until(lambda: self.status_of("/davit.rules.v1.RuleEngine/ListRules", made["token"])[0] == UNAUTHENTICATED, 35,
                             "the rule-engine refuses the revoked token", interval=1)
