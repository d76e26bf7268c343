"""``POST /build``: the request's parameters, handed to the builder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..build import BuildError, BuildOptions, DockerfileError, Pull
from ..build import build as build_image
from ..credentials import Credentials, from_config_header
from ..errors import BadRequest, EngineError, NotSupported
from ..hosts import DOCKER_HUB
from ..platform import DEFAULT, Platform
from ..pull import fetch_unnamed, pull_silently
from ..store import BlobError, Image, NoSuchImage
from .http import Answer, Request, read_json, stream_answer
from .world import World

_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", DOCKER_HUB)
_IN_STREAM = (
    *(EngineError, NoSuchImage, BlobError, InvalidReference),
    *(OSError, sqlite3.OperationalError),
)


def build(request: Request, world: World) -> Answer:
    """``POST /build``: a stream of what the builder says.

    Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageBuild
    """
    if request.text("version", "1") == "2":
        raise NotSupported(
            "the labs engine has Docker's classic builder, not BuildKit: set DOCKER_BUILDKIT=0"
        )
    if request.text("remote"):
        raise NotSupported("the labs engine builds from a local folder only, not from a URL")
    options = BuildOptions(
        dockerfile=request.text("dockerfile") or "Dockerfile",
        tags=request.query.get("t", []),
        build_args=build_arguments(request.text("buildargs")),
        labels={k: v or "" for k, v in _strings(request.json("labels"), "labels").items()},
        target=request.text("target"),
        platform=request.text("platform"),
        no_cache=request.flag("nocache"),
        quiet=request.flag("q"),
        network=request.text("networkmode"),
        pull=request.flag("pull"),
        scratch=world.scratch,
    )
    credentials = from_config_header(request.headers.get("x-registry-config"))
    pull = _puller(world, credentials)
    return stream_answer(_told(request, options, world, pull), _IN_STREAM)


def _puller(world: World, credentials: dict[str, Credentials]) -> Pull:
    def pull(name: str, platform: str) -> Image:
        reference = references.parse(name)
        wanted = Platform.parse(platform) if platform else DEFAULT
        chosen = registry_credentials(reference, credentials)
        if wanted == DEFAULT:
            return pull_silently(reference, world.store, world.hosts, chosen)
        return fetch_unnamed(reference, world.store, world.hosts, chosen, wanted)

    return pull


def build_arguments(text: str) -> dict[str, str | None]:
    """The ``buildargs`` parameter: JSON of names and values. Raises BadRequest."""
    return _strings(read_json(text.encode()) if text else None, "buildargs", nullable=True)


def registry_credentials(reference: Reference, credentials: dict[str, Credentials]) -> Credentials:
    """Those of X-Registry-Config that are for the registry of an image."""
    keys = _HUB_KEYS if reference.domain == DOCKER_HUB else (reference.domain,)
    for server, found in credentials.items():
        bare = server.removeprefix("https://").removeprefix("http://").partition("/")[0]
        if server in keys or bare in keys:
            return found
    return Credentials()


def _strings(document: Any, key: str, nullable: bool = False) -> dict[str, str | None]:
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(
        isinstance(value, str) or (nullable and value is None) for value in document.values()
    ):
        raise BadRequest(f"invalid {key}: not a JSON object of strings")
    return document


def _told(
    request: Request, options: BuildOptions, world: World, pull: Pull
) -> Iterator[dict[str, Any]]:
    try:
        yield from build_image(request.body, options, world.store, pull)
    except DockerfileError as error:
        raise BadRequest(str(error)) from error
    except BuildError as error:
        failed = EngineError(str(error))
        failed.exit_code = error.exit_code if error.exit_code != 1 else None
        raise failed from error
