"""The entries of a layer's tar archive, one at a time, from a stream.

Nothing is held but the entry last seen. What Go's ``archive/tar`` refuses raises LayerDamaged,
because no container runtime would unpack the layer.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from labs_helpers.oci.layer_paths import fits_a_file_system
from labs_helpers.sandbox.scanner import tar_headers
from labs_helpers.sandbox.scanner.decompression import LayerStream
from labs_helpers.sandbox.scanner.limits import Budget, LayerDamaged, TooMuch
from labs_helpers.sandbox.scanner.tar_headers import BLOCK, Header

Kind = Literal["file", "directory", "symlink", "hardlink", "other", "nothing"]
_KINDS: dict[bytes, Kind] = {
    b"0": "file",
    b"\0": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "other",
    b"4": "other",
    b"5": "directory",
    b"6": "other",
}
_ZEROS = bytes(BLOCK)
_PORTION = 64 * 1024


@dataclass(frozen=True)
class Entry:
    """One entry: ``target`` of links is as written, ``size`` in bytes.

    An entry of the kind "nothing" is a global pax header. Container runtimes ignore its records,
    but remove what is at its path.
    """

    name: str
    kind: Kind
    target: str
    size: int

    @property
    def path(self) -> str:
        """The path in the image, as ``normal`` gives it."""
        return normal(self.name)


class Archive:
    """Iterate over the entries; ``content`` and ``head`` give bytes of the entry last seen."""

    def __init__(self, stream: LayerStream, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget
        self._size = 0
        self._left = 0
        self._sparse = False

    def __iter__(self) -> Iterator[Entry]:
        """Every entry up to the end of the archive; raises LayerDamaged and TooMuch."""
        records: dict[str, str] = {}
        name = target = ""
        extended = False
        while (block := self._block()) is not None:
            header = tar_headers.parse(block)
            if header.type in (b"x", b"g", b"L", b"K"):
                content = self._extension(header)
                extended = True
                if header.type == b"L":
                    name = tar_headers.text(content)
                elif header.type == b"K":
                    target = tar_headers.text(content)
                else:
                    records = tar_headers.pax_records(content)
                if header.type != b"g":
                    continue
                entry = Entry(records.get("path", header.name), "nothing", "", 0)
            else:
                entry = self._entry(header, records, name, target)
            records, name, target, extended = {}, "", "", False
            _check_length(entry.name)
            if entry.kind == "hardlink":
                _check_length(entry.target)
            self._budget.entry()
            yield entry
            self._stream.skip(self._left)
            self._stream.read(-self._size % BLOCK)
            self._size = self._left = 0
        if extended:
            raise LayerDamaged("A layer's tar archive ends between the headers of an entry.")

    def content(self, limit: int) -> bytes:
        """The whole content of the entry last seen; raises TooMuch above ``limit`` bytes."""
        if self._size > limit:
            raise TooMuch(f"A package database has {self._size} bytes, more than {limit}.")
        if self._sparse:
            raise LayerDamaged("A package database is a sparse file, which the scan cannot read.")
        parts = []
        while self._left:
            parts.append(self._read(min(self._left, _PORTION)))
        return b"".join(parts)

    def head(self, limit: int) -> bytes:
        """The first bytes of the entry last seen, at most ``limit``."""
        if self._sparse:
            return b""
        return self._read(min(self._left, limit, _PORTION))

    def _block(self) -> bytes | None:
        """The next header block; None at the end, which is two blocks of zeros or no more bytes."""
        block = self._stream.read(BLOCK)
        if block == _ZEROS:
            block = self._stream.read(BLOCK)
            if block in (b"", _ZEROS):
                return None
            raise tar_headers.damaged("a block of zeros stands in front of it")
        if not block:
            return None
        if len(block) < BLOCK:
            raise tar_headers.damaged("the layer ends within it")
        return block

    def _extension(self, header: Header) -> bytes:
        """The content of an extended header: a long name, or pax records."""
        if header.size > self._budget.limits.header:
            raise TooMuch(
                f"A layer has a tar header of more than {self._budget.limits.header} bytes."
            )
        self._left = header.size
        content = self._read(header.size)
        self._stream.read(-header.size % BLOCK)
        return content

    def _entry(self, header: Header, records: dict[str, str], name: str, target: str) -> Entry:
        if header.type == b"S":
            raise LayerDamaged(
                "A layer has a sparse file in GNU's old format, which container runtimes refuse."
            )
        kind = _KINDS.get(header.type)
        if kind is None:
            raise tar_headers.damaged(f"its type is {header.type!r}")
        size = int(records.get("size", header.size))
        self._sparse, sparse_name = tar_headers.sparse_name(records)
        name = name or records.get("path") or header.name
        if header.type == b"\0" and name.endswith("/"):
            kind = "directory"
        # only files have content, whatever the size says
        self._size = self._left = size if kind == "file" else 0
        return Entry(
            sparse_name or name,
            kind,
            target or records.get("linkpath") or header.target,
            self._size,
        )

    def _read(self, count: int) -> bytes:
        found = self._stream.read(count)
        if len(found) < count:
            raise LayerDamaged("A layer ends in the middle of a file.")
        self._left -= count
        return found


def _check_length(path: str) -> None:
    """Raise LayerDamaged for a name with which no runtime unpacks the layer."""
    if not fits_a_file_system(path):
        raise LayerDamaged(f"A layer has a name that is too long for a file: {path[:60]!r}...")


def normal(name: str) -> str:
    """A path without slashes at its ends and without dots; ``..`` does not leave the image's root.

    Runtimes resolve ``..`` in an entry's name before they follow symbolic links:
    https://github.com/containers/storage/blob/v1.43.0/pkg/archive/diff.go
    """
    return posixpath.normpath(f"/{name}").lstrip("/")
