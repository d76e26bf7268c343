"""The requests and responses of the API's operations."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, BinaryIO

from labs_helpers.files import is_full

from .. import go_json
from ..errors import BadRequest
from .isolated import Isolated

Take = Callable[[socket.socket, bytes], None]
"""Called with a connection, and with what the client sent after its request."""

_JSON_LIMIT = 4 * 1024 * 1024
_FALSE = {"", "0", "no", "false", "none"}


@dataclass(frozen=True)
class Request:
    """A request; ``path`` as it was sent, ``query`` with every value of each key.

    ``is_gone`` says whether the client has closed the connection; ``isolated`` is the client if
    the client is isolated.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: BinaryIO
    is_gone: Callable[[], bool] = lambda: False
    isolated: Isolated | None = None

    def text(self, key: str, default: str = "") -> str:
        """The first value of a query key."""
        return self.query.get(key, [default])[0]

    def flag(self, key: str, default: bool = False) -> bool:
        """A query key as Docker reads booleans."""
        return self.text(key).lower() not in _FALSE if key in self.query else default

    def json(self, key: str) -> Any:
        """The JSON in a query key; None when the key is absent. Raises BadRequest."""
        text = self.text(key)
        return read_json(text.encode()) if text else None

    def filters(self) -> dict[str, list[str]]:
        """The ``filters`` key as name -> values, from either of Docker's two encodings."""
        document = self.json("filters")
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise BadRequest("invalid filters: not a JSON object")
        filters: dict[str, list[str]] = {}
        for name, values in document.items():
            if isinstance(values, dict):
                values = [value for value, is_set in values.items() if is_set]
            if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
                raise BadRequest(f"invalid filters: the values of {name} are not strings")
            filters[name] = values
        return filters

    def body_json(self) -> Any:
        """The body as JSON; None when the body is empty. Raises BadRequest."""
        data = self.body.read(_JSON_LIMIT)
        return read_json(data) if data else None


def read_json(data: bytes) -> Any:
    """Decode JSON from a client. Raises BadRequest."""
    try:
        return go_json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"invalid JSON: {error}") from error


@dataclass(frozen=True)
class Response:
    """Status, headers and body; the body is a list of bytes, or a stream."""

    status: int = 200
    body: Iterable[bytes] = ()
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    take: Take | None = None
    """Takes the connection over, once the head of the response is sent. There is no other body."""
    meanwhile: AbstractContextManager[None] | None = None
    """Is entered before that head is sent, and left after ``take``."""


def raw_response(
    request: Request,
    content_type: str,
    take: Take,
    meanwhile: AbstractContextManager[None] | None = None,
) -> Response:
    """Docker's hijacked connection: a raw stream in both directions, from the head on.

    meanwhile: is entered before the head is sent, and left after ``take``.
    https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach
    """
    if request.headers.get("upgrade", "").lower() == "tcp":
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        return Response(101, [], content_type, headers, take, meanwhile)
    return Response(200, [], content_type, {"Connection": "close"}, take, meanwhile)


def moment(text: str) -> float | None:
    """A time in Docker's form, seconds since 1970 with a fraction; None for no text.

    Raises:
        BadRequest: the text is no number.
    """
    try:
        return float(text) if text else None
    except ValueError as error:
        raise BadRequest(f'invalid value for "since" or "until": {text}') from error


def json_response(document: Any, status: int = 200) -> Response:
    """A JSON document."""
    return Response(status, [json.dumps(document, separators=(",", ":")).encode() + b"\n"])


def error_response(status: int, message: str) -> Response:
    """An error in Docker's form."""
    return json_response({"message": message}, status)


def error_text(error: Exception) -> str:
    """The message of an error for the client; for a full disk, also where and what to do."""
    if is_full(error):
        return (
            "no space left on device, where the engine keeps its images: free some (docker image"
            " prune, docker rmi), or set LABS_HOME to a folder on another disk"
        )
    return str(error)


def stream_response(
    messages: Iterator[dict[str, Any]],
    errors: tuple[type[Exception], ...],
    *,
    first_as_status: bool = True,
) -> Response:
    """Docker's stream of JSON messages.

    An error before the first message is raised, and becomes the status of the response; with
    ``first_as_status=False``, and after the first message, an error becomes a message.
    """
    begun = list(islice(messages, 1 if first_as_status else 0))

    def lines() -> Iterator[bytes]:
        try:
            for message in chain(begun, messages):
                yield _line(message)
        except errors as error:
            code = getattr(error, "exit_code", None)
            detail = {"code": code} if code else {}
            text = error_text(error)
            yield _line({"errorDetail": {**detail, "message": text}, "error": text})

    return Response(200, lines())


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode() + b"\r\n"
