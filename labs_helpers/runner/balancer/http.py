"""The HTTP of a load balancer: heads of requests, and answers of its own."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from labs_helpers.runner.balancer.routing import Asked

LARGEST_HEAD = 64 * 1024
"""Bytes; AWS takes 16 KB a line and 64 KB in all:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""
_HOPS = {"connection", "keep-alive", "proxy-connection"}


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
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest
        headers.append((name, value.strip()))
    method, target, version = words
    return Asked(method, target, version, headers)


def forwarded(asked: Asked, client: str, port: int) -> bytes:
    """The head for the target: one request a connection, and the headers that AWS adds.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    upgrades = bool(asked.header("upgrade"))
    before = asked.header("x-forwarded-for")
    trace = asked.header("x-amzn-trace-id") or [_trace()]
    kept = [
        (name, value)
        for name, value in asked.headers
        if not name.lower().startswith("x-forwarded-")
        and name.lower() != "x-amzn-trace-id"
        and (upgrades or name.lower() not in _HOPS)
    ]
    kept += [
        ("X-Forwarded-For", ", ".join([*before, client])),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Port", str(port)),
        ("X-Amzn-Trace-Id", trace[0]),
    ]
    if not upgrades:
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
    return place.removesuffix("?").replace("HTTP://", "http://").replace("HTTPS://", "https://")


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
