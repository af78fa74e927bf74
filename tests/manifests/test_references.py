"""Every name in the manifests stands for something: in the manifests, in the secrets from outside, in the image, in the programs."""

import os
import re
import subprocess
import unittest

from harness import processes
from manifests import containers, network, rendering
from manifests.rendering import NAME, OVERLAYS, overlay

# Secrets that other systems make, and their keys: CloudNativePG the database's, the certificates' issuer the TLS ones.
FROM_OUTSIDE = {
    ("davit", "davit-db-superuser"): {"username": "postgres\n", "password": "from-cloudnativepg\n"},
    ("davit", "console-tls"): {"tls.crt": "", "tls.key": ""},
    ("davit", "webhook-gateway-tls"): {"tls.crt": "", "tls.key": ""},
}


def known_secrets(name):
    """The Secrets that there are for an overlay."""
    if name == "dev":
        return rendering.secrets("--database-admin")
    return {**rendering.secrets(), **{key: {"stringData": data} for key, data in FROM_OUTSIDE.items()}}


class ReferencesTest(unittest.TestCase):
    maxDiff = None

    def test_selectors_select_the_pods_that_they_mean(self):
        for name in OVERLAYS:
            rendered = overlay(name)
            for item in rendered.of("Service", "PodDisruptionBudget"):
                selector = item["spec"]["selector"]
                selector = selector if item["kind"] == "PodDisruptionBudget" else {"matchLabels": selector}
                selected = rendered.select(item["metadata"]["namespace"], selector)
                self.assertEqual([workload.name for workload in selected], [item["metadata"]["name"]])
            for workload in rendered.workloads:
                if workload.kind != "Job":
                    self.assertEqual(rendered.select(workload.namespace, workload.item["spec"]["selector"]), [workload])
                if workload.kind == "StatefulSet":
                    self.assertIsNotNone(rendered.find("Service", workload.namespace, workload.item["spec"]["serviceName"]))

    def test_every_service_can_be_disrupted_one_pod_at_a_time(self):
        for name in OVERLAYS:
            budgets = {item["metadata"]["name"] for item in overlay(name).of("PodDisruptionBudget")}
            self.assertEqual(budgets, {workload.name for workload, _ in overlay(name).ours() if workload.kind != "Job"})

    def test_ports_have_names_that_services_ingresses_and_probes_use(self):
        for name in OVERLAYS:
            rendered = overlay(name)
            for item in rendered.of("Service"):
                workload = rendered.select(item["metadata"]["namespace"], {"matchLabels": item["spec"]["selector"]})[0]
                ports = {port["name"]: port["containerPort"] for container in workload.containers for port in container["ports"]}
                for port in item["spec"]["ports"]:
                    self.assertEqual(ports.get(port["targetPort"]), port["port"], item["metadata"]["name"])
            for item in rendered.of("Ingress"):
                for rule in item["spec"]["rules"]:
                    for path in rule["http"]["paths"]:
                        backend = path["backend"]["service"]
                        service = rendered.find("Service", item["metadata"]["namespace"], backend["name"])
                        self.assertIn(backend["port"]["name"], [port["name"] for port in service["spec"]["ports"]])
            for workload in rendered.workloads:
                for container in workload.all_containers:
                    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
                    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                        probe = container.get(kind, {})
                        if "grpc" in probe:
                            self.assertIn(probe["grpc"]["port"], ports.values())
                        for action in ("httpGet", "tcpSocket"):
                            if action in probe:
                                self.assertIn(probe[action]["port"], ports)

    def test_secrets_config_maps_claims_and_accounts_are_there(self):
        used = set()
        for name in OVERLAYS:
            rendered, secrets = overlay(name), known_secrets(name)
            for workload in rendered.workloads:
                with self.subTest(overlay=name, workload=workload):
                    account = rendered.find("ServiceAccount", workload.namespace, workload.pod["serviceAccountName"])
                    self.assertIs(account["automountServiceAccountToken"], False)
                    mounted = {mount["name"] for container in workload.all_containers for mount in container.get("volumeMounts", [])}
                    self.assertEqual(mounted, {volume["name"] for volume in workload.pod.get("volumes", [])} | set(workload.claims))
                    for volume in workload.pod.get("volumes", []):
                        if "secret" in volume:
                            self.assertIn((workload.namespace, volume["secret"]["secretName"]), secrets)
                            used.add((workload.namespace, volume["secret"]["secretName"]))
                        elif "configMap" in volume:
                            self.assertIsNotNone(rendered.find("ConfigMap", workload.namespace, volume["configMap"]["name"]))
                        elif "persistentVolumeClaim" in volume:
                            claim = volume["persistentVolumeClaim"]["claimName"]
                            self.assertIsNotNone(rendered.find("PersistentVolumeClaim", workload.namespace, claim))
                        else:
                            self.assertIn("emptyDir", volume)
                    for container in workload.all_containers:
                        containers.arguments(container, containers.environment(rendered, workload, container))
            for item in rendered.of("Ingress"):
                for tls in item["spec"].get("tls", []):
                    self.assertIn((item["metadata"]["namespace"], tls["secretName"]), secrets)
                    self.assertEqual(tls["hosts"], [rule["host"] for rule in item["spec"]["rules"]])
        # Nothing is made that nobody uses; the administrator's token is for people.
        self.assertEqual(set(rendering.secrets("--database-admin")) - used, {("davit", "admin-token")})

    def test_settings_are_all_used(self):
        for name in OVERLAYS:
            rendered = overlay(name)
            for item in rendered.of("ConfigMap"):
                used = {variable["valueFrom"]["configMapKeyRef"]["key"] for workload in rendered.workloads
                        for container in workload.all_containers for variable in container.get("env", [])
                        if variable.get("valueFrom", {}).get("configMapKeyRef", {}).get("name") == item["metadata"]["name"]}
                if "settings" in item["metadata"]["name"]:
                    self.assertEqual(used, set(item["data"]), item["metadata"]["name"])

    def test_each_service_has_secrets_of_its_own(self):
        for name in OVERLAYS:
            holders = {}
            for workload in overlay(name).workloads:
                for volume in workload.pod.get("volumes", []):
                    if "secret" in volume:
                        holders.setdefault(volume["secret"]["secretName"], set()).add(workload.name.replace("migrate-", ""))
            admin = {"database-admin", "davit-db-superuser"} & set(holders)
            self.assertEqual({secret for secret, names in holders.items() if len(names) > 1}, admin)
            for workload, container in overlay(name).ours():
                if workload.kind != "Job":
                    self.assertFalse([volume for volume in workload.pod.get("volumes", []) if "owner" in volume["name"]], workload)

    def test_the_network_lets_the_architecture_s_arrows_through_and_nothing_else(self):
        for name in OVERLAYS:
            self.assertEqual(network.arrows(overlay(name)), network.EXPECTED[name])

    def test_whatever_a_container_calls_it_may_reach(self):
        for name in OVERLAYS:
            rendered = overlay(name)
            for workload, container in rendered.ours():
                for argument in container.get("args", []):
                    called = re.match(r"--\w+=([a-z-]+)\.([a-z-]+)\.svc:(\d+)$", argument)
                    if called:
                        self.assertIn((workload.name, called.group(1), f"TCP/{called.group(3)}"), network.EXPECTED[name])
                        self.assertIsNotNone(rendered.find("Service", called.group(2), called.group(1)))

    def test_autoscaling_scales_the_agents(self):
        scaled = overlay("production+keda").of("ScaledObject")[0]
        target = scaled["spec"]["scaleTargetRef"]
        self.assertIsNotNone(overlay("production+keda").find(target["kind"], scaled["metadata"]["namespace"], target["name"]))
        agent = [container for workload, container in overlay("production+keda").ours() if workload.name == "builder-agent"][0]
        self.assertIn(f"--slots={scaled['spec']['triggers'][0]['metadata']['threshold']}", agent["args"])


