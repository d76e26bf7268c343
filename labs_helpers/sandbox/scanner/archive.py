"""The entries of a layer's tar archive, one at a time, from a stream.

``tarfile`` reads the headers (ustar, pax, GNU); what it would hold or read without bound is
bounded here: it is given a file on which only small reads are allowed, and forgets each entry.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Self, cast

from labs_helpers.sandbox.scanner.decompression import LayerStream
from labs_helpers.sandbox.scanner.limits import Budget, LayerDamaged, TooMuch

Kind = Literal["file", "directory", "symlink", "hardlink", "other"]
_PORTION = 64 * 1024


@dataclass(frozen=True)
class Entry:
    """One entry: ``path`` without a leading slash; ``target`` of links as written; size in bytes.

    A path that climbs out of the image (``..``) is None: no extraction would follow it.
    """

    path: str | None
    kind: Kind
    target: str
    size: int


class Archive:
    """Iterate over the entries; ``content`` gives the bytes of the entry last seen."""

    def __init__(self, stream: LayerStream, budget: Budget) -> None:
        self._file = _Headers(stream, budget)
        self._budget = budget
        self._member: tarfile.TarInfo | None = None

    def __iter__(self) -> Iterator[Entry]:
        try:
            yield from self._entries()
        except (tarfile.TarError, ValueError, RecursionError, EOFError, OverflowError) as error:
            raise LayerDamaged(f"A layer is no tar archive that can be read: {error}.") from error

    def _entries(self) -> Iterator[Entry]:
        # tarfile refuses an archive of nothing, which a layer may be
        first = self._file.peek(tarfile.BLOCKSIZE)
        if not first.strip(b"\0"):
            return
        with tarfile.open(
            fileobj=cast("tarfile._Fileobj", self._file), mode="r:", tarinfo=_Strict
        ) as archive:
            while (member := archive.next()) is not None:
                # else it keeps every entry of the layer
                archive.members = []  # type: ignore[attr-defined]
                self._budget.entry()
                self._member = member
                yield Entry(normal(member.name), _kind(member), member.linkname, member.size)

    def content(self, limit: int) -> bytes:
        """The bytes of the entry last seen; raises TooMuch above ``limit``."""
        member = self._member
        if member is None or member.size > limit:
            size = member.size if member else 0
            raise TooMuch(f"A package database has {size} bytes, more than {limit}.")
        if member.issparse():
            raise LayerDamaged("A package database is a sparse file, which is not read.")
        self._file.seek(member.offset_data)
        parts, left = [], member.size
        while left:
            part = self._file.read(min(left, _PORTION))
            if not part:
                raise LayerDamaged("A layer ends in the middle of a file.")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def head(self, limit: int) -> bytes:
        """The first bytes of the entry last seen, at most ``limit``."""
        member = self._member
        if member is None or member.issparse():
            return b""
        self._file.seek(member.offset_data)
        return self._file.read(min(member.size, limit, _PORTION))


class _Strict(tarfile.TarInfo):
    """tarfile takes a damaged header in the middle for the end, which would hide the rest."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if not buf.strip(b"\0"):
                raise  # zeros, or nothing more: the end
            raise LayerDamaged(f"A layer's tar archive has a damaged header: {error}.") from error


class _Headers:
    """The file that tarfile sees: forward only, with small reads, and one end."""

    def __init__(self, stream: LayerStream, budget: Budget) -> None:
        self._stream = stream
        self._largest = budget.limits.header
        self._ahead = b""
        self._ended = 0

    def peek(self, count: int) -> bytes:
        self._ahead = self._stream.read(count)
        return self._ahead

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= self._largest:
            raise TooMuch(f"A layer has a tar header of more than {self._largest} bytes.")
        ahead, self._ahead = self._ahead[:count], self._ahead[count:]
        data = ahead + self._stream.read(count - len(ahead))
        if count and not data:
            self._ended += 1
            if self._ended > 2:
                raise EOFError("it ends within a header")
        return data

    def tell(self) -> int:
        return self._stream.position - len(self._ahead)

    def seek(self, position: int) -> None:
        step = position - self.tell()
        if step < 0:
            raise LayerDamaged("A layer's tar archive points backwards.")
        ahead = min(step, len(self._ahead))
        self._ahead = self._ahead[ahead:]
        self._stream.skip(step - ahead)


def normal(name: str) -> str | None:
    """A path as the image has it: no slash at its ends, no dots; None when it leaves the image."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if ".." in parts else "/".join(parts)


def _kind(member: tarfile.TarInfo) -> Kind:
    if member.isdir():
        return "directory"
    if member.issym():
        return "symlink"
    if member.islnk():
        return "hardlink"
    return "file" if member.isfile() else "other"
