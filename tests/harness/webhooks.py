"""Delivers webhooks as providers do, right and wrong ones."""

import hashlib
import hmac
import json
import urllib.error
import urllib.request
import uuid

ZERO = "0" * 40


def post(url, body, headers):
    """Returns (status, body)."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json", **headers}, method="POST")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def signature(secret, body):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def github_push(repository, ref, after, before=ZERO, **more):
    """The part of GitHub's push payload that matters."""
    deleted = after == ZERO
    return {
        "ref": ref, "before": before, "after": after, "created": before == ZERO, "deleted": deleted, "forced": False,
        "repository": {"full_name": repository, "name": repository.rsplit("/", 1)[-1]}, "pusher": {"name": "someone"},
        "commits": [], "head_commit": None if deleted else {"id": after}, **more,
    }


def deliver_github(url, secret, payload, event="push", delivery=None, headers=None):
    """Sends a signed delivery; `payload` is an object or bytes."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return post(url, body, {
        "X-GitHub-Event": event, "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-Hub-Signature-256": signature(secret, body), **(headers or {}),
    })
