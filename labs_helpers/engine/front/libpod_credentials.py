"""The logins that Podman's clients send along: of one registry, or of every one they know.

Source: https://github.com/containers/podman/blob/v5.4.2/pkg/auth/auth.go, and for which of several
counts https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.oci.reference import DEFAULT_DOMAIN, Reference

from ..credentials import Credentials, decode_header, from_config_header, from_json
from ..hosts import DOCKER_HUB_HOST

_HUB_NAMES = ("index.docker.io", DOCKER_HUB_HOST)


def credentials_for(reference: Reference, headers: Mapping[str, str]) -> Credentials:
    """Those for the repository of an image; empty when there are none.

    X-Registry-Config holds them by registry; X-Registry-Auth does, or is one (``--creds``), or
    ``null``. A key may name a registry (also as a URL), a namespace of it or a repository: the
    longest that fits counts.

    Raises:
        BadRequest: a header is not one of these.
    """
    if config := headers.get("x-registry-config"):
        return _chosen(reference, from_config_header(config))
    given = headers.get("x-registry-auth") or "null"
    document: Any = None if given == "null" else decode_header(given, "X-Registry-Auth")
    if not document:
        return Credentials()
    if isinstance(document, dict) and all(isinstance(one, dict) for one in document.values()):
        return _chosen(reference, {key: from_json(one) for key, one in document.items()})
    return from_json(document)


def _chosen(reference: Reference, known: Mapping[str, Credentials]) -> Credentials:
    by_key = {_key(name): found for name, found in known.items()}
    for key in _keys(reference):
        if key in by_key:
            return by_key[key]
    return Credentials()


def _keys(reference: Reference) -> Iterator[str]:
    """What may name a repository, the narrowest first; "" is any."""
    key = reference.name
    while key:
        yield key
        key = key.rpartition("/")[0]
    yield ""


def _key(name: str) -> str:
    bare = name.removeprefix("http://").removeprefix("https://")
    if bare != name:
        bare = bare.partition("/")[0]
    return DEFAULT_DOMAIN if bare in _HUB_NAMES else bare
