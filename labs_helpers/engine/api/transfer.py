"""Operations that read or write whole images: pull, push, save, load."""

from __future__ import annotations

import contextlib
import sqlite3
from urllib.parse import unquote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..build import import_archive
from ..credentials import from_header
from ..errors import BadRequest, EngineError, NotFound, NotSupported
from ..load import load as load_archive
from ..platform import Platform
from ..pull import pull as pull_image
from ..push import push as push_image
from ..save import save as save_images
from ..store import BlobError, Image, ImageStore, NoSuchImage
from . import Backend, image_events
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


def create(request: Request, backend: Backend) -> Response:
    """``POST /images/create``: a pull with ``fromImage``, else an import with ``fromSrc``."""
    if not request.text("fromImage"):
        return _import(request, backend)
    reference = named_reference(request.text("fromImage").removesuffix(":"), request.text("tag"))
    messages = pull_image(
        reference,
        backend.store,
        backend.hosts,
        from_header(request.headers.get("x-registry-auth")),
        requested_platform(request),
    )
    noting = image_events.noting_transfer(backend, "pull", reference, messages)
    return stream_response(noting, STREAM_ERRORS)


def _import(request: Request, backend: Backend) -> Response:
    source, repository = request.text("fromSrc"), request.text("repo")
    if source != "-":
        raise NotSupported(
            f"import {source or '(no fromSrc)'}: the labs engine fetches nothing from a URL;"
            " download the file, then: docker import FILE"
        )
    name = repository_tag(repository, request.text("tag")) if repository else None
    if name and name.digest:
        raise BadRequest("cannot import digest reference")
    image = import_archive(
        request.body,
        request.query.get("changes", []),
        request.text("message") or f"Imported from {source}",
        requested_platform(request),
        backend.store,
        backend.scratch,
    )
    if name:
        backend.store.tag(image, str(name))
    image_events.note(backend, "import", image)
    return stream_response(iter([{"status": image.id}]), STREAM_ERRORS)


def push(request: Request, backend: Backend, name: str) -> Response:
    """``POST /images/{name}/push?tag=&platform=``."""
    reference = named_reference(unquote(name), request.text("tag"))
    _check_platform(request, reference, backend.store)
    credentials = from_header(request.headers.get("x-registry-auth"))
    messages = push_image(reference, backend.store, backend.hosts, credentials)
    noting = image_events.noting_transfer(backend, "push", reference, messages)
    return stream_response(noting, STREAM_ERRORS)


def _check_platform(request: Request, reference: Reference, store: ImageStore) -> None:
    """Raise NotFound when the image is not for the platform in the request, as dockerd does.

    Source: https://github.com/moby/moby/blob/v28.2.2/daemon/images/image.go
    """
    wanted = request.json("platform")
    if wanted is None:
        return
    if not isinstance(wanted, dict) or not all(isinstance(part, str) for part in wanted.values()):
        raise BadRequest("failed to parse platform: not a JSON object of strings")
    platform = Platform(*(wanted.get(key, "") for key in ("os", "architecture", "variant")))
    config = store.find(str(reference)).config
    found = Platform(*(str(config.get(key) or "") for key in ("os", "architecture", "variant")))
    if not platform.fits(found.os, found.architecture, found.variant):
        raise NotFound(
            f"image with reference {reference} was found but its platform ({found}) does not match"
            f" the specified platform ({platform})"
        )


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
    archive = save_images(names, backend.store)
    for each in names:
        _note_saved(backend, each)
    return Response(200, archive, "application/x-tar")


def _note_saved(backend: Backend, name: str) -> None:
    with contextlib.suppress(NoSuchImage):  # a repository, of which all images are saved
        image_events.note(backend, "save", backend.store.find(name))


def load(request: Request, backend: Backend) -> Response:
    """``POST /images/load``: an archive from ``docker save``.

    Errors always come in the stream, where the Docker SDK looks for them.
    https://github.com/moby/moby/blob/v26.1.5/api/server/router/image/image_routes.go
    (postImagesLoad)
    """

    def loaded(image: Image) -> None:
        image_events.note(backend, "load", image)

    messages = load_archive(request.body, backend.store, backend.scratch, loaded)
    if request.flag("quiet", default=True):
        messages = (message for message in messages if "progressDetail" not in message)
    return stream_response(messages, STREAM_ERRORS, first_as_status=False)
