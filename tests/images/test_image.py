"""A push of this repository's own commit becomes Davit's image; the image's programs start in a container, confined as on a cluster, and answer."""

import json
import os
import re
import stat
import subprocess
import unittest

from harness import git, images, processes, world
from images import compile_cache, debian

SERVING = b"\0\0\0\0\x02\x08\x01"  # HealthCheckResponse, status SERVING, as gRPC frames it.
DOCKERFILE = "deploy/images/Dockerfile"


def programs():
    """The names of the programs that build.sh puts into the image."""
    with open(os.path.join(processes.ROOT, "deploy/images/build.sh"), encoding="utf-8") as file:
        listed = re.search(r"^programs=\((.*?)^\)", file.read(), re.DOTALL | re.MULTILINE).group(1)
    return [target.split(":")[1] for target in listed.split()]


class ImageTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = processes.temporary_directory("images")
        cls.addClassCleanup(processes.remove_tree, cls.directory)
        cls.git = git.GitServer(os.path.join(cls.directory, "git"))
        cls.addClassCleanup(cls.git.stop)
        cls.standalone = world.Standalone(cls.directory, allow_hosts=[cls.git.host]).start()
        cls.addClassCleanup(cls.standalone.stop)
        cls.davit = cls.standalone.davit()
        cls.registry = cls.standalone.registry()
        os.symlink(cls.registry.auth_file, os.path.join(cls.directory, "config.json"))
        cls.docker = images.Docker(cls.standalone.docker_socket, cls.directory)
        cls.image = f"{cls.registry.host}/davit/davit"
        cls.build = cls.build_image()
        if cls.build["state"] == "BUILD_STATE_SUCCEEDED":
            cls.docker("pull", "-q", f"{cls.image}:main")

    @classmethod
    def bridge_address(cls):
        """The address of this machine as the builds' containers see it."""
        name = next(iter(re.findall(r"--bridge=(\S+)", "\n".join(processes.processes_mentioning(cls.standalone.data)))))
        return json.loads(processes.run(["ip", "-j", "-4", "addr", "show", name]))[0]["addr_info"][0]["local"]

    @classmethod
    def build_image(cls):
        """Pushes the repository's commit and has Davit build it; returns the build."""
        repository = cls.git.create_repository("davit/davit")
        repository.git("fetch", "-q", processes.ROOT, "HEAD")
        repository.git("reset", "-q", "--hard", "FETCH_HEAD")
        repository.push()
        connection = cls.davit("connect", "create", "--provider", "git", "--name", "git", "--base-url", cls.git.url,
                               "--token-file", cls.git.token_file, "--probe-repository", repository.name)
        debian.import_image(cls.docker, "davit-build:latest")
        cache = compile_cache.CompileCache(cls.bridge_address())
        try:
            flags = f"--remote_cache={cache.url} --noremote_upload_local_results --remote_download_toplevel --disk_cache="
            build = cls.davit("build", "--connection", connection["id"], "--repository", repository.name, "--branch", "main",
                              "--file", DOCKERFILE, "--image", f"{cls.image}:main", "--build-arg", "BASE=davit-build:latest",
                              "--build-arg", "WEB=none", "--build-arg", f"BAZEL_FLAGS={flags}")
            return cls.davit.wait_build(build["id"], timeout=900)
        finally:
            print(f"compile cache: {cache.hits} hits, {cache.misses} misses", flush=True)
            cache.close()

    def setUp(self):
        if self.build["state"] != "BUILD_STATE_SUCCEEDED":
            self.fail(f"{self.build['state']}: {self.build.get('failure')}\n{self.davit.log(self.build['id'])[-6000:]}")

    def run_confined(self, *arguments, flags=()):
        """`docker run` as the manifests do it: not root, nothing to write to, no capabilities."""
        return self.docker("run", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", *flags, f"{self.image}:main", *arguments)

    def test_it_is_built_from_the_repository_s_own_commit(self):
        self.assertEqual(self.build["spec"]["git"]["commit"], processes.run(["git", "-C", processes.ROOT, "rev-parse", "HEAD"]).strip())

    def test_it_holds_the_programs_and_no_shell(self):
        root = self.registry.unpack("davit/davit", "main")
        found = {name for name in os.listdir(os.path.join(root, "usr/local/bin"))}
        self.assertEqual(found, set(programs()))
        executables = set()
        for directory, _, files in os.walk(root):
            for name in files:
                path = os.path.join(directory, name)
                mode = os.lstat(path).st_mode
                self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID), path)
                if stat.S_ISREG(mode) and mode & 0o111 and ".so" not in name:
                    executables.add(os.path.relpath(path, root))
        self.assertEqual(executables, {f"usr/local/bin/{name}" for name in programs()})
        self.assertTrue(os.path.isfile(os.path.join(root, "usr/share/zoneinfo/Europe/Berlin")), "tags may hold the time of a zone")
        size = sum(os.lstat(os.path.join(directory, name)).st_size for directory, _, files in os.walk(root) for name in files)
        self.assertLess(size, 200 << 20)

    def test_it_is_not_root(self):
        config = self.registry.config("davit/davit", "main")["config"]
        self.assertEqual(config["User"], "65532:65532")

    def test_every_program_finds_its_libraries_and_says_what_it_needs(self):
        for name in programs():
            result = subprocess.run(
                ["/usr/bin/docker", "run", "--rm", "--read-only", "--cap-drop=ALL", "--network=none", f"{self.image}:main",
                 f"/usr/local/bin/{name}", "--check-config"], env=self.docker.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                check=False)
            with self.subTest(program=name):
                self.assertNotIn("error while loading", result.stdout)
                self.assertTrue("--" in result.stdout or "valid" in result.stdout, result.stdout)

    def test_its_services_start_confined_and_answer_their_health_checks(self):
        token = os.path.join(self.directory, "token")
        with open(token, "w", encoding="utf-8") as file:
            file.write("dvt_" + "x" * 43 + "\n")
        os.chmod(token, 0o644)
        mount = f"--volume={token}:/etc/davit/token:ro"
        gateway = self.start("webhook-gateway", "--listen=0.0.0.0:7085", "--token_file=/etc/davit/token", flags=[mount])
        processes.wait_until(lambda: self.curl("-w", "%{http_code}", "-o", "/dev/null", f"http://{gateway}:7085/healthz") == b"200", 30,
                             "the gateway answers")
        agent = self.start("builder-agent", "--listen=0.0.0.0:7084", "--token_file=/etc/davit/token", "--agent_name=one", "--work_dir=/var/agent",
                           flags=[mount, "--tmpfs=/var:mode=1777"])
        processes.wait_until(lambda: self.curl(
            "--http2-prior-knowledge", "-H", "content-type: application/grpc", "-H", "te: trailers", "--data-binary", "@-",
            f"http://{agent}:7084/grpc.health.v1.Health/Check", stdin=b"\0\0\0\0\0") == SERVING, 30, "the agent answers")

    def start(self, name, *arguments, flags=()):
        """Starts a container; returns its address."""
        container = self.run_confined(f"/usr/local/bin/{name}", *arguments, flags=["--detach", *flags]).strip()
        self.addCleanup(lambda: self.docker("rm", "--force", container))
        return json.loads(self.docker("inspect", container))[0]["NetworkSettings"]["IPAddress"]

    def curl(self, *arguments, stdin=None):
        return subprocess.run(["curl", "-s", *arguments], input=stdin, stdout=subprocess.PIPE, check=False).stdout
