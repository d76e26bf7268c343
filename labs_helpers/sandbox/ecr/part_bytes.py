"""The bytes of a layer's part, from a client into a file: read once, hashed once.

The caller's thread only reads, into a buffer, so that the client need not wait for the disk. A
second thread hashes the buffer, a third one writes the buffer to the file, and a fourth one flushes
written bytes to the disk. The buffers are used in turn, so that a layer of any size needs the
memory of a few buffers.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from typing import Protocol

BUFFER = 1024 * 1024
"""Bytes read at a time."""

_BUFFERS = 8
"""How many buffers may wait to be hashed and written."""

_Used = tuple[Future[object], Future[None], memoryview]
"""A buffer, and when its bytes are hashed and written."""

_SETTLE = 16 * 1024 * 1024
"""Bytes after which the written bytes are flushed to disk, so that the end waits for few bytes."""


class Reader(Protocol):
    """The source of a part's bytes."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer from its beginning, and return the number of bytes; 0 at the end."""


class Truncated(Exception):
    """The part has fewer bytes than were announced."""


def copy(
    part: Reader, file: FileIO, update: Callable[[memoryview], object], length: int | None
) -> int:
    """Write a part to the file, hash the part by `update`, and return the number of its bytes.

    `length` is the announced size; None: until the part's end. Raises Truncated when fewer bytes
    came, and what `part` and the file raise.
    """
    size = settled = 0
    used: deque[_Used] = deque()
    flushed: Future[None] | None = None
    with (
        ThreadPoolExecutor(1, "hash") as hashing,
        ThreadPoolExecutor(1, "write") as writing,
        ThreadPoolExecutor(1, "flush") as flushing,
    ):
        while length is None or size < length:
            left = BUFFER if length is None else length - size
            buffer = _unused(used, left)
            count = part.readinto(buffer[:left])
            if not count:
                break
            piece = buffer[:count]
            used.append(
                (hashing.submit(update, piece), writing.submit(_write, file, piece), buffer)
            )
            size += count
            if size - settled >= _SETTLE and (flushed is None or flushed.done()):
                if flushed:
                    flushed.result()  # a disk that fails is noticed here
                flushed = flushing.submit(os.fsync, file.fileno())
                settled = size
        while used:
            _finished(used)
        if flushed:
            flushed.result()
    if length is not None and size < length:
        raise Truncated(f"the part has {size} bytes of the {length} announced")
    return size


def _unused(used: deque[_Used], wanted: int) -> memoryview:
    """A new buffer of at most BUFFER bytes, or the oldest one that is used."""
    if len(used) < _BUFFERS:
        return memoryview(bytearray(min(BUFFER, wanted)))
    return _finished(used)


def _finished(used: deque[_Used]) -> memoryview:
    """The oldest used buffer, once its bytes are hashed and written; raises what that raised."""
    hashed, written, buffer = used.popleft()
    hashed.result()
    written.result()
    return buffer


def _write(file: FileIO, data: memoryview) -> None:
    """Write all of the data: a raw file may write less than it is given."""
    while data:
        data = data[file.write(data) :]
