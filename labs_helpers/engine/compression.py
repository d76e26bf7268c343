"""Compression of layers: reproducible gzip for writing, gzip and zstd for reading.

The digest of a layer is the digest of its compressed bytes, and committed notebooks print
digests. zlib, zlib-ng and hardware deflate compress the same input to different bytes, so the
output of a compressor differs between machines. The rule here:

- a layer of at most ``STORED_LIMIT`` bytes is written as *stored* deflate blocks (RFC 1951,
  3.2.4) of a fixed size, without a compressor. The bytes are equal everywhere, and slightly more
  than those of the tar file. Every layer that the lessons build is of this kind;
- a larger layer is cut into pieces of ``PIECE`` bytes. A piece whose sample does not shrink (an
  archive, a picture, a packed program) is stored. ISA-L (https://github.com/intel/isa-l, ten times
  as fast as zlib here, where a push waits for the compressor) compresses each other piece by itself
  at ``LEVEL``, several at a time. The bytes are equal from run to run on one machine, as Docker's
  are.

In both cases the gzip header (RFC 1952) has no name, time 0, and "unknown" as the system.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, cast

from isal import isal_zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STORED_LIMIT = 4 * 1024 * 1024
"""Largest layer, in bytes of tar, that is stored instead of compressed."""

LEVEL = 1
"""ISA-L's level (0 to 3) for layers above the limit; the size is about that of zlib's level 1."""

PIECE = 1024 * 1024
"""Bytes of tar compressed at once. Deflate cannot look back further, which costs under 1 %."""

_SAMPLE, _SAMPLES = 4096, 8
_WORTH_IT = 0.95
"""A piece is compressed if its sample shrinks to at most this fraction."""

_AT_ONCE = 2
_WAITING = 4
_LAST = b"\x01\x00\x00\xff\xff"
_BLOCK = 0xFFFF
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

_IsalError = cast("type[Exception]", isal_zlib.error)  # its stub says an instance

GZIP = b"\x1f\x8b"
_ZSTD, _SKIPPABLE = b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"
"""The start of a frame; a skippable frame (chunked zstd) has 0x50 to 0x5f before it.

https://www.rfc-editor.org/rfc/rfc8878#section-3.1
"""
HEAD = 4
"""The number of first bytes that identify a compression."""

_WINDOW_LOG = 27
"""The largest window of a frame, 128 MiB as in zstd's own command; a frame may demand gigabytes."""


class CompressionError(ValueError):
    """The bytes begin as a gzip or zstd stream, and are not one."""


class Decoder(Protocol):
    """Undoes a compression; the input is fed in parts of any size."""

    def feed(self, data: bytes, portion: int = ...) -> Iterator[bytes]:
        """Yield the decompressed bytes of ``data``, at most ``portion`` bytes at a time.

        Raises:
            CompressionError: the data is damaged.
        """

    def finish(self) -> Iterator[bytes]:
        """Yield the last bytes. Raises CompressionError when the stream is cut off."""


def decoder_of(head: bytes) -> Decoder | None:
    """The decoder for a blob that begins with ``head`` (HEAD bytes); None for a plain tar."""
    if head.startswith(GZIP):
        return GzipDecoder()
    if head.startswith(_ZSTD) or (head[1:4] == _SKIPPABLE and head[0] >> 4 == 5):
        return ZstdDecoder()
    return None


