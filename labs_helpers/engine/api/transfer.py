"""Images that come and go: pull, push, build, save, load."""

from __future__ import annotations

import sqlite3
from urllib.parse import unquote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from ..credentials import from_header
from ..errors import BadRequest, EngineError, NotSupported
from ..load import load
from ..platform import Platform
from ..pull import pull
from ..push import push
from ..save import save
from ..store import BlobError, NoSuchImage
from .build_request import build
from .http import Answer, Request, stream_answer
from .images import repository_tag
from .registries import distribution, manifest
from .world import World

IN_STREAM: tuple[type[Exception], ...] = (
    EngineError,
    NoSuchImage,
    BlobError,
    InvalidReference,
    OSError,
    sqlite3.OperationalError,
)
"""What is told in a stream once it has begun."""


class Transfer:
    """The operations that read or write whole images."""

    def __init__(self, world: World) -> None:
        self._world = world

    def pull(self, request: Request) -> Answer:
        """``POST /images/create?fromImage=&tag=&platform=``."""
        name = request.text("fromImage").removesuffix(":")
        if not name:
            raise NotSupported("the labs engine does not import file systems: use docker load")
        tag = request.text("tag")
        reference = repository_tag(name, tag) if tag else references.parse(name, default_tag=False)
        platform = request.text("platform")
        messages = pull(
            reference,
            self._world.store,
            self._world.hosts,
            from_header(request.headers.get("x-registry-auth")),
            Platform.parse(platform) if platform else None,
        )
        return stream_answer(messages, IN_STREAM)

    def push(self, request: Request, name: str) -> Answer:
        """``POST /images/{name}/push?tag=``."""
        tag = request.text("tag")
        given = unquote(name)
        reference = (
            repository_tag(given, tag) if tag else references.parse(given, default_tag=False)
        )
        credentials = from_header(request.headers.get("x-registry-auth"))
        messages = push(reference, self._world.store, self._world.hosts, credentials)
        return stream_answer(messages, IN_STREAM)

    def distribution(self, request: Request, name: str) -> Answer:
        """``GET /distribution/{name}/json``: what the registry has under a name."""
        return distribution(request, name, self._world.hosts)

    def manifest(self, request: Request, name: str) -> Answer:
        """``GET /distribution/{name}/manifest``: the manifest itself."""
        return manifest(request, name, self._world.hosts)

    def save(self, request: Request, name: str = "") -> Answer:
        """``GET /images/get?names=`` and ``GET /images/{name}/get``: a tar archive."""
        names = [unquote(name)] if name else request.query.get("names", [])
        if not names:
            raise BadRequest("no image names given")
        return Answer(200, save(names, self._world.store), "application/x-tar")

    def load(self, request: Request) -> Answer:
        """``POST /images/load``: what save, or another Docker, wrote.

        What is wrong with it is always told in the stream, where the Docker SDK looks.
        https://github.com/moby/moby/blob/v26.1.5/api/server/router/image/image_routes.go
        (postImagesLoad)
        """
        messages = load(request.body, self._world.store, self._world.scratch)
        if request.flag("quiet", default=True):
            messages = (message for message in messages if "progressDetail" not in message)
        return stream_answer(messages, IN_STREAM, first_as_status=False)

    def build(self, request: Request) -> Answer:
        """``POST /build``."""
        return build(request, self._world)
