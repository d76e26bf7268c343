"""Operations that ask a registry through the engine: a login, and the manifest of an image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from labs_helpers.oci import reference as references
from labs_helpers.oci.manifest import descriptor_of

from ..credentials import from_header, from_json
from ..errors import BadRequest, NotFound
from ..hosts import DOCKER_HUB, HostMap, api_host
from ..pull import fetch_config
from ..registry_client import Repository, check_login
from ..registry_errors import RegistryError
from .http import Request, Response, error_response, json_response

_PLATFORM_KEYS = ("architecture", "os", "os.version", "os.features", "variant")
_STATUS = {
    "UNAUTHORIZED": 401,
    "DENIED": 403,
    "NAME_UNKNOWN": 404,
    "MANIFEST_UNKNOWN": 404,
    "UNSUPPORTED": 405,
    "TOOMANYREQUESTS": 429,
    "UNAVAILABLE": 503,
    **dict.fromkeys(("NAME_INVALID", "TAG_INVALID", "MANIFEST_INVALID", "DIGEST_INVALID"), 400),
}
"""The statuses of errors that dockerd passes on from a registry, by their codes:
https://github.com/distribution/distribution/blob/release/2.8/registry/api/v2/errors.go and
https://github.com/distribution/distribution/blob/release/2.8/registry/api/errcode/register.go"""

_NOT_THERE = {"MANIFEST_UNKNOWN", "NAME_UNKNOWN"}


class RegistryAccess(Protocol):
    """A backend that leads to registries."""

    @property
    def hosts(self) -> HostMap:
        """The map of registry hosts."""


def auth(request: Request, backend: RegistryAccess) -> Response:
    """``POST /auth``: ask the registry whether it accepts these credentials."""
    credentials = from_json(request.body_json())
    host = DOCKER_HUB
    if credentials.server:
        address = credentials.server
        if not address.startswith(("http://", "https://")):
            address = f"https://{address}"
        try:
            host = urlsplit(address).netloc
        except ValueError as error:
            raise BadRequest(f"unable to parse server address: {error}") from error
    if not host or not host.isascii() or any(character in host for character in " @/\\"):
        return error_response(400, f"unable to parse server address: {credentials.server}")
    check_login(api_host(host.lower()), backend.hosts, credentials)
    return json_response({"Status": "Login Succeeded", "IdentityToken": ""})


def distribution(request: Request, backend: RegistryAccess, name: str) -> Response:
    """``GET /distribution/{name}/json``: descriptor and platforms of an image in its registry.

    The platform of a single manifest is that of its configuration. Source:
    https://github.com/moby/moby/blob/v28.2.2/api/server/router/distribution/distribution_routes.go

    Raises:
        RegistryError: with the status of its code, as dockerd answers.
    """
    with _repository(request, backend, name) as (repository, reference):
        found = repository.manifest(reference)
        platforms = [dict(entry.platform) for entry in found.manifests if entry.platform]
        if found.config:
            platforms = _platforms(fetch_config(found.config, repository))
    return json_response({"Descriptor": descriptor_of(found), "Platforms": platforms})


def _platforms(config: bytes) -> list[dict[str, Any]]:
    """The platform that a configuration names; none in that of an artifact."""
    try:
        document = json.loads(config)
        found = {key: document[key] for key in _PLATFORM_KEYS if document.get(key)}
    except (ValueError, AttributeError, TypeError):
        return []
    return [found] if "os" in found or "architecture" in found else []


def manifest(request: Request, backend: RegistryAccess, name: str) -> Response:
    """``GET /distribution/{name}/manifest``: the manifest itself; Docker's API has no such path.

    Docker's own ``docker manifest inspect`` asks the registry; the stand-in docker asks the engine,
    which knows the way to the sandbox.

    Raises:
        NotFound: the registry has no such manifest, in the words of Docker's command.
    """
    try:
        with _repository(request, backend, name) as (repository, reference):
            found = repository.manifest(reference)
    except RegistryError as error:
        if error.code not in _NOT_THERE:
            raise
        # Docker's command does not recognise an error that has no more than a code
        text = f"no such manifest: {references.parse(unquote(name))}"
        raise NotFound(str(error) if error.faults[0].bare else text) from error
    return Response(200, [found.body], found.media_type, {"Docker-Content-Digest": found.digest})


@contextmanager
def _repository(
    request: Request, backend: RegistryAccess, name: str
) -> Iterator[tuple[Repository, str]]:
    """The repository of an image, and its tag or digest; an error gets the status of its code."""
    reference = references.parse(unquote(name))
    credentials = from_header(request.headers.get("x-registry-auth"))
    host = api_host(reference.domain)
    with Repository(host, reference.path, backend.hosts, credentials) as repository:
        try:
            yield repository, reference.digest or str(reference.tag)
        except RegistryError as error:
            error.status = _STATUS.get(error.code, error.status)
            raise
