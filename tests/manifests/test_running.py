"""The overlay dev, run as processes of this machine: its Jobs make the database, its containers start, answer their probes, print their metrics and
end when they are told to."""

import json
import os
import re
import signal
import subprocess
import unittest
import urllib.request

from harness import cli, processes
from manifests import containers, database, rendering
from manifests.rendering import overlay

SERVING = b"\0\0\0\0\x02\x08\x01"  # HealthCheckResponse, status SERVING, as gRPC frames it.


class RunningTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.rendered = overlay("dev")
        secrets = rendering.secrets("--database-admin")
        cls.machine = containers.Machine(cls.rendered, secrets)
        cls.addClassCleanup(cls.machine.close)
        password = secrets[("davit", "database-admin")]["stringData"]["password"].strip()
        cls.database = database.Database(password)
        cls.addClassCleanup(cls.database.close)
        cls.database.create("davit", password)
        cls.machine.replacements.append(("host=postgres port=5432", f"host={cls.database.host} port={cls.database.port}"))
        cls.unmigrated = {workload.name: cls.run_to_end(workload, container) for workload, container in cls.rendered.ours()
                          if any("database" in volume["name"] for volume in workload.pod.get("volumes", [])) and workload.kind == "Deployment"}
        cls.jobs = [cls.run_to_end(workload, container) for workload, container in cls.rendered.ours() if workload.kind == "Job"]
        cls.programs = {}
        for workload, container in cls.rendered.ours():
            if workload.kind != "Job":
                argv, variables = cls.machine.command(workload, container)
                cls.programs[workload.name] = processes.Program(argv, os.path.join(cls.machine.directory, f"{workload.name}.log"), variables)
                cls.addClassCleanup(cls.programs[workload.name].stop)

    @classmethod
    def run_to_end(cls, workload, container):
        argv, variables = cls.machine.command(workload, container)
        return subprocess.run(argv, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120)

    def each(self):
        for workload, container in self.rendered.ours():
            if workload.kind != "Job":
                yield workload, container, self.programs[workload.name]

    def probe(self, workload, container, kind):
        """Whether the container answers a probe as the kubelet wants it."""
        probe = container[kind]
        if "grpc" in probe:
            port = self.machine.port(workload.name, probe["grpc"]["port"])
            self.assertEqual(probe["grpc"].get("service", ""), "")
            result = subprocess.run(
                ["curl", "-s", "--http2-prior-knowledge", "-H", "content-type: application/grpc", "-H", "te: trailers", "--data-binary", "@-",
                 f"http://127.0.0.1:{port}/grpc.health.v1.Health/Check"], input=b"\0\0\0\0\0", stdout=subprocess.PIPE, check=False)
            return result.stdout == SERVING
        number = [port["containerPort"] for port in container["ports"] if port["name"] == probe["httpGet"]["port"]][0]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.machine.port(workload.name, number)}{probe['httpGet']['path']}") as answer:
                return 200 <= answer.status < 400
        except OSError:
            return False

    def metrics(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.machine.port(name, 9464)}/metrics") as answer:
            return answer.read().decode()

    def test_1_services_do_not_start_on_a_database_that_is_not_theirs_yet(self):
        for name, result in self.unmigrated.items():
            self.assertEqual(result.returncode, 1, f"{name}: {result.stdout}")

    def test_2_jobs_make_the_roles_and_the_schemas_and_can_be_repeated(self):
        again = [self.run_to_end(workload, container) for workload, container in self.rendered.ours() if workload.kind == "Job"]
        for result in self.jobs + again:
            self.assertEqual(result.returncode, 0, result.stdout)
            self.assertIn("the schema is up to date", result.stdout)

    def test_3_every_probe_is_answered(self):
        for workload, container, program in self.each():
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                program.wait_ready(lambda probed=(workload, container, kind): self.probe(*probed), 60, f"{kind} of {workload}")

    def test_4_every_program_prints_its_metrics_where_the_annotation_says(self):
        for workload, container, _ in self.each():
            annotations = workload.template["metadata"]["annotations"]
            self.assertEqual(annotations["prometheus.io/port"], "9464")
            self.assertIn(9464, [port["containerPort"] for port in container["ports"]])
            processes.wait_until(lambda name=workload.name: "# TYPE " in self.metrics(name), 20, f"metrics of {workload}")

    def test_5_the_scheduler_prints_the_metrics_that_scale_the_agents(self):
        query = overlay("production+keda").of("ScaledObject")[0]["spec"]["triggers"][0]["metadata"]["query"]
        names = set(re.findall(r"davit_\w+", query))
        self.assertEqual(len(names), 2)
        self.build_once()
        for name in names:
            processes.wait_until(lambda metric=name: re.search(rf'^{metric}{{[^}}]*pool="', self.metrics("scheduler"), re.MULTILINE), 90,
                                 f"{name} with the label pool")

    def build_once(self):
        """Puts a build into the queue, as the administrator."""
        context = os.path.join(self.machine.directory, "Dockerfile")
        with open(context, "w", encoding="utf-8") as file:
            file.write("FROM scratch\n")
        token = os.path.join(self.machine.directory, "admin.token")
        with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(rendering.secrets("--database-admin")[("davit", "admin-token")]["stringData"]["token"])
        davit = cli.Davit(f"127.0.0.1:{self.machine.port('scheduler', 7083)}", token, servers=[
            f"--token-registry=127.0.0.1:{self.machine.port('token-registry', 7081)}",
            f"--rule-engine=127.0.0.1:{self.machine.port('rule-engine', 7082)}"])
        self.assertTrue(davit("build", "-f", context, "--image", "registry.davit.svc:5000/try:1")["id"].startswith("bld_"))

    def test_6_every_program_drains_on_sigterm(self):
        for workload, _, program in self.each():
            program.signal(signal.SIGTERM)
        for workload, _, program in self.each():
            with self.subTest(workload=workload):
                self.assertEqual(program.process.wait(45), 0, program.output()[-2000:])
                lines = [json.loads(line)["msg"] for line in program.output().splitlines()]
                self.assertIn("draining; a second signal ends the process at once", lines)
                self.assertEqual(lines[-1], "stopped")


class HelpTest(unittest.TestCase):
    def test_help_names_the_port_that_the_manifests_use(self):
        for workload, container in overlay("production").ours():
            if workload.kind == "Job":
                continue
            text = subprocess.run([containers.program(container), "--help"], stdout=subprocess.PIPE, text=True, check=False).stdout
            listens = re.search(r"Listens on 127\.0\.0\.1:(\d+) unless --listen", text)
            self.assertIn(int(listens.group(1)), [port["containerPort"] for port in container["ports"]], workload)
