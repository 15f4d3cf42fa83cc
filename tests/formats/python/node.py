"""The node under test."""

import json
import os
import urllib.error
import urllib.request

URL = os.environ["NODE_URL"]
TOKEN = os.environ["NODE_TOKEN"]
SCRATCH = os.environ["SCRATCH"]


def load(path, headers=None):
    """The body of a response as bytes, and its headers."""
    address = path if path.startswith("http") else URL + path
    request = urllib.request.Request(address, headers=headers or {})
    with urllib.request.urlopen(request) as response:
        return response.read(), response.headers


def get(path, headers=None):
    """The body of a response as text, and its headers."""
    body, headers = load(path, headers)
    return body.decode(), headers


def send(method, path, body=None, headers=None):
    """Writes as an admin; returns the record and its `ETag`."""
    media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    head = {"Authorization": f"Bearer {TOKEN}", "Content-Type": media_type, **(headers or {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data=data, headers=head, method=method)
    with urllib.request.urlopen(request) as response:
        text = response.read().decode()
        return (json.loads(text) if text else None), response.headers.get("ETag")


def publish(kind, body):
    """Creates a public record of the region Nordhessen."""
    body = {"home_region": "nordhessen", "publication": "published", **body}
    return send("POST", f"/v1/{kind}", body)
