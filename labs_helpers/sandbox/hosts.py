"""Which names the sandbox answers to. A page of another site, whose name was pointed at
127.0.0.1 (DNS rebinding), is told apart by its Host header."""

from __future__ import annotations

import re
from enum import Enum, auto

_HUB = {
    "registry-1.docker.io",
    "docker.io",
    "index.docker.io",
    "auth.docker.io",
    "public.ecr.aws",
}
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?", re.ASCII)
_AWS = re.compile(r"(?:.+\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)")


_GIT = re.compile(r"git-codecommit\.([a-z0-9-]+)\.amazonaws\.com(?::[0-9]{1,5})?", re.ASCII)
_REGISTRY = re.compile(r"[0-9]{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.", re.ASCII)


class Site(Enum):
    """Whom a request is addressed to."""

    HUB = auto()
    AWS = auto()
    LOOPBACK = auto()
    FOREIGN = auto()


def site_of(host: str) -> Site:
    """Whom a Host header names; FOREIGN for no host at all too."""
    found = _HOST.fullmatch(host.lower())
    if found is None:
        return Site.FOREIGN
    name = found[1].rstrip(".")
    if name in _HUB:
        return Site.HUB
    if name in _LOOPBACK:
        return Site.LOOPBACK
    return Site.AWS if _AWS.fullmatch(name) else Site.FOREIGN


def region_of_registry(host: str) -> str | None:
    """The region in the host name of a private registry; None for any other host."""
    found = _REGISTRY.match(host.lower())
    return found[1] if found else None


def region_of_git(host: str) -> str | None:
    """The region in the host name of CodeCommit's git; None for any other host.

    https://docs.aws.amazon.com/codecommit/latest/userguide/regions.html
    """
    found = _GIT.fullmatch(host.lower())
    return found[1] if found else None
