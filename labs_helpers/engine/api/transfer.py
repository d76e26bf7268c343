"""Operations that read or write whole images: pull, push, save, load."""

from __future__ import annotations

import sqlite3
from urllib.parse import unquote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..credentials import from_header
from ..errors import BadRequest, EngineError, NotSupported
from ..load import load as load_archive
from ..platform import Platform
from ..pull import pull as pull_image
from ..push import push as push_image
from ..save import save as save_images
from ..store import BlobError, NoSuchImage
from . import Backend
from .http import Request, Response, stream_response
from .images import repository_tag

STREAM_ERRORS: tuple[type[Exception], ...] = (
    EngineError,
    NoSuchImage,
    BlobError,
    InvalidReference,
    OSError,
    sqlite3.OperationalError,
)
"""The errors that become a message once a stream has begun."""


def pull(request: Request, backend: Backend) -> Response:
    """``POST /images/create?fromImage=&tag=&platform=``."""
    name = request.text("fromImage").removesuffix(":")
    if not name:
        raise NotSupported("the labs engine does not import file systems: use docker load")
    messages = pull_image(
        named_reference(name, request.text("tag")),
        backend.store,
        backend.hosts,
        from_header(request.headers.get("x-registry-auth")),
        requested_platform(request),
    )
    return stream_response(messages, STREAM_ERRORS)


def push(request: Request, backend: Backend, name: str) -> Response:
    """``POST /images/{name}/push?tag=``."""
    reference = named_reference(unquote(name), request.text("tag"))
    credentials = from_header(request.headers.get("x-registry-auth"))
    messages = push_image(reference, backend.store, backend.hosts, credentials)
    return stream_response(messages, STREAM_ERRORS)


def named_reference(name: str, tag: str) -> Reference:
    """The reference of a push or pull; without a tag in either parameter, all tags are meant."""
    return repository_tag(name, tag) if tag else references.parse(name, default_tag=False)


def requested_platform(request: Request) -> Platform | None:
    """The ``platform`` parameter. Raises BadRequest."""
    platform = request.text("platform")
    return Platform.parse(platform) if platform else None


def save(request: Request, backend: Backend, name: str = "") -> Response:
    """``GET /images/get?names=`` and ``GET /images/{name}/get``: a tar archive."""
    names = [unquote(name)] if name else request.query.get("names", [])
    if not names:
        raise BadRequest("no image names given")
    return Response(200, save_images(names, backend.store), "application/x-tar")


def load(request: Request, backend: Backend) -> Response:
    """``POST /images/load``: an archive from ``docker save``.

    Errors always come in the stream, where the Docker SDK looks for them.
    https://github.com/moby/moby/blob/v26.1.5/api/server/router/image/image_routes.go
    (postImagesLoad)
    """
    messages = load_archive(request.body, backend.store, backend.scratch)
    if request.flag("quiet", default=True):
        messages = (message for message in messages if "progressDetail" not in message)
    return stream_response(messages, STREAM_ERRORS, first_as_status=False)
