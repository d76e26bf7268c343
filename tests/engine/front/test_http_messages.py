"""Heads and bodies are read as they were written; bytes that are not HTTP raise MessageError."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.engine.front.connection import Connection
from labs_helpers.engine.front.http_messages import (
    Framing,
    MessageError,
    chunk_size,
    read_request,
    read_response,
)


class _Parts(Connection):
    """A connection on which these parts arrive."""

    def __init__(self, *parts: bytes) -> None:
        self._parts, self._buffer = list(parts), bytearray()

    async def _fill(self) -> bool:
        part = self._parts.pop(0) if self._parts else b""
        self._buffer += part
        return bool(part)


@given(st.binary(max_size=200))
def test_any_head_is_read_or_refused(data: bytes) -> None:
    for read in (read_request, read_response):
        try:
            read(data + b"\r\n\r\n")
        except MessageError:
            continue


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers(1, 7))
def test_chunks_are_read_whatever_the_portions(chunks: list[bytes], portion: int) -> None:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"

    async def read() -> tuple[bytes, bytes, bytes]:
        pieces = [body[at : at + portion] for at in range(0, len(body), portion)]
        framing = Framing(chunked=True)
        one, other = _Parts(*pieces, b"rest"), _Parts(*pieces, b"rest")
        raw = b"".join([part async for part in one.raw_body(framing)])
        content = b"".join([part async for part in other.body_content(framing)])
        return raw, content, await one.read_some()

    assert asyncio.run(read()) == (body, b"".join(chunks), b"rest")


@given(st.binary(max_size=20))
def test_any_size_of_a_chunk_is_read_or_refused(line: bytes) -> None:
    try:
        assert chunk_size(line) >= 0
    except MessageError:
        return


def test_a_body_that_is_cut_off_is_not_taken_for_whole() -> None:
    async def read(framing: Framing, data: bytes) -> None:
        async for _ in _Parts(data).body_content(framing):
            pass

    for framing, data in (
        (Framing(5), b"1234"),
        (Framing(chunked=True), b"5\r\n1234"),
        (Framing(chunked=True), b"4\r\n1234\r\n"),
    ):
        with pytest.raises(MessageError, match="ended within a body"):
            asyncio.run(read(framing, data))


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/v1.47/images/a/push?tag=x", "/images/a/push"),
        ("/v4.3.1/libpod/images/json", "/libpod/images/json"),
        ("/images/a%2Fb:c/push", "/images/a/b:c/push"),
        ("/v1/thing", "/v1/thing"),
        ("/images/team/v1.2/app/push", "/images/team/v1.2/app/push"),
    ],
)
def test_the_version_is_no_part_of_the_path(target: str, path: str) -> None:
    head = f"POST {target} HTTP/1.1\r\nHost: d\r\n\r\n".encode()
    assert read_request(head).path == path


def test_a_rewritten_head_keeps_the_other_headers() -> None:
    head = read_request(
        b"POST /build?pull=1 HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
    )
    assert head.with_length(7, "/build") == (
        b"POST /build HTTP/1.1\r\nHost: d\r\nX-A: b\r\nContent-Length: 7\r\n\r\n"
    )
