"""The overlays render, and Kubernetes would take what comes out."""

import unittest

from manifests import rendering
from manifests.rendering import OVERLAYS, overlay


class RenderingTest(unittest.TestCase):
    maxDiff = None

    def test_every_overlay_is_valid_by_the_schemas(self):
        for name in OVERLAYS:
            with self.subTest(overlay=name):
                self.assertEqual(rendering.schema_problems(overlay(name).objects), [])

    def test_the_printed_secrets_are_valid_by_the_schemas(self):
        self.assertEqual(rendering.schema_problems(list(rendering.secrets("--database-admin").values())), [])

    def test_the_schemas_refuse_unknown_fields_and_wrong_types(self):
        wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "labls": {}}, "spec": {"ports": [{"port": "80"}]}}
        self.assertEqual(rendering.schema_problems([wrong, {"apiVersion": "v1", "kind": "Nothing", "metadata": {"name": "x"}}]), [
            "Service/x: /spec/ports/0/port: type {\"type\":\"integer\"}", "Service/x: /metadata/labls: unknown field",
            "Nothing/x: no schema of v1 Nothing"])

    def test_the_base_needs_no_custom_resource(self):
        for name in ("dev", "production"):
            self.assertEqual({item["apiVersion"] for item in overlay(name).objects},
                             {"v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "policy/v1"})

    def test_no_name_is_there_twice(self):
        for name in OVERLAYS:
            seen = [(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in overlay(name).objects]
            self.assertEqual(len(seen), len(set(seen)))

    def test_no_overlay_holds_a_secret(self):
        for name in OVERLAYS:
            self.assertEqual(overlay(name).of("Secret"), [])

    def test_everything_has_the_standard_labels(self):
        for name in OVERLAYS:
            for item in overlay(name).objects:
                if item["kind"] == "ConfigMap" or item["kind"] == "Namespace" or item["apiVersion"].startswith("keda"):
                    continue
                self.assertEqual(item["metadata"]["labels"].get(rendering.PART_OF), "davit", item["metadata"]["name"])
            for workload in overlay(name).workloads:
                self.assertLessEqual({rendering.PART_OF, rendering.NAME, "app.kubernetes.io/component", "app.kubernetes.io/instance"},
                                     set(workload.labels), workload)


class ConfinementTest(unittest.TestCase):
    def each_container(self):
        for name in OVERLAYS:
            for workload in overlay(name).workloads:
                for container in workload.all_containers:
                    yield name, workload, container

    def test_no_pod_is_root_or_has_the_cluster_s_credentials(self):
        for name in OVERLAYS:
            for workload in overlay(name).workloads:
                with self.subTest(overlay=name, workload=workload):
                    security = workload.pod["securityContext"]
                    self.assertTrue(security["runAsNonRoot"])
                    self.assertGreater(security["runAsUser"], 0)
                    self.assertEqual(security["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertIs(workload.pod["automountServiceAccountToken"], False)
                    self.assertNotIn("hostNetwork", workload.pod)
                    self.assertFalse([volume for volume in workload.pod.get("volumes", []) if "hostPath" in volume])

    def test_containers_are_confined_and_only_buildkit_may_make_user_namespaces(self):
        for name, workload, container in self.each_container():
            with self.subTest(overlay=name, workload=workload, container=container["name"]):
                security = container["securityContext"]
                self.assertIs(security["readOnlyRootFilesystem"], True)
                self.assertEqual(security["capabilities"]["drop"], ["ALL"])
                builds = container["name"] == "buildkitd"
                self.assertEqual(security["allowPrivilegeEscalation"], builds)
                self.assertEqual("add" in security["capabilities"], builds)
                self.assertEqual("seccompProfile" in security, builds)
                self.assertEqual(builds, builds and workload.namespace == "davit-builders")
                self.assertIn("memory", container["resources"]["limits"])
                self.assertLessEqual({"cpu", "memory"}, set(container["resources"]["requests"]))

    def test_only_the_builders_namespace_allows_what_buildkit_needs(self):
        for name in OVERLAYS:
            enforced = {item["metadata"]["name"]: item["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
                        for item in overlay(name).of("Namespace")}
            self.assertEqual(enforced, {"davit": "restricted", "davit-builders": "privileged"})

    def test_what_serves_has_probes(self):
        for name, workload, container in self.each_container():
            if workload.kind == "Job":
                continue
            with self.subTest(overlay=name, workload=workload, container=container["name"]):
                self.assertTrue("livenessProbe" in container or "readinessProbe" in container)
                if container["image"].startswith("davit:") or "/davit:" in container["image"]:
                    self.assertLessEqual({"startupProbe", "readinessProbe", "livenessProbe"}, set(container))
