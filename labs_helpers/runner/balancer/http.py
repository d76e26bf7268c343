"""The HTTP of a load balancer: heads of requests, and answers of its own."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from http import HTTPStatus

from labs_helpers.runner.balancer.routing import Asked

LARGEST_HEAD = 64 * 1024
"""Bytes; AWS takes 16 KB a line and 64 KB in all:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""
LARGEST_LINE = 16 * 1024
_HOPS = {"connection", "keep-alive", "proxy-connection", "upgrade"}
_ONCE = ("host", "content-length", "transfer-encoding")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"[\x21-\x7e\x80-\xff]+")
_VERSION = re.compile(r"HTTP/1\.[01]")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[\t\x20-\x7e]*)?\r\n")
_PART = 64 * 1024


class BadRequest(Exception):
    """What the client sent is no HTTP/1 request."""


async def read_head(reader: asyncio.StreamReader) -> Asked:
    """Raises BadRequest, or EOFError where the client sent nothing."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            raise EOFError from error
        raise BadRequest from error
    except asyncio.LimitOverrunError as error:
        raise BadRequest from error
    first, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or len(first) > LARGEST_LINE:
        raise BadRequest
    method, target, version = words
    if not (_NAME.fullmatch(method) and _TARGET.fullmatch(target) and _VERSION.fullmatch(version)):
        raise BadRequest
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        # a bare CR or LF would be the end of a line for some targets, and not for the rules here
        if not (colon and _NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise BadRequest
        if len(line) > LARGEST_LINE:
            raise BadRequest
        headers.append((name, value.strip(" \t")))
    asked = Asked(method, target, version, headers)
    body_length(asked)
    return asked


def body_length(asked: Asked) -> int | None:
    """The bytes of the body; None for a body in chunks. Raises BadRequest where that is unclear.

    A target that reads another length than the load balancer takes the rest of a body for a second
    request, past the listener's rules: https://www.rfc-editor.org/rfc/rfc9112#section-11.2
    """
    given = {name: asked.header(name) for name in _ONCE}
    if any(len(values) > 1 for values in given.values()):
        raise BadRequest
    if asked.version == "HTTP/1.1" and not given["host"]:
        raise BadRequest
    lengths, codings = given["content-length"], given["transfer-encoding"]
    if codings:
        if lengths or codings[0].lower() != "chunked" or asked.version != "HTTP/1.1":
            raise BadRequest
        return None
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        raise BadRequest
    return int(lengths[0]) if lengths else 0


async def body(reader: asyncio.StreamReader, length: int | None) -> AsyncIterator[bytes]:
    """The body of a request as the target gets the body, and no byte after its end.

    Raises BadRequest, or EOFError where the client ends too early.
    """
    if length is None:
        while size := await _chunk(reader):
            yield b"%x\r\n" % size
            async for part in body(reader, size):
                yield part
            if await reader.readexactly(2) != b"\r\n":
                raise BadRequest
            yield b"\r\n"
        while await _line(reader) != b"\r\n":
            pass  # fields after the body, which no rule has seen
        yield b"0\r\n\r\n"
        return
    while length:
        part = await reader.read(min(length, _PART))
        if not part:
            raise EOFError
        length -= len(part)
        yield part


async def _chunk(reader: asyncio.StreamReader) -> int:
    found = _CHUNK.fullmatch(await _line(reader))
    if found is None:
        raise BadRequest
    return int(found[1], 16)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n")
    except asyncio.LimitOverrunError as error:
        raise BadRequest from error


def upgrades(asked: Asked) -> bool:
    """Whether a request asks for a WebSocket, the one protocol that a connection may change to.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#listener-configuration
    """
    words = {
        word.strip().lower() for each in asked.header("connection") for word in each.split(",")
    }
    wanted = [each.lower() for each in asked.header("upgrade")]
    plain = asked.version == "HTTP/1.1" and body_length(asked) == 0
    return plain and wanted == ["websocket"] and "upgrade" in words


def forwarded(asked: Asked, client: str, port: int) -> bytes:
    """The head for the target: one request a connection, and the headers that AWS adds.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    before = asked.header("x-forwarded-for")
    trace = asked.header("x-amzn-trace-id") or [_trace()]
    kept = [
        (name, value)
        for name, value in asked.headers
        if not name.lower().startswith("x-forwarded-")
        and name.lower() != "x-amzn-trace-id"
        and name.lower() not in _HOPS
    ]
    kept += [
        ("X-Forwarded-For", ", ".join([*before, client])),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Port", str(port)),
        ("X-Amzn-Trace-Id", trace[0]),
    ]
    if upgrades(asked):
        kept += [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    else:
        kept.append(("Connection", "close"))
    return _head(f"{asked.method} {asked.target} {asked.version}", kept)


def answer(status: int, location: str = "") -> bytes:
    """An answer of the load balancer itself, with the page that AWS sends."""
    said = f"{status} {_phrase(status)}"
    page = (
        f"<html>\r\n<head><title>{said}</title></head>\r\n<body>\r\n<center><h1>{said}</h1>"
        "</center>\r\n</body>\r\n</html>\r\n"
    )
    return fixed(status, "text/html", page, location)


def fixed(status: int, kind: str, body: str, location: str = "") -> bytes:
    """An answer with exactly this body."""
    data = body.encode()
    headers = [
        ("Server", "awselb/2.0"),
        ("Content-Type", kind),
        ("Content-Length", str(len(data))),
        ("Connection", "close"),
    ]
    if location:
        headers.append(("Location", location))
    return _head(f"HTTP/1.1 {status} {_phrase(status)}", headers) + data


def redirected(asked: Asked, config: Mapping[str, str], port: int) -> str:
    """Where a redirect leads.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
    """
    host = (asked.header("host") or [""])[0].partition(":")[0]
    path, _, query = asked.target.partition("?")
    known = {
        "#{protocol}": "http",
        "#{host}": host,
        "#{port}": str(port),
        "#{path}": path.removeprefix("/"),
        "#{query}": query,
    }
    place = "{Protocol}://{Host}:{Port}{Path}".format(
        **{
            name: config.get(name) or usual
            for name, usual in (
                ("Protocol", "#{protocol}"),
                ("Host", "#{host}"),
                ("Port", "#{port}"),
                ("Path", "/#{path}"),
            )
        }
    )
    wanted = config.get("Query", "#{query}")
    place = f"{place}?{wanted}" if wanted else place
    for name, value in known.items():
        place = place.replace(name, value)
    place = place.removesuffix("?").replace("HTTP://", "http://").replace("HTTPS://", "https://")
    return on_one_line(place)


def on_one_line(place: str) -> str:
    """A URL or path in which blanks and letters that control are percent-encoded."""
    return re.sub(r"[\x00-\x20\x7f]", lambda found: f"%{ord(found[0]):02X}", place)


def _head(first: str, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _trace() -> str:
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
