#!/usr/bin/env python3
"""A post-receive hook that makes a plain git repository deliver webhooks as GitHub does: signed push events.

Reads `OLD NEW REF` lines from standard input, and from the repository's hooks/davit.json: url, secret, repository (owner/name).
Prints what became of each delivery, which git shows to whoever pushes.
"""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import uuid

ZERO = "0" * 40


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def commits(old, new):
    """The pushed commits, oldest first, with the paths that each changed; at most 20, as GitHub sends."""
    selected = new if old == ZERO else f"{old}..{new}"
    found = []
    for line in git("log", "--reverse", "-n", "20", "--format=%H%x00%an%x00%ae%x00%cI%x00%s", selected, "--").splitlines():
        commit, name, email, time, subject = line.split("\0")
        paths = {"A": [], "M": [], "D": []}
        for change in git("diff-tree", "--root", "--no-commit-id", "--no-renames", "--name-status", "-r", commit).splitlines():
            kind, path = change.split("\t", 1)
            paths.get(kind, paths["M"]).append(path)
        found.append({
            "id": commit, "message": subject, "timestamp": time, "author": {"name": name, "email": email},
            "added": paths["A"], "modified": paths["M"], "removed": paths["D"],
        })
    return found


def payload(settings, old, new, ref):
    deleted = new == ZERO
    pushed = [] if deleted else commits(old, git("rev-parse", f"{new}^{{commit}}").strip())
    return {
        "ref": ref, "before": old, "after": new, "created": old == ZERO, "deleted": deleted, "forced": False,
        "repository": {"full_name": settings["repository"], "name": settings["repository"].rsplit("/", 1)[-1]},
        "pusher": {"name": os.environ.get("REMOTE_USER", "git")},
        "commits": pushed, "head_commit": None if deleted else {"id": git("rev-parse", f"{new}^{{commit}}").strip()},
    }


def deliver(settings, event):
    body = json.dumps(event).encode()
    signature = hmac.new(settings["secret"].encode(), body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(settings["url"], data=body, headers={
        "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={signature}", "User-Agent": "post-receive",
    })
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def main():
    os.environ.pop("http_proxy", None)
    settings_path = os.path.join(os.environ.get("GIT_DIR", "."), "hooks/davit.json")
    if not os.path.exists(settings_path):
        return 0
    with open(settings_path, encoding="utf-8") as file:
        settings = json.load(file)
    for line in sys.stdin:
        old, new, ref = line.split()
        status, answer = deliver(settings, payload(settings, old, new, ref))
        print(f"webhook for {ref}: {status} {answer.strip()}")
    return 0


sys.exit(main())
