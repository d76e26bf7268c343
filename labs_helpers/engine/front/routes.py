"""Which requests have to reach a sandbox registry, and so are answered here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum
from urllib.parse import parse_qs, urlsplit

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import DEFAULT_DOMAIN, InvalidReference

from ..hosts import api_host
from .messages import Request

Serves = Callable[[str], bool]
"""Whether the sandbox serves a registry's host."""


class Goes(Enum):
    """Where a request goes."""

    TO_DAEMON = "to the daemon, untouched"
    TO_US = "to our engine"
    AFTER_BASES = "to the daemon, once the images it builds on are there"
    BY_LOGIN = "to whom the registry in its body belongs"
    AS_IMAGE = "to the daemon, which knows the image in its body by another name"


_NAMED = re.compile(r"/(?:images/(?P<push>.+)/push|distribution/(?P<look>.+)/json)")
_MANIFEST = re.compile(r"/distribution/.+/manifest")
_LIBPOD = re.compile(
    r"/libpod/(?:images/(?:(?P<push>.+)/push|pull)|manifests/.+?/(?:push|registry/(?P<list>.+)))"
)


def goes(request: Request, serves: Serves, libpod: bool = True) -> Goes:
    """Decide by the head of a request; ``libpod``: whether the daemon has Podman's own API."""
    path, query = request.path, parse_qs(request.query)
    if path.startswith("/libpod/"):
        return _podmans(request, query, serves) if libpod else Goes.TO_US
    if request.method == "POST" and path == "/auth":
        return Goes.BY_LOGIN
    if request.method == "POST" and path == "/build":
        return Goes.TO_DAEMON if _elsewhere(query) else Goes.AFTER_BASES
    if request.method == "POST" and path == "/containers/create":
        return Goes.AS_IMAGE
    if request.method == "POST" and path == "/images/create":
        # without fromImage it imports a file system
        name = query.get("fromImage", [""])[0].removesuffix(":")
        return _by_name(name, serves)
    if request.method == "GET" and _MANIFEST.fullmatch(path):
        # the stand-in's `docker manifest inspect`; no daemon has it
        return Goes.TO_US
    found = _NAMED.fullmatch(path)
    if found and request.method == ("POST" if found["push"] else "GET"):
        return _by_name(found["push"] or found["look"], serves)
    return Goes.TO_DAEMON


def _podmans(request: Request, query: dict[str, list[str]], serves: Serves) -> Goes:
    """The same for what `podman --remote` asks."""
    if request.method != "POST":
        return Goes.TO_DAEMON
    if request.path == "/libpod/build":
        return Goes.TO_DAEMON if _elsewhere(query) else Goes.AFTER_BASES
    if request.path == "/libpod/containers/create":
        return Goes.AS_IMAGE
    found = _LIBPOD.fullmatch(request.path)
    if found is None:
        return Goes.TO_DAEMON
    given = [*query.get("destination", []), *query.get("reference", [])]
    name = found["list"] or (given[0] if given else found["push"]) or ""
    return _by_name(name.removeprefix("docker://"), serves)


def login_is_ours(body: bytes, serves: Serves) -> bool:
    """Whether ``POST /auth`` is for a sandbox registry."""
    try:
        server = json.loads(body or b"{}").get("serveraddress") or DEFAULT_DOMAIN
        host = urlsplit(server if "//" in server else f"//{server}").netloc
    except (ValueError, AttributeError, TypeError, RecursionError):
        return False
    return serves(api_host(host.lower()))


def is_ours(name: str, serves: Serves) -> bool:
    """Whether an image name is of a sandbox registry."""
    try:
        domain = references.parse(name, default_tag=False).domain
    except InvalidReference:
        return False
    return serves(api_host(domain))


def _by_name(name: str, serves: Serves) -> Goes:
    return Goes.TO_US if name and is_ours(name, serves) else Goes.TO_DAEMON


def _elsewhere(query: dict[str, list[str]]) -> bool:
    """BuildKit, and contexts that the daemon fetches itself: their Dockerfile is not seen here."""
    return query.get("version", ["1"])[0] == "2" or bool(query.get("remote"))
