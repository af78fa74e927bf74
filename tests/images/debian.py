"""Makes an image of Debian with the packages that a build needs, out of this machine's own files: no network, no package manager."""

import os
import re
import subprocess

from harness import processes

SKIPPED = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/", "/usr/share/lintian/")
MERGED = ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")
# What packages make when they are installed.
MADE = ["/etc/alternatives", "/etc/group", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/nsswitch.conf", "/etc/passwd",
        "/etc/ssl/certs/ca-certificates.crt", "/var/lib/dpkg/status"]


def _wanted_packages():
    """The group `build` of install_packages.sh."""
    with open(os.path.join(processes.ROOT, "deploy/local/install_packages.sh"), encoding="utf-8") as file:
        return re.search(r"^build=\((.*?)^\)", file.read(), re.DOTALL | re.MULTILINE).group(1).split()


def _installed():
    """{package: (names that it depends on, whether it is essential)}, and who provides what."""
    packages, providers = {}, {}
    layout = "${db:Status-Status}\t${Package}\t${Essential}\t${Pre-Depends}, ${Depends}\t${Provides}\n"
    for line in processes.run(["dpkg-query", "-W", "-f", layout]).splitlines():
        status, name, essential, depends, provides = line.split("\t")
        if status != "installed":
            continue
        alternatives = [[re.split(r"[ :(]", word.strip())[0] for word in group.split("|")] for group in depends.split(",") if group.strip()]
        packages[name] = (alternatives, essential == "yes")
        for word in provides.split(","):
            providers.setdefault(re.split(r"[ (]", word.strip())[0], name)
    return packages, providers


def closure():
    """The packages that a build needs, and what they need."""
    packages, providers = _installed()
    found, waiting = set(), _wanted_packages() + [name for name, (_, essential) in packages.items() if essential]
    while waiting:
        name = waiting.pop()
        name = name if name in packages else providers.get(name)
        if name is None or name in found:
            continue
        found.add(name)
        for alternatives in packages[name][0]:
            waiting.append(next((one for one in alternatives if one in packages or one in providers), alternatives[0]))
    return sorted(found)


def _files(packages):
    """The paths of the packages' files below /usr, /etc and so on, each once."""
    found = set()
    for path in processes.run(["dpkg-query", "-L", *packages]).splitlines() + _below(MADE) + _alternatives():
        if path.startswith(SKIPPED) or not path.startswith("/") or path == "/.":
            continue
        if path.split("/")[1] in [name[1:] for name in MERGED] and path not in MERGED:
            path = "/usr" + path
        if os.path.lexists(path):
            found.add(path)
    return found


def _alternatives():
    """The links that update-alternatives made: cc, javac and so on."""
    links = [entry.path for directory in ("/usr/bin", "/usr/sbin") for entry in os.scandir(directory) if entry.is_symlink()]
    return [path for path in links if os.readlink(path).startswith("/etc/alternatives/")]


def _below(roots):
    paths = list(roots)
    for root in roots:
        for directory, names, files in os.walk(root):
            paths += [os.path.join(directory, name) for name in names + files]
    return paths


def import_image(docker, name):
    """Puts the image into a Docker engine, as `name`."""
    names = _files(closure()) | {path for path in MERGED if os.path.islink(path)} | {"/tmp", "/root", "/usr/local/include", "/usr/local/bin"}
    parents = set()
    for path in names:
        while os.path.dirname(path) not in parents | {"/"}:
            path = os.path.dirname(path)
            parents.add(path)
    listing = "\0".join(sorted(path.lstrip("/") for path in names | parents))
    with subprocess.Popen(["tar", "-C", "/", "--no-recursion", "--null", "-T", "-", "-cf", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as tar:
        with subprocess.Popen(["/usr/bin/docker", "import", "-c", "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "-",
                               name], stdin=tar.stdout, stdout=subprocess.DEVNULL, env=docker.environment) as importing:
            tar.stdout.close()
            tar.stdin.write(listing.encode())
            tar.stdin.close()
    if importing.returncode != 0:
        raise AssertionError(f"docker import ended with {importing.returncode}")
