"""The gzip encoding of image layers: the same bytes on every machine.

The digest of a layer is the digest of its compressed bytes, and committed notebooks print
digests. zlib, zlib-ng and hardware deflate all compress the same input to different bytes, so
what a compressor makes cannot be relied on to be equal elsewhere. The rule here:

- a layer of at most ``STORED_LIMIT`` bytes is written as *stored* deflate blocks (RFC 1951,
  3.2.4) of a fixed size, framed by us without any compressor: equal everywhere, and a few bytes
  larger than the tar file. Everything the lessons build is of this kind;
- a larger layer is compressed by the zlib that Python has, at ``LEVEL``: equal from run to run on
  one machine, which is what Docker gives.

The gzip header (RFC 1952) carries no name and time 0 in both cases, and "unknown" as the system.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

STORED_LIMIT = 4 * 1024 * 1024
"""Largest layer, in bytes of tar, that is stored instead of compressed."""

LEVEL = 1
"""zlib level above the limit: a push is bound by compression, and level 1 costs a third of 6."""

_BLOCK = 0xFFFF
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class GzipError(ValueError):
    """The bytes are not the gzip stream they are said to be."""


class LayerEncoder:
    """Turns the bytes of a layer, fed in any portions, into its gzip encoding.

    Holds at most ``STORED_LIMIT`` bytes. The output depends on the bytes fed only, not on how
    they were portioned.
    """

    def __init__(self) -> None:
        self._held: bytearray | None = bytearray()
        self._crc = 0
        self._length = 0
        self._deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the tar; return what of the encoding is ready (often nothing)."""
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        if self._held is None:
            return self._deflate.compress(data)
        self._held += data
        if self._length <= STORED_LIMIT:
            return b""
        held, self._held = bytes(self._held), None
        return _HEADER + self._deflate.compress(held)

    def finish(self) -> bytes:
        """Return the rest of the encoding; the encoder is used up."""
        trailer = struct.pack("<II", self._crc, self._length & 0xFFFFFFFF)
        if self._held is None:
            return self._deflate.flush() + trailer
        return _HEADER + b"".join(_stored_blocks(bytes(self._held))) + trailer


def _stored_blocks(data: bytes) -> Iterator[bytes]:
    starts = range(0, len(data), _BLOCK) if data else range(1)
    for start in starts:
        part = data[start : start + _BLOCK]
        last = start + _BLOCK >= len(data)
        yield struct.pack("<BHH", int(last), len(part), len(part) ^ 0xFFFF) + part


class LayerDecoder:
    """Undoes gzip, several members included, in portions of bounded size."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._started = False

    def feed(self, data: bytes, portion: int = 1024 * 1024) -> Iterator[bytes]:
        """Yield what ``data`` decompresses to, at most ``portion`` bytes at a time.

        Raises:
            GzipError: the data is not gzip, or a checksum does not hold.
        """
        while data:
            if self._inflate.eof:
                if data[0] == 0 and not data.strip(b"\0"):
                    return
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
            self._started = True
            try:
                out = self._inflate.decompress(data, portion)
            except zlib.error as error:
                raise GzipError(f"invalid gzip data: {error}") from error
            if out:
                yield out
            data = self._inflate.unconsumed_tail or self._inflate.unused_data

    def finish(self) -> Iterator[bytes]:
        """Yield what is left.

        Raises:
            GzipError: the stream ended before its end mark.
        """
        if self._started and not self._inflate.eof:
            rest = self._inflate.flush()
            if rest:
                yield rest
        if not self._inflate.eof:
            raise GzipError("unexpected EOF")
