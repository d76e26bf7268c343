"""Decompress a layer as a forward-only stream.

The first bytes decide on the format, because clients set wrong media types: gzip
(https://www.rfc-editor.org/rfc/rfc1952), zstd (https://www.rfc-editor.org/rfc/rfc8878), or a
plain tar. No more than a few hundred kilobytes are decompressed ahead of what is read.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from labs_helpers.sandbox.scanner.limits import Budget, LayerDamaged

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PORTION = 64 * 1024
_OUT = 256 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
#: Skippable frames begin with a byte from 0x50 to 0x5f; chunked zstd uses them.
_SKIPPABLE = b"\x2a\x4d\x18"
#: A zstd frame may ask for a window of gigabytes; 32 MiB is above what builders use by default.
_WINDOW_LOG = 25


class LayerStream:
    """Reads and skips forward only; ``position`` is the number of bytes passed."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self._chunks = _unpacked(file)
        self._budget = budget
        self._buffer = b""
        self._at = 0
        self.position = 0

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes, fewer only at the end of the layer."""
        parts = []
        while count > 0 and self._fill():
            part = self._buffer[self._at : self._at + count]
            self._at += len(part)
            self.position += len(part)
            count -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes; raises LayerDamaged when there are fewer."""
        while count > 0:
            if not self._fill():
                raise LayerDamaged("A layer ends in the middle of a file.")
            step = min(count, len(self._buffer) - self._at)
            self._at += step
            self.position += step
            count -= step

    def _fill(self) -> bool:
        while self._at >= len(self._buffer):
            chunk = next(self._chunks, b"")
            if not chunk:
                return False
            self._budget.unpack(len(chunk))
            self._buffer, self._at = chunk, 0
        return True


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    head = file.read(_PORTION)
    if head.startswith(_GZIP):
        return _gunzip(file, head)
    if head.startswith(_ZSTD) or (head[1:4] == _SKIPPABLE and head[0] >> 4 == 5):
        return _unzstd(file, head)
    return _plain(file, head)


def _plain(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    while head:
        yield head
        head = file.read(_PORTION)


def _gunzip(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    """Decompress every member of a gzip stream; zeros after the last member are allowed."""
    data = head
    while data:
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            if not data:
                raise LayerDamaged("A layer's gzip stream is cut short.")
            try:
                out = member.decompress(data, _OUT)
            except zlib.error as error:
                raise LayerDamaged(f"A layer's gzip stream is damaged: {error}.") from error
            if out:
                yield out
            data = member.unconsumed_tail or (b"" if member.eof else file.read(_PORTION))
        data = (member.unused_data or file.read(_PORTION)).lstrip(b"\0")
        while not data and (more := file.read(_PORTION)):
            data = more.lstrip(b"\0")


def _unzstd(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    data = head
    while data:
        frame = zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        )
        while not frame.eof:
            try:
                out = frame.decompress(data, _OUT)
            except zstd.ZstdError as error:
                raise LayerDamaged(f"A layer's zstd stream cannot be read: {error}.") from error
            if out:
                yield out
            data = file.read(_PORTION) if frame.needs_input and not frame.eof else b""
            if frame.needs_input and not data and not frame.eof:
                raise LayerDamaged("A layer's zstd stream is cut short.")
        data = frame.unused_data or file.read(_PORTION)
