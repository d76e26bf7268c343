"""Reads tar archives into a Tree: build contexts from clients, layers from the store."""

from __future__ import annotations

import bz2
import gzip
import lzma
import posixpath
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from labs_helpers.oci.layer_paths import fits_a_file_system

from ..errors import BadRequest
from ..streams import chunks, section
from .errors import BuildError, DockerfileError
from .layer import WHITEOUT
from .tree import DIRECTORY, FILE, LINK, OTHER, Entry, LinkLoop, Tree

_IDS, _DATES = 2**32 - 1, 2**33
"""The limits of a file system: user IDs, and seconds since 1970."""

_OPAQUE = ".wh..wh..opq"
_MAGIC: tuple[tuple[bytes, Callable[[BinaryIO], BinaryIO]], ...] = (
    (b"\x1f\x8b\x08", lambda file: cast(BinaryIO, gzip.GzipFile(fileobj=file))),
    (b"BZh", lambda file: cast(BinaryIO, bz2.BZ2File(file))),
    (b"\xfd7zXZ\x00", lambda file: cast(BinaryIO, lzma.LZMAFile(file))),  # noqa: SIM115
)
_BROKEN = (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError)


def read_context(stream: BinaryIO, scratch: Path | None) -> Tree:
    """Spool a context (a tar, plain or compressed) to a temporary file and index it.

    The file has no name, and disappears together with the tree.

    Raises:
        DockerfileError: the stream is not a tar archive.
    """
    spooled = _spool(stream, scratch)
    tree = Tree()
    try:
        index(decompress(spooled, scratch), tree, whiteouts=False)
    except _BROKEN as error:
        raise DockerfileError(f"error processing tar file: {error}") from error
    return tree


def read_archive(stream: BinaryIO, scratch: Path | None) -> BinaryIO:
    """Spool a tar, plain or compressed, to a temporary file; return its uncompressed content.

    Raises:
        BadRequest: the stream is not a tar archive.
    """
    try:
        tar = decompress(_spool(stream, scratch), scratch)
        index(tar, Tree(), whiteouts=False)
    except _BROKEN as error:
        raise BadRequest(f"error processing tar file: {error}") from error
    tar.seek(0)
    return tar


def decompress(file: BinaryIO, scratch: Path | None) -> BinaryIO:
    """The seekable file itself, or a temporary file with its decompress content."""
    file.seek(0)
    head = file.read(8)
    file.seek(0)
    for magic, reader in _MAGIC:
        if head.startswith(magic):
            return _spool(reader(file), scratch)
    return file


def is_tar(file: BinaryIO) -> bool:
    """Whether the seekable file, once decompress, starts with a tar header."""
    file.seek(0)
    head = file.read(8)
    file.seek(0)
    try:
        for magic, reader in _MAGIC:
            if head.startswith(magic):
                return _has_header(reader(file).read(tarfile.BLOCKSIZE))
        return _has_header(file.read(tarfile.BLOCKSIZE))
    except _BROKEN:
        return False


def _has_header(block: bytes) -> bool:
    if len(block) < tarfile.BLOCKSIZE or not block.strip(b"\0"):
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def index(file: BinaryIO, tree: Tree, whiteouts: bool = True, below: str = "") -> None:
    """Put every member of a seekable, uncompressed tar into the tree, under ``below``.

    Raises:
        tarfile.TarError: the file is not a tar archive.
    """
    file.seek(0)
    if not file.read(1):
        return
    file.seek(0)
    tar = tarfile.open(fileobj=file, mode="r:", errors="surrogateescape")  # noqa: SIM115
    here: set[str] = set()
    while (member := tar.next()) is not None:
        # tarfile keeps every member in memory, which for a large archive is most of the memory
        tar.members.clear()  # type: ignore[attr-defined]
        for each in (member.name, member.linkname):
            if not fits_a_file_system(each):
                raise tarfile.ReadError(f"{each[:60]}...: file name too long")
        # an absolute name, or one with "..", stays inside the tree
        name = posixpath.normpath("/" + member.name).lstrip("/")
        path = f"{below}/{name}" if below else name
        folder, base = posixpath.split(path)
        if whiteouts and base.startswith(WHITEOUT):
            # a whiteout deletes files of lower layers only, wherever in this layer it stands
            if base == _OPAQUE:
                tree.clear(folder, here)
            elif (deleted := posixpath.join(folder, base.removeprefix(WHITEOUT))) not in here:
                tree.remove(deleted)
            continue
        entry = _entry(file, tar, member, tree, below)
        if entry:
            tree.put(path, entry)
        while whiteouts and path and path not in here:
            here.add(path)
            path = posixpath.dirname(path)


def _entry(
    file: BinaryIO, tar: tarfile.TarFile, member: tarfile.TarInfo, tree: Tree, below: str
) -> Entry | None:
    for number in (member.uid, member.gid):
        if not 0 <= number < _IDS:
            raise tarfile.ReadError(f"{member.name}: owner {number} is out of range")
    if "\0" in member.name or "\0" in member.linkname:
        raise tarfile.ReadError("a name with a zero byte")
    date = member.mtime if 0 <= member.mtime < _DATES else 0
    entry = Entry(DIRECTORY, member.mode & 0o7777, member.uid, member.gid, mtime=date)
    if member.isdir():
        return entry
    if member.issym():
        return replace(entry, kind=LINK, target=member.linkname)
    if member.islnk():
        linked = posixpath.normpath("/" + member.linkname).lstrip("/")
        try:
            target = tree.get(tree.resolve(posixpath.join(below, linked), follow_last=False))
        except LinkLoop:
            return None
        # a directory has no hard links
        return target if target and target.kind != DIRECTORY else None
    if member.isreg():
        content: Callable[[], BinaryIO]
        if member.issparse():
            content = partial(_open_sparse, tar, member)
        else:
            content = partial(section, file, member.offset_data, member.size)
        return replace(entry, kind=FILE, size=member.size, open=content, inode=object())
    device = (member.type, member.devmajor, member.devminor)
    return replace(entry, kind=OTHER, device=device)


def _open_sparse(tar: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    return cast(BinaryIO, tar.extractfile(member))


def read_layers(layers: list[Callable[[], BinaryIO]], scratch: Path | None) -> Tree:
    """The file tree of an image: its layers, lowest first, with their whiteouts applied.

    Each layer is spooled uncompressed to a temporary file, so that its files can be read in any
    order.

    Raises:
        BuildError: a layer is not a tar archive.
    """
    tree = Tree()
    for open_layer in layers:
        with open_layer() as stream:
            try:
                index(_spool(stream, scratch), tree)
            except _BROKEN as error:
                raise BuildError(f"a layer of the image cannot be read: {error}") from error
    return tree


def _spool(stream: BinaryIO, scratch: Path | None) -> BinaryIO:
    file = cast(BinaryIO, tempfile.TemporaryFile(dir=scratch))  # noqa: SIM115
    size = 0
    for data in chunks(stream):
        size += file.write(data)
    # Docker's command does not pad the last block when it adds a Dockerfile to a context
    file.write(bytes(-size % tarfile.BLOCKSIZE))
    file.seek(0)
    return file
