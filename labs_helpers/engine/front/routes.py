"""Decide who answers a request: the daemon, or the front for a registry that the sandbox serves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum
from urllib.parse import parse_qs, urlsplit

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import DEFAULT_DOMAIN, InvalidReference

from ..hosts import api_host
from .http_messages import RequestHead

Serves = Callable[[str], bool]
"""Whether the sandbox serves a registry's host."""


class Route(Enum):
    """Who answers a request, and what the front does before."""

    DAEMON = "the daemon; the front passes the request on"
    FRONT = "the front"
    BUILD = "the daemon, after the front has pulled the base images"
    LOGIN = "the front or the daemon: the registry in the body decides"
    CREATE_CONTAINER = "the daemon; the front replaces an image name with a digest in the body"


_NAMED = re.compile(r"/(?:images/(?P<push>.+)/push|distribution/(?P<look>.+)/json)")
_MANIFEST = re.compile(r"/distribution/.+/manifest")
_LIBPOD = re.compile(
    r"/libpod/(?:images/(?:(?P<push>.+)/push|pull)|manifests/.+?/(?:push|registry/(?P<list>.+)))"
)


def route(request: RequestHead, serves: Serves, podman: bool = True) -> Route:
    """Decide from the head of a request; ``podman``: whether the daemon has Podman's own API."""
    path, query = request.path, parse_qs(request.query)
    if path.startswith("/libpod/"):
        return _libpod_route(request, query, serves) if podman else Route.FRONT
    if request.method == "POST" and path == "/auth":
        return Route.LOGIN
    if request.method == "POST" and path == "/build":
        return _build_route(query)
    if request.method == "POST" and path == "/containers/create":
        return Route.CREATE_CONTAINER
    if request.method == "POST" and path == "/images/create":
        # without fromImage, this request imports a file system
        name = query.get("fromImage", [""])[0].removesuffix(":")
        return _route_by_name(name, serves)
    if request.method == "GET" and _MANIFEST.fullmatch(path):
        # the stand-in's `docker manifest inspect` sends this; no daemon knows the path
        return Route.FRONT
    found = _NAMED.fullmatch(path)
    if found and request.method == ("POST" if found["push"] else "GET"):
        return _route_by_name(found["push"] or found["look"], serves)
    return Route.DAEMON


def _libpod_route(request: RequestHead, query: dict[str, list[str]], serves: Serves) -> Route:
    """Decide for a request of `podman --remote`."""
    if request.method != "POST":
        return Route.DAEMON
    if request.path == "/libpod/build":
        return _build_route(query)
    if request.path == "/libpod/containers/create":
        return Route.CREATE_CONTAINER
    found = _LIBPOD.fullmatch(request.path)
    if found is None:
        return Route.DAEMON
    given = [*query.get("destination", []), *query.get("reference", [])]
    name = found["list"] or (given[0] if given else found["push"]) or ""
    return _route_by_name(name.removeprefix("docker://"), serves)


def is_sandbox_login(body: bytes, serves: Serves) -> bool:
    """Whether the body of ``POST /auth`` names a registry that the sandbox serves."""
    try:
        server = json.loads(body or b"{}").get("serveraddress") or DEFAULT_DOMAIN
        host = urlsplit(server if "//" in server else f"//{server}").netloc
    except (ValueError, AttributeError, TypeError, RecursionError):
        return False
    return serves(api_host(host.lower()))


def _route_by_name(name: str, serves: Serves) -> Route:
    try:
        domain = references.parse(name, default_tag=False).domain
    except InvalidReference:
        return Route.DAEMON
    return Route.FRONT if serves(api_host(domain)) else Route.DAEMON


def _build_route(query: dict[str, list[str]]) -> Route:
    """Decide for a build; with BuildKit, or for a remote context, we do not see the Dockerfile."""
    buildkit = query.get("version", ["1"])[0] == "2"
    return Route.DAEMON if buildkit or query.get("remote") else Route.BUILD
