"""What a client asks of a registry through the engine: may I, and what have you."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from labs_helpers.oci import reference as references
from labs_helpers.oci.manifest import Manifest

from ..credentials import from_header, from_json
from ..errors import BadRequest, NotFound
from ..hosts import DOCKER_HUB, HostMap, api_host
from ..registry_client import Repository, check_login
from ..registry_errors import RegistryError
from .http import Answer, Request, error_answer, json_answer

_NOT_THERE = {"MANIFEST_UNKNOWN", "NAME_UNKNOWN"}


def auth(request: Request, hosts: HostMap) -> Answer:
    """``POST /auth``: ask the registry whether it takes these credentials."""
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
        return error_answer(400, f"unable to parse server address: {credentials.server}")
    check_login(api_host(host.lower()), hosts, credentials)
    return json_answer({"Status": "Login Succeeded", "IdentityToken": ""})


def distribution(request: Request, name: str, hosts: HostMap) -> Answer:
    """``GET /distribution/{name}/json``: what the registry has under a name."""
    found = _manifest(request, name, hosts)
    platforms = [dict(entry.platform) for entry in found.manifests if entry.platform]
    descriptor = {"mediaType": found.media_type, "digest": found.digest, "size": len(found.body)}
    return json_answer({"Descriptor": descriptor, "Platforms": platforms})


def manifest(request: Request, name: str, hosts: HostMap) -> Answer:
    """``GET /distribution/{name}/manifest``: the manifest itself, which Docker has no path for.

    ``docker manifest inspect`` asks the registry; the stand-in has the engine ask, which knows
    the way to the sandbox.

    Raises:
        NotFound: the registry has none, in the words of Docker's command.
    """
    try:
        found = _manifest(request, name, hosts)
    except RegistryError as error:
        if error.code not in _NOT_THERE:
            raise
        # an error with no more than its code is one that Docker's command does not know
        text = f"no such manifest: {references.parse(unquote(name))}"
        raise NotFound(str(error) if error.faults[0].bare else text) from error
    return Answer(200, [found.body], found.media_type, {"Docker-Content-Digest": found.digest})


def _manifest(request: Request, name: str, hosts: HostMap) -> Manifest:
    reference = references.parse(unquote(name))
    credentials = from_header(request.headers.get("x-registry-auth"))
    host = api_host(reference.domain)
    with Repository(host, reference.path, hosts, credentials) as repository:
        return repository.manifest(reference.digest or str(reference.tag))
