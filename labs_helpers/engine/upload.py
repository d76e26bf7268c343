"""Send a blob to a registry: POST, PATCH, PUT. After a lost PATCH, send the rest.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs. A
GET asks how much of a lost PATCH has arrived. A registry that does not answer that, such as Amazon
ECR, gets the whole blob again in a new upload.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlencode, urljoin, urlsplit

from .errors import EngineError
from .registry_errors import RequestFailed
from .streams import chunks
from .transport import CONNECTION_LOST, Transport

_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")


@dataclass(frozen=True)
class Blob:
    """A blob to send: digest, size in bytes, and a function that opens it anew each attempt."""

    digest: str
    size: int
    open: Callable[[], BinaryIO]


class _Lost(Exception):
    """The connection was lost during a PATCH to ``location``."""

    def __init__(self, location: str, cause: Exception) -> None:
        super().__init__(str(cause) or type(cause).__name__)
        self.location = location


def upload(
    transport: Transport,
    path: str,
    scope: str,
    make_blob: Callable[[], Blob],
    mount: tuple[str, str] | None = None,
) -> Generator[int, None, bool]:
    """Upload a blob to the repository ``path``.

    A generator: it yields the bytes sent so far, and returns whether the registry mounted the blob
    instead. ``make_blob`` is called once, after the registry has accepted an upload. ``mount`` is
    a digest, and the path of the repository to mount the blob from.

    Raises:
        RegistryError: the registry's refusal.
        RequestFailed: the connection was lost again and again.
    """
    blob: Blob | None = None
    location, offset = "", 0
    for attempt in itertools.count(1):
        if not location:
            begun = _begin(transport, path, scope, None if blob else mount)
            if begun is None:
                return True
            location, offset = begun, 0
        blob = blob or make_blob()
        try:
            if not offset or offset < blob.size:
                location = yield from _patch(transport, scope, location, offset, blob)
            _commit(transport, scope, location, blob.digest)
            return False
        except _Lost as error:
            if not transport.retry_policy.after_loss(attempt):
                url = transport.url(urlsplit(error.location).path)
                raise RequestFailed("PATCH", url, EngineError(str(error))) from error
            received = _find_offset(transport, scope, error.location, blob.size)
            location, offset = received or ("", 0)
    raise AssertionError("unreachable")


def _begin(
    transport: Transport, path: str, scope: str, mount: tuple[str, str] | None
) -> str | None:
    """The location of a new upload; None when the blob was mounted."""
    where = f"/v2/{path}/blobs/uploads/"
    if mount:
        where += "?" + urlencode({"mount": mount[0], "from": mount[1]})
        scope += f" repository:{mount[1]}:pull"
    response = transport.request("POST", where, scope, {"Content-Length": "0"}, b"")
    response.raise_for_status().body()
    if response.status == 201:
        return None
    return urljoin(response.url, response.headers.get("Location") or "")


def _patch(
    transport: Transport, scope: str, location: str, offset: int, blob: Blob
) -> Generator[int, None, str]:
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(blob.size - offset),
    }
    if offset:
        headers["Content-Range"] = f"{offset}-{blob.size - 1}"
    headers = transport.with_authorization("PATCH", location, scope, headers)
    sent = offset
    try:
        connection, url = transport.open_upload("PATCH", location, headers)
        with blob.open() as file:
            file.seek(offset)
            for portion in chunks(file):
                try:
                    connection.send(portion)
                except ConnectionError:
                    # the registry may have refused before it read the body: read its response
                    break
                sent += len(portion)
                yield sent
        response = transport.finish_upload(connection, url)
        if response.status >= 500:
            response.abandon()
            raise ConnectionError(f"received unexpected HTTP status: {response.status}")
        response.raise_for_status().body()
        if sent < blob.size:
            response.abandon()
            raise ConnectionError("the registry closed the connection during the upload")
    except CONNECTION_LOST as error:
        raise _Lost(location, error) from error
    return urljoin(response.url, response.headers.get("Location") or location)


def _commit(transport: Transport, scope: str, location: str, digest: str) -> None:
    parts = urlsplit(location)
    query = f"{parts.query}&" if parts.query else ""
    url = parts._replace(query=query + urlencode({"digest": digest})).geturl()
    response = transport.request("PUT", url, scope, {"Content-Length": "0"}, b"")
    response.raise_for_status().body()


def _find_offset(
    transport: Transport, scope: str, location: str, size: int
) -> tuple[str, int] | None:
    """Where to send the rest, and the bytes that have arrived; None when the registry is silent."""
    response = transport.request("GET", location, scope)
    response.body()
    found = _RANGE.fullmatch(response.headers.get("Range") or "")
    if response.status != 204 or not found:
        return None
    arrived = int(found[1]) + 1
    if not 1 < arrived <= size:
        # registries say "0-0" for one byte and for none
        return None
    return urljoin(response.url, response.headers.get("Location") or location), arrived
