"""Runs a container of the manifests as a process of this machine: its command, arguments, environment and files, with other addresses."""

import os
import re

from harness import processes


class DanglingReference(AssertionError):
    """A container speaks of something that the manifests do not hold."""


def _key(rendered, kind, namespace, reference, data):
    """The value of a key of a ConfigMap or Secret."""
    if data is None or reference["key"] not in data:
        raise DanglingReference(f"{rendered.name}: {kind} {namespace}/{reference['name']} has no key {reference['key']}")
    return data[reference["key"]]


def _config_map(rendered, namespace, name):
    found = rendered.find("ConfigMap", namespace, name)
    if found is None:
        raise DanglingReference(f"{rendered.name}: ConfigMap {namespace}/{name} is missing")
    return found["data"]


def environment(rendered, workload, container):
    """The container's environment, references resolved."""
    values = {}
    for variable in container.get("env", []):
        if "value" in variable:
            values[variable["name"]] = variable["value"]
            continue
        source = variable["valueFrom"]
        if "configMapKeyRef" in source:
            reference = source["configMapKeyRef"]
            data = _config_map(rendered, workload.namespace, reference["name"])
            values[variable["name"]] = _key(rendered, "ConfigMap", workload.namespace, reference, data)
        elif source.get("fieldRef", {}).get("fieldPath") == "metadata.name":
            values[variable["name"]] = f"{workload.name}-0"
        else:
            raise DanglingReference(f"{rendered.name}: {workload}: {variable['name']}: a secret belongs into a file, not into the environment")
    return values


def arguments(container, values):
    """The container's arguments with $(NAME) replaced, as Kubernetes does it."""
    def value(match):
        if match.group(1) not in values:
            raise DanglingReference(f"{match.group(0)} is no variable of the container")
        return values[match.group(1)]
    return [re.sub(r"\$\(([A-Za-z0-9_]+)\)", value, argument) for argument in container.get("args", [])]


def program(container):
    """The built program that the container's command is in the image."""
    name = os.path.basename(container["command"][0])
    folder = name.replace("davit-", "").replace("-", "_")
    return processes.binary(f"services/{folder}/{name}")


class Machine:
    """Where containers run: a directory instead of their mounts, ports of 127.0.0.1 instead of their addresses."""

    def __init__(self, rendered, secrets):
        self.rendered, self.secrets = rendered, secrets
        self.directory = processes.temporary_directory("manifests")
        self.ports = {}  # Of Services and metrics, by (workload's name, container port).
        self.replacements = []  # Pairs that are replaced in arguments and environments before anything else.

    def close(self):
        processes.remove_tree(self.directory)

    def port(self, name, number):
        """The port of this machine that stands for a port of the pods called `name`."""
        return self.ports.setdefault((name, number), processes.free_port())

    def _write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)

    def _fill(self, workload, volume, directory):
        """Makes the files of a volume."""
        os.makedirs(directory, exist_ok=True)
        if "secret" in volume:
            key = (workload.namespace, volume["secret"]["secretName"])
            if key not in self.secrets:
                raise DanglingReference(f"{self.rendered.name}: {workload}: Secret {key} comes from nowhere")
            for name, text in self.secrets[key]["stringData"].items():
                self._write(os.path.join(directory, name), text)
        elif "configMap" in volume:
            for name, text in _config_map(self.rendered, workload.namespace, volume["configMap"]["name"]).items():
                self._write(os.path.join(directory, name), text)

    def _mounts(self, workload, container):
        """Makes what the container mounts; returns pairs of its path and ours, the longest first."""
        pairs = []
        for mount in container.get("volumeMounts", []):
            volume = workload.volume(mount["name"])
            if volume is None:
                raise DanglingReference(f"{self.rendered.name}: {workload}: volume {mount['name']} is missing")
            directory = os.path.join(self.directory, workload.name, mount["name"])
            self._fill(workload, volume, directory)
            pairs.append((mount["mountPath"], directory))
        return sorted(pairs, key=lambda pair: -len(pair[0]))

    def _translate(self, workload, text, mounts):
        for old, new in self.replacements:
            text = text.replace(old, new)
        # A Service that the manifests have, by its name in the cluster.
        def service(match):
            name, namespace, port = match.group(1), match.group(2), int(match.group(3))
            found = self.rendered.find("Service", namespace, name)
            if found is None or port not in [entry["port"] for entry in found["spec"]["ports"]]:
                raise DanglingReference(f"{self.rendered.name}: {workload}: there is no Service {name} in {namespace} with port {port}")
            return f"127.0.0.1:{self.port(name, port)}"
        text = re.sub(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc:(\d+)", service, text)
        text = re.sub(r"0\.0\.0\.0:(\d+)", lambda match: f"127.0.0.1:{self.port(workload.name, int(match.group(1)))}", text)
        for path, directory in mounts:
            text = re.sub(rf"(?<!\w){re.escape(path)}(?=/|$)", directory, text)
        return text

    def command(self, workload, container):
        """The program's path, its arguments and its environment on this machine."""
        mounts = self._mounts(workload, container)
        values = environment(self.rendered, workload, container)
        argv = [self._translate(workload, argument, mounts) for argument in arguments(container, values)]
        return [program(container), *argv], {key: self._translate(workload, value, mounts) for key, value in values.items()}