class ImageTest(unittest.TestCase):
    """What the manifests say of the image, against what it is made of."""

    def read(self, name):
        with open(os.path.join(processes.ROOT, "deploy/images", name), encoding="utf-8") as file:
            return file.read()

    def test_the_image_holds_the_programs_that_the_containers_run(self):
        held = {f"/usr/local/bin/{name}" for name in re.findall(r"^  services/\w+:([\w-]+)$", self.read("build.sh"), re.MULTILINE)}
        for name in OVERLAYS:
            for workload, container in overlay(name).ours():
                self.assertEqual(len(container["command"]), 1)
                self.assertIn(container["command"][0], held, workload)

    def test_the_services_run_as_the_user_of_the_image(self):
        user, group = re.search(r"^USER (\d+):(\d+)$", self.read("Dockerfile"), re.MULTILINE).groups()
        for name in OVERLAYS:
            for workload, _ in overlay(name).ours():
                if workload.namespace == "davit":
                    security = workload.pod["securityContext"]
                    self.assertEqual((security["runAsUser"], security["runAsGroup"]), (int(user), int(group)), workload)

    def test_every_image_has_a_tag_and_only_known_ones_are_used(self):
        for name in OVERLAYS:
            used = {container["image"] for workload in overlay(name).workloads for container in workload.all_containers}
            for image in used:
                self.assertRegex(image, r":[\w.-]+$")
                self.assertNotIn(image.split(":")[-1], ("latest", ""))
            self.assertEqual({image.rsplit(":", 1)[0] for image in used}, {
                "davit", "moby/buildkit", "postgres", "registry"} if name == "dev" else {"registry.example.com/davit/davit", "moby/buildkit"})


