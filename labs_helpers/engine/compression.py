"""The gzip encoding of image layers: the same bytes on every machine.

The digest of a layer is the digest of its compressed bytes, and committed notebooks print
digests. zlib, zlib-ng and hardware deflate all compress the same input to different bytes, so
what a compressor makes cannot be relied on to be equal elsewhere. The rule here:

- a layer of at most ``STORED_LIMIT`` bytes is written as *stored* deflate blocks (RFC 1951,
  3.2.4) of a fixed size, framed by us without any compressor: equal everywhere, and a few bytes
  larger than the tar file. Everything the lessons build is of this kind;
- a larger layer is cut into pieces of ``PIECE`` bytes. One that a sample shows not to shrink (an
  archive, a picture, a program that is packed) is stored; the others are compressed by the zlib
  that Python has, at ``LEVEL``, each by itself and several at a time: equal from run to run on one
  machine, which is what Docker gives.

The gzip header (RFC 1952) carries no name and time 0 in both cases, and "unknown" as the system.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

STORED_LIMIT = 4 * 1024 * 1024
"""Largest layer, in bytes of tar, that is stored instead of compressed."""

LEVEL = 1
"""zlib level above the limit: a push is bound by compression, and level 1 costs a third of 6."""

PIECE = 1024 * 1024
"""Bytes of tar compressed at once; zlib then looks back less far, which costs under 1 %."""

_SAMPLE, _SAMPLES = 4096, 8
_WORTH_IT = 0.95
"""A sample that shrinks to more of its size than this is not worth compressing."""

_AT_ONCE = 2
_WAITING = 4
_LAST = b"\x01\x00\x00\xff\xff"
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
        self._held = bytearray()
        self._crc = 0
        self._length = 0
        self._pool: ThreadPoolExecutor | None = None
        self._pieces: deque[Future[bytes]] = deque()

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the tar; return what of the encoding is ready (often nothing)."""
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        self._held += data
        if self._length <= STORED_LIMIT:
            return b""
        out = b""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AT_ONCE)
            out = _HEADER
        while len(self._held) >= PIECE:
            out += self._next(self._pool, bytes(self._held[:PIECE]))
            del self._held[:PIECE]
        return out

    def finish(self) -> bytes:
        """Return the rest of the encoding; the encoder is used up."""
        trailer = struct.pack("<II", self._crc, self._length & 0xFFFFFFFF)
        if self._pool is None:
            return _HEADER + b"".join(_stored_blocks(bytes(self._held))) + trailer
        with self._pool as pool:
            out = self._next(pool, bytes(self._held))
            out += b"".join(piece.result() for piece in self._pieces)
        return out + _LAST + trailer

    def _next(self, pool: ThreadPoolExecutor, piece: bytes) -> bytes:
        """Hand a piece on; what is taken back is the oldest, once several are waiting."""
        self._pieces.append(pool.submit(_encoded, piece))
        return self._pieces.popleft().result() if len(self._pieces) > _WAITING else b""


def _encoded(piece: bytes) -> bytes:
    """Deflate blocks of a piece, none of them the last, ending at a whole byte."""
    step = max(1, len(piece) // _SAMPLES)
    sample = b"".join(piece[at : at + _SAMPLE] for at in range(0, len(piece), step))
    if len(zlib.compress(sample, LEVEL)) > _WORTH_IT * len(sample):
        return b"".join(_stored_blocks(piece, final=False))
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(piece) + deflate.flush(zlib.Z_FULL_FLUSH)


def _stored_blocks(data: bytes, final: bool = True) -> Iterator[bytes]:
    starts = range(0, len(data), _BLOCK) if data else range(1)
    for start in starts:
        part = data[start : start + _BLOCK]
        last = final and start + _BLOCK >= len(data)
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
