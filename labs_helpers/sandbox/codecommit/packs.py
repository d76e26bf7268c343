"""What a push may hold once its objects are unpacked.

A pack is compressed twice: zlib makes a megabyte of a gigabyte of zeros, and a delta of some bytes
repeats another object a thousand times. dulwich unpacks each object in memory, so a pack is looked
through first, a portion at a time. The format of a pack: https://git-scm.com/docs/gitformat-pack
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable
from typing import IO, Any

from dulwich.errors import ObjectFormatException

LARGEST = 256 * 1024 * 1024
"""Bytes of all objects of a push."""

_HEADER = 12
_COUNT = slice(8, 12)
_OFFSET_DELTA, _REFERENCE_DELTA = 6, 7
_ID = 20
_PORTION = 64 * 1024
_SIZES_OF_A_DELTA = 20
"""Bytes that hold the two numbers at the beginning of a delta."""

Read = Callable[[int], bytes]


class TooLarge(ObjectFormatException):
    """A pack that is not unpacked; git prints the message."""


def bound(objects: Any) -> None:
    """Have an object store of dulwich look through each pack before the store unpacks it."""
    add = objects.add_thin_pack

    def add_small(read_all: Read, read_some: Read | None, *args: Any, **limits: Any) -> Any:
        with tempfile.TemporaryFile(dir=objects.path) as file:
            while piece := (read_some or read_all)(_PORTION):
                file.write(piece)
            check(file)
            file.seek(0)
            return add(file.read, file.read, *args, **limits)

    objects.add_thin_pack = add_small


def check(file: IO[bytes], largest: int = LARGEST) -> None:
    """Raise TooLarge for a pack whose objects have more bytes; zlib.error for a damaged one."""
    file.seek(0)
    count = int.from_bytes(file.read(_HEADER)[_COUNT], "big")
    total = 0
    for _ in range(count):
        kind, size = _begin(file)
        total += size
        if total <= largest and kind in (_OFFSET_DELTA, _REFERENCE_DELTA):
            total += _result(_unpacked(file))
        elif total <= largest:
            _unpacked(file)
        if total > largest:
            raise TooLarge(f"the objects of a push have at most {largest >> 20} MiB unpacked here")


def _begin(file: IO[bytes]) -> tuple[int, int]:
    """The type of the next object and its size, a delta's own."""
    byte = _byte(file)
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        byte = _byte(file)
        size |= (byte & 0x7F) << shift
        shift += 7
    if kind == _REFERENCE_DELTA:
        file.read(_ID)
    while kind == _OFFSET_DELTA and _byte(file) & 0x80:
        pass
    return kind, size


def _unpacked(file: IO[bytes]) -> bytes:
    """The first bytes of an object; the file stands at the next one then."""
    unpacking, first = zlib.decompressobj(), b""
    while not unpacking.eof:
        packed = unpacking.unconsumed_tail or file.read(_PORTION)
        if not packed:
            raise zlib.error("a pack ends within an object")
        out = unpacking.decompress(packed, _PORTION)
        first = first or out[:_SIZES_OF_A_DELTA]
    file.seek(-len(unpacking.unused_data), 1)
    return first


def _result(delta: bytes) -> int:
    """The size of what a delta makes: the second number of two."""
    sizes = [0, 0]
    shift = place = 0
    for byte in delta:
        sizes[place] |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            shift, place = 0, place + 1
            if place > 1:
                return sizes[1]
    raise zlib.error("a delta has no size")


def _byte(file: IO[bytes]) -> int:
    found = file.read(1)
    if not found:
        raise zlib.error("a pack ends before its last object")
    return found[0]
