"""A readable stream over bytes that are made on demand."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

_PORTION = 1024 * 1024


def produced(parts: Iterator[bytes]) -> BinaryIO:
    """A forward-only stream of what ``parts`` yields; a generator is closed with it."""
    return cast(BinaryIO, io.BufferedReader(_Produced(parts), _PORTION))


class _Produced(io.RawIOBase):
    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._left = memoryview(part)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        if close := getattr(self._parts, "close", None):
            close()
        super().close()
