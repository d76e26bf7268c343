"""The credentials that Podman's clients send: for one registry, or for all that they know.

Sources: https://github.com/containers/podman/blob/v5.4.2/pkg/auth/auth.go, and for the order of
precedence https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.oci.reference import DEFAULT_DOMAIN, Reference

from ..credentials import Credentials, decode_header, from_config_header, from_json
from ..hosts import DOCKER_HUB_HOST

_HUB_NAMES = ("index.docker.io", DOCKER_HUB_HOST)


def credentials_for(reference: Reference, headers: Mapping[str, str]) -> Credentials:
    """Return the credentials for an image's repository; empty ones if the client sent none.

    X-Registry-Config maps keys to credentials. X-Registry-Auth holds such a map, or one set of
    credentials (``--creds``), or ``null``. A key names a registry (as a host or a URL), a namespace
    in it, or a repository. The longest key that fits counts.

    Raises:
        BadRequest: a header holds none of these.
    """
    if config := headers.get("x-registry-config"):
        return _choose(reference, from_config_header(config))
    given = headers.get("x-registry-auth") or "null"
    document: Any = None if given == "null" else decode_header(given, "X-Registry-Auth")
    if not document:
        return Credentials()
    if isinstance(document, dict) and all(isinstance(one, dict) for one in document.values()):
        return _choose(reference, {key: from_json(one) for key, one in document.items()})
    return from_json(document)


def _choose(reference: Reference, known: Mapping[str, Credentials]) -> Credentials:
    by_key = {_normalised(key): found for key, found in known.items()}
    return next((by_key[key] for key in _keys(reference) if key in by_key), Credentials())


def _keys(reference: Reference) -> Iterator[str]:
    """Yield the keys that fit a repository, the longest first; "" fits every repository."""
    key = reference.name
    while key:
        yield key
        key = key.rpartition("/")[0]
    yield ""


def _normalised(key: str) -> str:
    bare = key.removeprefix("http://").removeprefix("https://")
    if bare != key:
        bare = bare.partition("/")[0]
    return DEFAULT_DOMAIN if bare in _HUB_NAMES else bare
