"""The size that Docker shows for a layer: the bytes of the files in its tar.

Only the headers of the passing tar stream are read; nothing is unpacked.
Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar and pax)
"""

from __future__ import annotations

import re

_BLOCK = 512
_EXTENSION_LIMIT = 64 * 1024
_PAX_SIZE = re.compile(rb"\d+ size=(\d{1,18})\n")


class ContentSize:
    """Counts the bytes of the files in a tar that is fed in parts of any size.

    Malformed input raises nothing: the count then stops where the tar stops being one.
    """

    def __init__(self) -> None:
        self.total = 0
        self._buffer = b""
        self._skip = 0
        self._override: int | None = None
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the tar."""
        if self._ended:
            return
        if self._skip >= len(data) and not self._buffer:
            self._skip -= len(data)
            return
        view = memoryview(self._buffer + data)
        at = min(self._skip, len(view))
        self._skip -= at
        while not self._ended and len(view) - at >= _BLOCK:
            after = self._entry(view, at)
            if after is None:
                break
            self._skip = max(0, after - len(view))
            at = min(after, len(view))
        self._buffer = b"" if self._ended else bytes(view[at:])

    def _entry(self, view: memoryview, at: int) -> int | None:
        """Count the entry at ``at``; return the start of the next, None to wait for more bytes."""
        header = bytes(view[at : at + _BLOCK])
        if not header.strip(b"\0"):
            self._ended = True
            return None
        size = _number(header[124:136])
        if size is None:
            self._ended = True
            return None
        kind = header[156:157]
        if kind in (b"x", b"g"):
            end = at + _BLOCK + size
            if size > _EXTENSION_LIMIT:
                self._ended = True
                return None
            if end > len(view):
                return None
            found = _PAX_SIZE.search(bytes(view[at + _BLOCK : end]))
            if found and kind == b"x":
                self._override = int(found[1])
        elif kind not in (b"L", b"K"):
            size = size if self._override is None else self._override
            self._override = None
            if kind in (b"1", b"2", b"3", b"4", b"5", b"6"):
                size = 0
            self.total += size
        return at + _BLOCK + size + -size % _BLOCK


def _number(field: bytes) -> int | None:
    if field[0] & 0x80:
        # base-256, for files of 8 GB or more
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    text = field.strip(b" \0")
    try:
        return int(text, 8) if text else 0
    except ValueError:
        return None
