#!/usr/bin/env python3
"""Makes a small base image out of Debian's busybox-static, as an OCI layout: a second's work, no registry needed.

Usage: base_image.py DIRECTORY [BUSYBOX]

Equal inputs make an equal image: no times, sorted entries.
"""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
}
DIRECTORIES = {"bin": 0o755, "etc": 0o755, "root": 0o700, "tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755, "var": 0o755}


def layer(busybox):
    """Returns the tar of the root file system."""
    entries = {name: ("directory", mode) for name, mode in DIRECTORIES.items()}
    entries.update({name: ("file", text.encode(), 0o644) for name, text in FILES.items()})
    with open(busybox, "rb") as program:
        entries["bin/busybox"] = ("file", program.read(), 0o755)
    for applet in subprocess.run([busybox, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split():
        if applet != "busybox":
            entries[f"bin/{applet}"] = ("link", "busybox")
    entries["usr/bin/env"] = ("link", "/bin/busybox")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, entry in sorted(entries.items()):
            member = tarfile.TarInfo(name)
            if entry[0] == "directory":
                member.type, member.mode = tarfile.DIRTYPE, entry[1]
                archive.addfile(member)
            elif entry[0] == "link":
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry[1], 0o777
                archive.addfile(member)
            else:
                member.size, member.mode = len(entry[1]), entry[2]
                archive.addfile(member, io.BytesIO(entry[1]))
    return buffer.getvalue()


def store(directory, content, media_type):
    """Writes a blob and returns its descriptor."""
    digest = hashlib.sha256(content).hexdigest()
    with open(os.path.join(directory, "blobs/sha256", digest), "wb") as blob:
        blob.write(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def main():
    directory = sys.argv[1]
    tar = layer(sys.argv[2] if len(sys.argv) > 2 else "/bin/busybox")
    os.makedirs(os.path.join(directory, "blobs/sha256"), exist_ok=True)
    compressed = gzip.compress(tar, compresslevel=6, mtime=0)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin:/bin"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
        "history": [{"created_by": "busybox-static"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": store(directory, json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [store(directory, compressed, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
    descriptor = store(directory, json.dumps(manifest).encode(), manifest["mediaType"])
    descriptor["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    with open(os.path.join(directory, "index.json"), "w", encoding="utf-8") as index:
        json.dump({"schemaVersion": 2, "manifests": [descriptor]}, index)
    with open(os.path.join(directory, "oci-layout"), "w", encoding="utf-8") as layout:
        layout.write('{"imageLayoutVersion": "1.0.0"}')


main()
