"""The body of a request, read in new pieces and into a buffer that is used again."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from labs_helpers.runtime.http_bodies import BrokenBody, body_of

CONTENT = bytes(range(256)) * 3
CHUNKS = b"".join(
    b"%x\r\n%b\r\n" % (len(part), part)
    for part in (CONTENT[:1], CONTENT[1:300], CONTENT[300:301], CONTENT[301:])
)
NEXT = b"GET / HTTP/1.1\r\n"

Read = Callable[[Any, int], bytes]


def in_pieces(body: Any, size: int) -> bytes:
    return b"".join(iter(lambda: body.read(size), b""))


def into_a_buffer(body: Any, size: int) -> bytes:
    buffer, found = memoryview(bytearray(size)), bytearray()
    while count := body.readinto(buffer):
        found += buffer[:count]
    return bytes(found)


def request(wire: bytes, length: int | None) -> Any:
    """One of cheroot's requests, of which `wire` is what follows the head."""
    return SimpleNamespace(
        conn=SimpleNamespace(rfile=io.BufferedReader(io.BytesIO(wire), 64)),
        chunked_read=length is None,
        inheaders={} if length is None else {b"Content-Length": str(length).encode()},
        close_connection=False,
    )


@pytest.mark.parametrize("read", [in_pieces, into_a_buffer])
@pytest.mark.parametrize("size", [1, 7, 300, 5000])
@pytest.mark.parametrize(
    ("wire", "length"), [(CONTENT, len(CONTENT)), (CHUNKS + b"0\r\nX: y\r\n\r\n", None)]
)
def test_a_body_is_whole_and_the_next_request_untouched(
    read: Read, size: int, wire: bytes, length: int | None
) -> None:
    asked = request(wire + NEXT, length)
    assert read(body_of(asked), size) == CONTENT
    assert asked.conn.rfile.read() == NEXT
    assert not asked.close_connection


@pytest.mark.parametrize("read", [in_pieces, into_a_buffer])
@pytest.mark.parametrize("size", [7, 5000])
@pytest.mark.parametrize(
    ("wire", "length"),
    [
        (CONTENT, len(CONTENT) + 1),
        (b"", 1),
        (CHUNKS, None),
        (CHUNKS[:-3], None),
        (CHUNKS + b"no size\r\n", None),
        (b"5\r\nhello, and more\r\n0\r\n\r\n", None),
    ],
)
def test_a_broken_body_is_told_each_time_and_ends_the_connection(
    read: Read, size: int, wire: bytes, length: int | None
) -> None:
    asked = request(wire, length)
    body = body_of(asked)
    for _ in range(2):
        with pytest.raises(BrokenBody):
            read(body, size)
    assert asked.close_connection
