"""Every service as a process of its own, on the engines of a davit-standalone: what the chaos suite breaks."""

import atexit
import os
import re
import unittest

from harness import cli, git, processes, world

LEASE = 6  # seconds: a killed scheduler must be back within it, also on a busy machine


class Service:
    """One service's process; started again on the same port after it was killed."""

    def __init__(self, fleet, name, target, flags, port=None):
        self.fleet, self.name, self.target, self.flags, self.port = fleet, name, target, flags, port
        self.program = None

    def start(self):
        self.program = processes.Program([processes.binary(self.target), *self.flags], os.path.join(self.fleet.directory, f"{self.name}.log"))
        if self.port:
            self.program.wait_ready(lambda: processes.listening(self.port), 30, f"{self.name} listens")
        return self

    def kill(self):
        self.program.kill()

    def stop(self):
        if self.program and self.program.running():
            self.program.stop()


class Fleet:
    """Engines, the services, and agents on demand. `engines` are further flags of the davit-standalone that runs the engines."""

    def __init__(self, engines=()):
        self.directory = processes.temporary_directory("fleet")
        self.git = git.GitServer(os.path.join(self.directory, "git"))
        # The engines; its own services idle on a database of their own.
        self.engines = world.Standalone(os.path.join(self.directory, "e"), flags=["--build_slots=0", *engines])
        os.makedirs(self.engines.directory, mode=0o711)
        self.engines.start()
        self.registry = self.engines.registry()
        self.registry.push_base_image()
        processes.run(["psql", "-q", "-h", self.engines.postgres_socket, "-U", "postgres", "-c", "create database fleet", "davit"])
        self._provision()
        self.ports = {name: processes.free_port() for name in ("token-registry", "rule-engine", "scheduler", "webhook-gateway")}
        self.services = {name: self._service(name) for name in self.ports}
        for name in ("token-registry", "scheduler", "rule-engine", "webhook-gateway"):
            self.services[name].start()
        self.davit = cli.Davit(self._address("scheduler"), os.path.join(self.provisioner.data, "admin.token"), servers=[
            f"--token-registry={self._address('token-registry')}", f"--rule-engine={self._address('rule-engine')}"])
        probe = self.git.create_repository("probe/probe")
        probe.commit({"README": "tried when the connection is made\n"})
        probe.push()
        self.connection = self.davit("connect", "create", "--provider", "git", "--name", "git", "--base-url", self.git.url,
                                     "--token-file", self.git.token_file, "--probe-repository", "probe/probe")
        self._repositories = 0
        self.agents = []

    def _provision(self):
        """Has a davit-standalone make the schemas, the tokens and the registry's credential, and stops it again."""
        credentials = os.path.join(self.directory, "registry-credentials")
        with open(os.open(credentials, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(f"davit:{self.engines.secret('registry.password')}\n")
        directory = os.path.join(self.directory, "p")
        os.makedirs(directory, mode=0o711)
        self.provisioner = world.Standalone(directory, allow_hosts=[self.engines.registry_host], flags=[
            f"--database={self._conninfo('postgres')}", f"--registry={self.engines.registry_host}",
            f"--registry_credentials_file={credentials}", "--buildkit=none", "--build_slots=0"])
        self.provisioner.start()
        self.provisioner.stop()

    def _conninfo(self, role):
        return f"host={self.engines.postgres_socket} dbname=fleet user={role}"

    def _address(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    def _token_file(self, name):
        return os.path.join(self.provisioner.data, "secrets", name)

    def _service(self, name):
        schema = name.replace("-", "_")
        flags = [f"--listen={self._address(name)}"]
        if name != "webhook-gateway":
            flags += [f"--database={self._conninfo(f'davit_{schema}')}"]
        if name != "token-registry":
            token = {"rule-engine": "rule_engine.token", "scheduler": "scheduler.token", "webhook-gateway": "gateway.token"}[name]
            flags += [f"--token_registry={self._address('token-registry')}", f"--token_file={self._token_file(token)}"]
        allowed = f"--allow_hosts={self.git.host},{self.engines.registry_host}"
        if name == "token-registry":
            flags += [f"--key_file={self._token_file('keys')}", f"--bootstrap_tokens_file={self._token_file('bootstrap_tokens')}", allowed]
        if name == "scheduler":
            flags += [f"--lease_ttl={LEASE}s", allowed]
        if name == "rule-engine":
            flags += [f"--scheduler={self._address('scheduler')}"]
        if name == "webhook-gateway":
            flags += [f"--rule_engine={self._address('rule-engine')}"]
        return Service(self, name, f"services/{schema}/{name}", flags, self.ports[name])

    def agent(self, name, slots=2):
        """Starts an agent; it is stopped with the fleet."""
        work = os.path.join(self.directory, f"agent-{name}")
        agent = Service(self, f"agent-{name}", "services/builder_agent/builder-agent", [
            f"--agent_name={name}", f"--slots={slots}", f"--work_dir={work}", f"--scheduler={self._address('scheduler')}",
            f"--token_registry={self._address('token-registry')}", f"--token_file={self._token_file('agent.token')}",
            f"--buildkit=docker-engine://{self.engines.docker_socket}", f"--allow_hosts={self.git.host},{self.engines.registry_host}",
            f"--listen=127.0.0.1:{processes.free_port()}"])
        agent.start()
        self.agents.append(agent)
        processes.wait_until(lambda: any(a["name"] == name and a["state"] == "STATE_READY" for a in self.davit("agents")["agents"]), 30,
                             f"agent {name} is there")
        return agent

    def stop_agents(self):
        for agent in self.agents:
            agent.stop()
        self.agents = []

    def repository(self, files):
        self._repositories += 1
        repository = self.git.create_repository(f"chaos/app{self._repositories}")
        repository.commit(files)
        return repository

    def image(self, repository):
        return f"{self.registry.host}/{repository.name}"

    def sql(self, statement):
        """Asks the services' database as its administrator; returns the rows as lists of texts."""
        said = processes.run(["psql", "-qAt", "-F", "\t", "-h", self.engines.postgres_socket, "-U", "postgres", "-d", "fleet", "-c", statement])
        return [line.split("\t") for line in said.splitlines()]

    def build(self, repository, *flags):
        """Starts a build of main; returns its id."""
        return self.davit("build", "--connection", self.connection["id"], "--repository", repository.name, "--branch", "main", "--image",
                          self.image(repository), "--build-arg", f"REGISTRY={self.registry.host}", *flags)["id"]

    def output(self):
        """The ends of all services' logs, to explain a failure."""
        ends = []
        for name in sorted(os.listdir(self.directory)):
            if name.endswith(".log"):
                with open(os.path.join(self.directory, name), encoding="utf-8", errors="replace") as file:
                    ends.append(f"== {name}\n{file.read()[-3000:]}")
        return "\n".join(ends)

    def close(self):
        self.stop_agents()
        for service in self.services.values():
            service.stop()
        self.engines.stop()
        self.git.stop()
        if not os.environ.get("DAVIT_KEEP"):
            processes.remove_tree(self.directory)


_shared = []


def shared():
    if not _shared:
        _shared.append(Fleet())
        atexit.register(_shared[0].close)
    return _shared[0]


class FleetCase(unittest.TestCase):
    """A test on the suite's fleet; every test has its own agents."""

    @classmethod
    def setUpClass(cls):
        cls.fleet = shared()
        cls.davit = cls.fleet.davit
        cls.registry = cls.fleet.registry

    def setUp(self):
        self.addCleanup(self.fleet.stop_agents)

    def slow_repository(self, lines=100, pause=0.1):
        """A repository whose build prints numbered lines, slowly, and is different every time."""
        return self.fleet.repository({
            "Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/base/busybox:latest\nARG DAVIT_BUILD\nCOPY salt /salt\n"
                          f"RUN for i in $(seq 1 {lines}); do echo line-$i; sleep {pause}; done\n",
            "salt": os.urandom(8).hex()})

    def started(self, build_id, line="line-5\n"):
        """Waits until the build's log holds the line."""
        def printed():
            try:
                return line in self.davit.log(build_id)
            except cli.CommandError:
                return False  # No attempt yet.
        processes.wait_until(printed, 60, f"{build_id} prints {line!r}")

    def assert_whole_log(self, build, lines=100):
        """The last attempt's log is complete: every line once, in order."""
        attempt = build["attempts"][-1]
        self.assertTrue(attempt["log_complete"], attempt)
        log = self.davit.log(build["id"])
        self.assertEqual(len(log.encode()), int(attempt["log_size"]))
        self.assertEqual([int(n) for n in re.findall(r"line-(\d+)$", log, re.MULTILINE)], list(range(1, lines + 1)))

    def assert_ended_once(self, build):
        """Exactly one terminal record."""
        ended = [t for t in build["transitions"] if t["state"] in cli.ENDED]
        self.assertEqual(len(ended), 1, build["transitions"])
        self.assertEqual(build["state"], "BUILD_STATE_SUCCEEDED", f"{build.get('failure')}\n{self.fleet.output()}")