class LayerEncoder:
    """Encodes a layer as gzip; the input is fed in parts of any size.

    Buffers at most ``STORED_LIMIT`` bytes. The output does not depend on the size of the parts.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._crc = 0
        self._length = 0
        self._pool: ThreadPoolExecutor | None = None
        self._pieces: deque[Future[bytes]] = deque()

    def feed(self, data: bytes) -> bytes:
        """Encode the next bytes of the tar; return the output that is ready, which may be empty."""
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        self._buffer += data
        if self._length <= STORED_LIMIT:
            return b""
        out = b""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AT_ONCE)
            out = _HEADER
        while len(self._buffer) >= PIECE:
            out += self._next(self._pool, bytes(self._buffer[:PIECE]))
            del self._buffer[:PIECE]
        return out

    def finish(self) -> bytes:
        """Return the rest of the output. The encoder cannot be used again."""
        trailer = struct.pack("<II", self._crc, self._length & 0xFFFFFFFF)
        if self._pool is None:
            return _HEADER + b"".join(_stored_blocks(bytes(self._buffer))) + trailer
        with self._pool as pool:
            out = self._next(pool, bytes(self._buffer))
            out += b"".join(piece.result() for piece in self._pieces)
        return out + _LAST + trailer

    def _next(self, pool: ThreadPoolExecutor, piece: bytes) -> bytes:
        """Start on a piece; return the oldest piece once several are under way, else nothing."""
        self._pieces.append(pool.submit(_encode_piece, piece))
        return self._pieces.popleft().result() if len(self._pieces) > _WAITING else b""


def _encode_piece(piece: bytes) -> bytes:
    """Encode a piece as deflate blocks that end at a whole byte; none is marked as the last."""
    step = max(1, len(piece) // _SAMPLES)
    sample = b"".join(piece[at : at + _SAMPLE] for at in range(0, len(piece), step))
    if len(isal_zlib.compress(sample, LEVEL)) > _WORTH_IT * len(sample):
        return b"".join(_stored_blocks(piece, final=False))
    deflate = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    return deflate.compress(piece) + deflate.flush(isal_zlib.Z_FULL_FLUSH)


def _stored_blocks(data: bytes, final: bool = True) -> Iterator[bytes]:
    starts = range(0, len(data), _BLOCK) if data else range(1)
    for start in starts:
        part = data[start : start + _BLOCK]
        last = final and start + _BLOCK >= len(data)
        yield struct.pack("<BHH", int(last), len(part), len(part) ^ 0xFFFF) + part


class GzipDecoder:
    """Undoes gzip, with one or several members."""

    def __init__(self) -> None:
        self._inflate = isal_zlib.decompressobj(isal_zlib.MAX_WBITS | 16)

    def feed(self, data: bytes, portion: int = PIECE) -> Iterator[bytes]:
        """See ``Decoder``."""
        while data:
            if self._inflate.eof:
                if data[0] == 0 and not data.strip(b"\0"):
                    return
                self._inflate = isal_zlib.decompressobj(isal_zlib.MAX_WBITS | 16)
            try:
                out = self._inflate.decompress(data, portion)
            except _IsalError as error:
                raise CompressionError(f"invalid gzip data: {error}") from error
            if out:
                yield out
            data = self._inflate.unconsumed_tail or self._inflate.unused_data

    def finish(self) -> Iterator[bytes]:
        """See ``Decoder``."""
        if not self._inflate.eof and (rest := self._inflate.flush()):
            yield rest
        if not self._inflate.eof:
            raise CompressionError("unexpected EOF")


class ZstdDecoder:
    """Undoes zstd, with one or several frames."""

    def __init__(self) -> None:
        self._frame = self._next_frame()

    @staticmethod
    def _next_frame() -> zstd.ZstdDecompressor:
        return zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        )

    def feed(self, data: bytes, portion: int = PIECE) -> Iterator[bytes]:
        """See ``Decoder``."""
        while data:
            if self._frame.eof:
                self._frame = self._next_frame()
            try:
                out = self._frame.decompress(data, portion)
                while out or not (self._frame.needs_input or self._frame.eof):
                    yield out
                    out = b"" if self._frame.eof else self._frame.decompress(b"", portion)
            except zstd.ZstdError as error:
                raise CompressionError(f"invalid zstd data: {error}") from error
            data = self._frame.unused_data if self._frame.eof else b""

    def finish(self) -> Iterator[bytes]:
        """See ``Decoder``."""
        if not self._frame.eof:
            raise CompressionError("unexpected EOF")
        yield from ()