class ConfigurationTest(unittest.TestCase):
    """The programs themselves say whether what they are given is right."""

    def check(self, rendered, workload, container, machine):
        argv, variables = machine.command(workload, container)
        return subprocess.run([argv[0], "--check-config", *argv[1:]], env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)

    def test_each_program_takes_its_arguments_environment_and_files(self):
        for name in OVERLAYS:
            machine = containers.Machine(overlay(name), known_secrets(name))
            self.addCleanup(machine.close)
            for workload, container in overlay(name).ours():
                with self.subTest(overlay=name, workload=workload):
                    result = self.check(overlay(name), workload, container, machine)
                    self.assertEqual((result.returncode, result.stdout), (0, "The configuration is valid.\n"))

    def test_a_program_whose_secret_is_empty_says_so(self):
        rendered = overlay("dev")
        broken = {key: {"stringData": {name: "\n" for name in item["stringData"]}} for key, item in known_secrets("dev").items()}
        machine = containers.Machine(rendered, broken)
        self.addCleanup(machine.close)
        for workload, container in rendered.ours():
            if workload.pod.get("volumes"):
                result = self.check(rendered, workload, container, machine)
                self.assertEqual(result.returncode, 1, workload)
                self.assertIn("_file: ", result.stdout)

    def test_each_service_s_token_has_the_role_that_its_program_asks_for_and_no_other(self):
        granted = {}
        for line in rendering.secrets()[("davit", "bootstrap-tokens")]["stringData"]["tokens"].splitlines():
            role, project, token = line.split()
            self.assertEqual(project, "*")
            granted[token] = role
        for workload, container in overlay("production").ours():
            mounted = [volume["secret"]["secretName"] for volume in workload.pod.get("volumes", []) if volume["name"] == "token"]
            result = subprocess.run([containers.program(container), "--check-config"], env={}, stdout=subprocess.PIPE, text=True, check=False)
            asked = re.search(r"an API token of the role (\S+)", result.stdout)
            if workload.kind == "Job" or asked is None:
                self.assertEqual(mounted, [], workload)
            else:
                token = rendering.secrets()[(workload.namespace, mounted[0])]["stringData"]["token"].strip()
                self.assertEqual(granted.pop(token), asked.group(1), workload)
        self.assertEqual(list(granted.values()), ["admin"])

    def test_the_slots_of_a_drain_fit_into_the_grace_period(self):
        for name in OVERLAYS:
            for workload, container in overlay(name).ours():
                if workload.kind == "Job":
                    continue
                drain = [int(re.fullmatch(r"--drain_timeout=(\d+)s", argument).group(1)) for argument in container["args"]
                         if argument.startswith("--drain_timeout")]
                self.assertEqual(len(drain), 1, workload)
                self.assertGreaterEqual(workload.pod["terminationGracePeriodSeconds"], drain[0] + 10, workload)

    def test_the_selector_label_is_the_program_s_name(self):
        for name in OVERLAYS:
            for workload, container in overlay(name).ours():
                self.assertEqual(workload.labels[NAME], workload.name)
                self.assertEqual(os.path.dirname(container["command"][0]), "/usr/local/bin")
                self.assertTrue(os.path.exists(containers.program(container)))
