"""The tar of a new layer, generated while it is read. The same entries give the same bytes.

Entries are sorted, have numeric owners only, and share one date. The format is PAX (POSIX.1-2001),
which tarfile writes the same on every machine.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import BinaryIO

from ..streams import CHUNK_SIZE, stream_of
from .tree import DIRECTORY, FILE, LINK, Entry

WHITEOUT = ".wh."
"""The prefix of a name that marks a deleted file in a layer.

https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
"""

_RECORD = 10240


@dataclass(frozen=True)
class Changes:
    """The changes of a layer to the files below it; paths have no leading slash."""

    entries: Mapping[str, Entry]
    removed: Set[str] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.entries or self.removed)

    def members(self) -> dict[str, Entry]:
        """The entries of the layer's tar, with whiteouts for removed paths."""
        whiteouts = {}
        for path in self.removed:
            folder, slash, name = path.rpartition("/")
            whiteouts[f"{folder}{slash}{WHITEOUT}{name}"] = Entry(FILE, mode=0)
        return {**self.entries, **whiteouts}


def layer_tar(entries: Mapping[str, Entry], mtime: int) -> BinaryIO:
    """The tar of these entries (path without leading slash -> entry), dated ``mtime``."""
    return stream_of(_tar(entries, mtime))


def _tar(entries: Mapping[str, Entry], mtime: int) -> Iterator[bytes]:
    written = 0
    first: dict[int, str] = {}
    # sorted by components, so that a directory comes before its content
    for path in sorted(entries, key=lambda name: name.split("/")):
        entry = entries[path]
        linked = entry.inode is not None and first.setdefault(id(entry.inode), path)
        if linked and linked != path:
            header = _hard_link(path, linked, entry, mtime)
            written += len(header)
            yield header
            continue
        header = _header(path, entry, mtime)
        written += len(header)
        yield header
        if entry.kind == FILE:
            for data in _content(entry):
                written += len(data)
                yield data
            padding = -entry.size % tarfile.BLOCKSIZE
            written += padding
            yield bytes(padding)
    end = 2 * tarfile.BLOCKSIZE
    yield bytes(end + -(written + end) % _RECORD)


def _header(path: str, entry: Entry, mtime: int) -> bytes:
    member = tarfile.TarInfo(path)
    member.mode, member.uid, member.gid, member.mtime = entry.mode, entry.uid, entry.gid, mtime
    if entry.kind == FILE:
        member.size = entry.size
    elif entry.kind == DIRECTORY:
        member.type = tarfile.DIRTYPE
    elif entry.kind == LINK:
        member.type, member.linkname = tarfile.SYMTYPE, entry.target
    elif entry.device:
        member.type, member.devmajor, member.devminor = entry.device
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _hard_link(path: str, target: str, entry: Entry, mtime: int) -> bytes:
    member = tarfile.TarInfo(path)
    member.mode, member.uid, member.gid, member.mtime = entry.mode, entry.uid, entry.gid, mtime
    member.type, member.linkname = tarfile.LNKTYPE, target
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _content(entry: Entry) -> Iterator[bytes]:
    left = entry.size
    if not left or entry.open is None:
        return
    with entry.open() as file:
        while left:
            data = file.read(min(left, CHUNK_SIZE))
            if not data:
                raise OSError("a file of the build ended before its recorded size")
            left -= len(data)
            yield data


def content_hash(entries: Mapping[str, Entry]) -> str:
    """The 64 hex digits that Docker's history shows for copied files: names, modes, content."""
    total = hashlib.sha256()
    for path in sorted(entries, key=lambda name: name.split("/")):
        total.update(_header(path, entries[path], 0))
        for data in _content(entries[path]):
            total.update(data)
    return total.hexdigest()
