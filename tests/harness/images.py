"""Looks into images with independent tools: skopeo, umoci, and the registry's own HTTP API."""

import base64
import hashlib
import json
import os
import stat
import subprocess
import urllib.error
import urllib.request

from harness import processes

MANIFESTS = ("application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, "
             "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json")


class ImageRegistry:
    """A registry with basic authentication over plain HTTP."""

    def __init__(self, host, username, password, directory):
        self.host = host
        self._authorization = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.auth_file = os.path.join(directory, "auth.json")
        with open(os.open(self.auth_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"auths": {host: {"auth": self._authorization.split()[1]}}}, file)
        self._unpacked = 0

    def _get(self, path, accept="*/*"):
        request = urllib.request.Request(f"http://{self.host}/v2/{path}",
                                         headers={"Authorization": self._authorization, "Accept": accept})
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30)

    def digest(self, repository, tag):
        """The manifest's digest, or None when there is no such tag."""
        try:
            with self._get(f"{repository}/manifests/{tag}", MANIFESTS) as response:
                return "sha256:" + hashlib.sha256(response.read()).hexdigest()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def manifest(self, repository, reference):
        with self._get(f"{repository}/manifests/{reference}", MANIFESTS) as response:
            return json.load(response)

    def blob(self, repository, digest):
        with self._get(f"{repository}/blobs/{digest}") as response:
            return response.read()

    def config(self, repository, reference):
        return json.loads(self.blob(repository, self.manifest(repository, reference)["config"]["digest"]))

    def tags(self, repository):
        try:
            with self._get(f"{repository}/tags/list") as response:
                return sorted(json.load(response).get("tags") or [])
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise

    def push_base_image(self, name="base/busybox:latest"):
        layout = os.path.join(self.directory, "base")
        if not os.path.exists(layout):
            processes.run(["python3", os.path.join(processes.ROOT, "deploy/local/lib/base_image.py"), layout])
        processes.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", "--authfile", self.auth_file, f"oci:{layout}:latest",
                       f"docker://{self.host}/{name}"])

    def unpack(self, repository, reference):
        """Copies the image with skopeo, unpacks it with umoci; returns the directory of its files."""
        self._unpacked += 1
        layout = os.path.join(self.directory, f"layout{self._unpacked}")
        bundle = os.path.join(self.directory, f"bundle{self._unpacked}")
        separator = "@" if reference.startswith("sha256:") else ":"
        processes.run(["skopeo", "copy", "-q", "--src-tls-verify=false", "--authfile", self.auth_file,
                       f"docker://{self.host}/{repository}{separator}{reference}", f"oci:{layout}:image"])
        processes.run(["umoci", "unpack", "--image", f"{layout}:image", bundle])
        return os.path.join(bundle, "rootfs")


def run_in(root, *argv):
    """Runs a program of an unpacked image, as an unprivileged user without a network; returns what it prints."""
    return processes.run(["unshare", "--net", "chroot", "--userspec=65534:65534", root, *argv], env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def listing(root):
    """{path: (type, mode, owner, group, content or link)} of everything below `root`, times left out."""
    found = {}
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            kind = stat.S_IFMT(info.st_mode)
            content = ""
            if kind == stat.S_IFLNK:
                content = os.readlink(path)
            elif kind == stat.S_IFREG:
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found[os.path.relpath(path, root)] = (kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, content)
    return found


class Docker:
    """Debian's docker command line on an engine's socket."""

    def __init__(self, socket, config_directory):
        self.environment = {"PATH": "/usr/bin:/bin", "DOCKER_HOST": f"unix://{socket}", "DOCKER_CONFIG": config_directory,
                            "DOCKER_BUILDKIT": "1", "HOME": config_directory}

    def __call__(self, *arguments):
        return processes.run(["/usr/bin/docker", *arguments], env=self.environment)

    def save(self, image, directory):
        """Unpacks an image of the engine; returns (config, directory of its files)."""
        layout = os.path.join(directory, "layout")
        archive = os.path.join(directory, "image.tar")
        self("save", "-o", archive, image)
        processes.run(["skopeo", "copy", "-q", f"docker-archive:{archive}", f"oci:{layout}:image"])
        processes.run(["umoci", "unpack", "--image", f"{layout}:image", os.path.join(directory, "bundle")])
        config = json.loads(subprocess.run(
            ["skopeo", "inspect", "--config", f"oci:{layout}:image"], check=True, stdout=subprocess.PIPE).stdout)
        return config, os.path.join(directory, "bundle/rootfs")
