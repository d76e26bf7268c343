"""Byte streams and the generators that feed them."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from typing import IO, BinaryIO, TypeVar, cast

CHUNK_SIZE = 1024 * 1024
"""Bytes read, hashed, sent and written at a time."""

S = TypeVar("S")
T = TypeVar("T")
U = TypeVar("U")


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of a stream, at most CHUNK_SIZE bytes at a time."""
    while data := stream.read(CHUNK_SIZE):
        yield data


def result_of(generator: Generator[object, None, T]) -> T:
    """Run a generator to its end, drop what it yields, and return what it returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            result: T = end.value
            return result


def map_generator(
    function: Callable[[S], U], generator: Generator[S, None, T]
) -> Generator[U, None, T]:
    """Yield ``function`` of each item of a generator, and return what the generator returns."""
    try:
        while True:
            try:
                item = next(generator)
            except StopIteration as end:
                result: T = end.value
                return result
            yield function(item)
    finally:
        generator.close()


def stream_of(parts: Iterator[bytes]) -> BinaryIO:
    """A forward-only stream of the parts; closing the stream closes a generator of parts."""
    return cast(BinaryIO, io.BufferedReader(_PartsReader(parts), CHUNK_SIZE))


class _PartsReader(io.RawIOBase):
    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if close := getattr(self._parts, "close", None):
            close()
        super().close()


def section(file: BinaryIO, start: int, size: int) -> BinaryIO:
    """A part of a seekable file as a seekable stream of its own."""
    return cast(BinaryIO, io.BufferedReader(_SectionReader(file, start, size), CHUNK_SIZE))


class _SectionReader(io.RawIOBase):
    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = max(0, min(len(buffer), self._size - self._at))
        if count:
            self._file.seek(self._start + self._at)
            data = self._file.read(count)
            count = len(data)
            buffer[:count] = data
            self._at += count
        return count
