"""What Docker Hub has under a name, asked as Docker asks: a token for everybody, then the manifest.

https://docs.docker.com/reference/api/registry/auth/
"""

from __future__ import annotations

from labs_helpers.checks.registry import MANIFESTS, Answer, Registry

HOST = "registry-1.docker.io"
SERVICE = "registry.docker.io"
PROCESSORS = ("amd64", "arm64")


def digest(repository: str, tag: str, address: str | None) -> str:
    """The digest of an image's manifest or index; "" when Docker Hub does not say.

    ``repository`` is a full name, "library/nginx"; ``address`` is where the sandbox plays Docker
    Hub, None for Docker Hub itself. A HEAD request is not counted as a pull:
    https://docs.docker.com/docker-hub/usage/pulls/
    """
    answer = _ask("HEAD", repository, tag, address)
    return answer.headers.get("docker-content-digest", "") if answer.status == 200 else ""


def digests(repository: str, tag: str, address: str | None) -> set[str]:
    """The digests by which a copy of the image may be known; empty when Docker Hub does not say.

    They are those of the manifests and of their configurations, for the processors that laptops
    and servers have. Each manifest that is read counts as a pull.
    """
    answer = _ask("GET", repository, tag, address)
    if answer.status != 200:
        return set()
    document = answer.json()
    found = {answer.headers.get("docker-content-digest", "")}
    found |= {str(document["config"]["digest"])} if "config" in document else set()
    for one in document.get("manifests", ()):
        if one.get("platform", {}).get("architecture") in PROCESSORS:
            found |= {one["digest"]} | digests(repository, one["digest"], address)
    return found


def _ask(method: str, repository: str, tag: str, address: str | None) -> Answer:
    query = f"service={SERVICE}&scope=repository:{repository}:pull"
    token = Registry("auth.docker.io", address, None).ask("GET", f"/token?{query}")
    if token.status != 200:
        return token
    hub = Registry(HOST, address, None, bearer=str(token.json()["token"]))
    return hub.ask(method, f"/v2/{repository}/manifests/{tag}", MANIFESTS)
