"""A blob sent to a registry: POST, PATCH, PUT; where a PATCH is lost, the rest is sent.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs. How
much of a lost PATCH has arrived is asked with GET; a registry that cannot say, such as Amazon
ECR, is sent the blob anew in another upload.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlencode, urljoin, urlsplit

from .errors import EngineError
from .registry_errors import RequestFailed
from .transport import LOST, PORTION, Transport

_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")


@dataclass(frozen=True)
class Blob:
    """What is sent: its digest, its size in bytes, and how to open it (once an attempt)."""

    digest: str
    size: int
    opened: Callable[[], BinaryIO]


class _Lost(Exception):
    """The registry did not take a PATCH to its end; ``location`` is where it began."""

    def __init__(self, location: str, cause: Exception) -> None:
        super().__init__(str(cause) or type(cause).__name__)
        self.location = location


def upload(
    transport: Transport,
    path: str,
    scope: str,
    prepared: Callable[[], Blob],
    mount: tuple[str, str] | None = None,
) -> Iterator[int | str]:
    """Upload a blob to the repository ``path``; yield the bytes sent, or where it was mounted from.

    ``prepared`` is called once, when the registry has agreed to an upload; ``mount`` names a digest
    and the repository that it may be taken from instead.

    Raises:
        RegistryError: the registry's refusal.
        RequestFailed: the connection was lost time and again.
    """
    blob: Blob | None = None
    location, offset = "", 0
    for attempt in itertools.count(1):
        if not location:
            begun = _begin(transport, path, scope, None if blob else mount)
            if begun is None:
                yield mount[1] if mount else ""
                return
            location, offset = begun, 0
        blob = blob or prepared()
        try:
            if not offset or offset < blob.size:
                location = yield from _patch(transport, scope, location, offset, blob)
            _commit(transport, scope, location, blob.digest)
            return
        except _Lost as error:
            if not transport.patience.after_loss(attempt):
                url = transport.url(urlsplit(error.location).path)
                raise RequestFailed("PATCH", url, EngineError(str(error))) from error
            received = _received(transport, scope, error.location, blob.size)
            location, offset = received or ("", 0)


def _begin(
    transport: Transport, path: str, scope: str, mount: tuple[str, str] | None
) -> str | None:
    """The location of a new upload; None when the blob was mounted."""
    where = f"/v2/{path}/blobs/uploads/"
    if mount:
        where += "?" + urlencode({"mount": mount[0], "from": mount[1]})
        scope += f" repository:{mount[1]}:pull"
    answer = transport.request("POST", where, scope, {"Content-Length": "0"}, b"")
    answer.raise_for_status().body()
    if answer.status == 201:
        return None
    return urljoin(answer.url, answer.headers.get("Location") or "")


def _patch(
    transport: Transport, scope: str, location: str, offset: int, blob: Blob
) -> Generator[int, None, str]:
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(blob.size - offset),
    }
    if offset:
        headers["Content-Range"] = f"{offset}-{blob.size - 1}"
    authorized = transport.authorized("PATCH", location, scope, headers)
    sent = offset
    try:
        connection, url = transport.open_upload("PATCH", location, authorized)
        with blob.opened() as file:
            file.seek(offset)
            while portion := file.read(PORTION):
                try:
                    connection.send(portion)
                except ConnectionError:
                    # a refusal may come before the body is through: read it rather than guess
                    break
                sent += len(portion)
                yield sent
        answer = transport.finish_upload(connection, url)
        if answer.status >= 500:
            answer.abandon()
            raise ConnectionError(f"received unexpected HTTP status: {answer.status}")
        answer.raise_for_status().body()
        if sent < blob.size:
            answer.abandon()
            raise ConnectionError("the registry closed the connection during the upload")
    except LOST as error:
        raise _Lost(location, error) from error
    return urljoin(answer.url, answer.headers.get("Location") or location)


def _commit(transport: Transport, scope: str, location: str, digest: str) -> None:
    parts = urlsplit(location)
    query = f"{parts.query}&" if parts.query else ""
    url = parts._replace(query=query + urlencode({"digest": digest})).geturl()
    answer = transport.request("PUT", url, scope, {"Content-Length": "0"}, b"")
    answer.raise_for_status().body()


def _received(transport: Transport, scope: str, location: str, size: int) -> tuple[str, int] | None:
    """Where to send the rest and how much has arrived; None when the registry does not say."""
    answer = transport.request("GET", location, scope)
    answer.body()
    found = _RANGE.fullmatch(answer.headers.get("Range") or "")
    if answer.status != 204 or not found:
        return None
    arrived = int(found[1]) + 1
    if not 1 < arrived <= size:
        # "0-0" is what registries say of one byte and of none
        return None
    return urljoin(answer.url, answer.headers.get("Location") or location), arrived
