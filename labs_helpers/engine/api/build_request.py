"""``POST /build``: the parameters of the request, passed to the builder."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import Reference

from ..build import BuildError, BuildOptions, DockerfileError, Pull
from ..build import build as build_image
from ..build.gotext import quote
from ..credentials import Credentials, from_config_header
from ..errors import BadRequest, EngineError, NotSupported
from ..hosts import DOCKER_HUB
from ..platform import DEFAULT, Platform
from ..pull import fetch_without_name, pull_silently
from ..store import Image
from . import Backend, image_events
from .http import Request, Response, read_json, stream_response
from .transfer import STREAM_ERRORS

_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", DOCKER_HUB)


def build(request: Request, backend: Backend) -> Response:
    """``POST /build``: the stream of the builder's messages.

    Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageBuild
    """
    if request.text("version", "1") == "2":
        raise NotSupported(
            "the labs engine has Docker's classic builder, not BuildKit: set DOCKER_BUILDKIT=0"
        )
    if request.text("version", "1") not in ("", "1"):
        raise BadRequest(f"invalid version {quote(request.text('version'))}")
    options = BuildOptions(
        dockerfile=request.text("dockerfile") or "Dockerfile",
        tags=request.query.get("t", []),
        build_args=build_arguments(request.text("buildargs")),
        labels={
            k: v or "" for k, v in _strings(request.json("labels"), "error reading labels").items()
        },
        target=request.text("target"),
        platform=request.text("platform"),
        no_cache=request.flag("nocache"),
        quiet=request.flag("q"),
        network=_network(request.text("networkmode")),
        hosts=[_host_line(text) for text in request.query.get("extrahosts", []) if text],
        cache_from=_names(request.json("cachefrom")),
        pull=request.flag("pull"),
        scratch=backend.scratch,
        is_gone=request.is_gone,
        of_build=request.isolated.folder if request.isolated else None,
    )
    credentials = from_config_header(request.headers.get("x-registry-config"))
    pull = _puller(backend, credentials)
    return stream_response(_messages(request, options, backend, pull), STREAM_ERRORS)


def _network(mode: str) -> str:
    """The value of ``networkmode``. Raises NotSupported for a network that RUN cannot have."""
    if mode in ("", "default", "bridge", "host"):
        return ""
    if mode == "none":
        return mode
    raise NotSupported(
        f"the labs engine refuses networkmode={mode}: a RUN has this machine's network (default,"
        " bridge, host) or none"
    )


def _host_line(text: str) -> str:
    """A line of /etc/hosts for ``host:ip``. Raises BadRequest, in the words of Docker's command.

    Source: https://github.com/docker/cli/blob/v28.2.2/opts/hosts.go (ValidateExtraHost)
    """
    name, _, address = text.partition(":")
    if not name or not address or any(character.isspace() for character in text):
        raise BadRequest(f"bad format for add-host: {quote(text)}")
    if address == "host-gateway":
        # a RUN has the network of this machine
        address = "127.0.0.1"
    try:
        return f"{ip_address(address.strip('[]'))}\t{name}"
    except ValueError as error:
        raise BadRequest(f"invalid IP address in add-host: {quote(address)}") from error


def _names(document: Any) -> list[str]:
    if document is None:
        return []
    if not isinstance(document, list) or not all(isinstance(name, str) for name in document):
        raise BadRequest("error reading cache-from: not a JSON array of strings")
    return document


def _puller(backend: Backend, credentials: dict[str, Credentials]) -> Pull:
    def pull(name: str, platform: str) -> Image:
        reference = references.parse(name)
        wanted = Platform.parse(platform) if platform else DEFAULT
        chosen = registry_credentials(reference, credentials)
        if wanted == DEFAULT:
            image = pull_silently(reference, backend.store, backend.hosts, chosen)
            image_events.note_transfer(backend, "pull", reference)
            return image
        return fetch_without_name(reference, backend.store, backend.hosts, chosen, wanted)

    return pull


def build_arguments(text: str) -> dict[str, str | None]:
    """The build arguments in the JSON of the ``buildargs`` parameter. Raises BadRequest."""
    return _strings(
        read_json(text.encode()) if text else None, "error reading build args", nullable=True
    )


def registry_credentials(reference: Reference, credentials: dict[str, Credentials]) -> Credentials:
    """The credentials in X-Registry-Config for the registry of an image."""
    keys = _HUB_KEYS if reference.domain == DOCKER_HUB else (reference.domain,)
    for server, found in credentials.items():
        bare = server.removeprefix("https://").removeprefix("http://").partition("/")[0]
        if server in keys or bare in keys:
            return found
    return Credentials()


def _strings(document: Any, what: str, nullable: bool = False) -> dict[str, str | None]:
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(
        isinstance(value, str) or (nullable and value is None) for value in document.values()
    ):
        raise BadRequest(f"{what}: not a JSON object of strings")
    return document


def _messages(
    request: Request, options: BuildOptions, backend: Backend, pull: Pull
) -> Iterator[dict[str, Any]]:
    try:
        yield from build_image(request.body, options, backend.store, pull)
        for name in options.tags:
            image = backend.store.find(name)
            image_events.note(backend, "tag", image, references.parse(name).familiar)
    except DockerfileError as error:
        raise BadRequest(str(error)) from error
    except BuildError as error:
        failed = EngineError(str(error))
        failed.exit_code = error.exit_code
        raise failed from error
