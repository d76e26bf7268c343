"""The build context: a folder, as the tar that ``docker build`` sends.

Source: https://github.com/docker/cli/tree/v28.2.2/cli/command/image/build and
https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..glob import BadPattern
from ..ignore import IgnorePatterns
from ..streams import CHUNK_SIZE
from .client import Failure


def ignore_patterns(text: str) -> list[str]:
    """The patterns of a .dockerignore file, normalized as in Docker."""
    patterns = []
    for line in text.removeprefix("\ufeff").splitlines():
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        negated = pattern.startswith("!")
        pattern = pattern.removeprefix("!").strip()
        if pattern:
            pattern = os.path.normpath(pattern)
            pattern = pattern.lstrip("/") if len(pattern) > 1 else pattern
        patterns.append(f"{'!' if negated else ''}{pattern}")
    return patterns


def read_ignore(folder: Path, dockerfile: str) -> IgnorePatterns:
    """The matcher for files that are not sent; .dockerignore and the Dockerfile are always sent.

    Raises:
        Failure: a pattern is malformed.
    """
    file = folder / ".dockerignore"
    try:
        patterns = ignore_patterns(file.read_text("utf-8", "replace"))
    except FileNotFoundError:
        patterns = []
    try:
        found = IgnorePatterns(patterns)
        needed = [name for name in (".dockerignore", dockerfile) if name and found.leaves_out(name)]
        return IgnorePatterns([*patterns, *(f"!{name}" for name in needed)])
    except BadPattern as error:
        raise Failure(f"checking context: {error}") from error


def send(folder: Path, ignored: IgnorePatterns, extra: dict[str, bytes]) -> Iterator[bytes]:
    """The tar of a folder, in chunks, with the additional files ``extra``.

    Names are sorted, owners are root, times are whole seconds.
    """
    seen: dict[tuple[int, int], str] = {}
    for name, path in _walk(folder, ignored, PurePosixPath()):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue  # deleted since the folder was listed
        member = tarfile.TarInfo(name)
        member.mode, member.mtime = stat.S_IMODE(found.st_mode), int(found.st_mtime)
        if stat.S_ISLNK(found.st_mode):
            member.type, member.linkname = tarfile.SYMTYPE, str(path.readlink())
            yield _header(member)
        elif stat.S_ISDIR(found.st_mode):
            member.type = tarfile.DIRTYPE
            yield _header(member)
        elif stat.S_ISFIFO(found.st_mode):
            member.type = tarfile.FIFOTYPE
            yield _header(member)
        elif stat.S_ISREG(found.st_mode):
            inode = (found.st_dev, found.st_ino)
            if found.st_nlink > 1 and inode in seen:
                member.type, member.linkname = tarfile.LNKTYPE, seen[inode]
                yield _header(member)
                continue
            seen[inode] = name
            member.size = found.st_size
            yield _header(member)
            yield from _content(path, found.st_size)
    for name, content in extra.items():
        member = tarfile.TarInfo(name)
        member.mode, member.size = 0o600, len(content)
        yield _header(member)
        yield content + bytes(-len(content) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def outside_name(content: bytes) -> str:
    """The name in the context for a Dockerfile from outside."""
    return f".dockerfile.{hashlib.sha256(content).hexdigest()[:20]}"


def _header(member: tarfile.TarInfo) -> bytes:
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _walk(
    folder: Path, ignored: IgnorePatterns, below: PurePosixPath
) -> Iterator[tuple[str, Path]]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names only, and bytes that are no text
    except PermissionError as error:
        raise Failure(f"checking context: can't stat '{folder}'") from error
    for name in names:
        path, inside = folder / name, below / name
        left_out = ignored.leaves_out(str(inside))
        is_folder = path.is_dir() and not path.is_symlink()
        if not left_out:
            yield f"{inside}", path
        if is_folder and (not left_out or ignored.may_take_back_below(str(inside))):
            yield from _walk(path, ignored, inside)


def _content(path: Path, size: int) -> Iterator[bytes]:
    try:
        file = path.open("rb")
    except PermissionError as error:
        raise Failure(f"checking context: no permission to read from '{path}'") from error
    left = size
    with file:
        while left and (data := file.read(min(left, CHUNK_SIZE))):
            left -= len(data)
            yield data
    # pad a file that has shrunk since the folder was listed
    yield bytes(left + -size % tarfile.BLOCKSIZE)
