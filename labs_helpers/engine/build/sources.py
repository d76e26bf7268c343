"""The sources of a COPY or ADD: files of the context or of another stage.

Source: https://github.com/moby/moby/blob/v26.1.5/builder/dockerfile/copy.go
"""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

from ..glob import BadPattern, Glob
from .errors import BuildError
from .tree import DIRECTORY, FILE, LINK, Entry, LinkLoop, Tree

_WILD = re.compile(r"(?<!\\)(?:\\\\)*[*?\[]")


@dataclass(frozen=True)
class Source:
    """A file or directory to copy; ``name`` is its name in the Dockerfile.

    ``entries`` have paths relative to the source: "" for a file, the content only for a directory.
    With ``unpacked``, they come from a tar file that ADD unpacked.
    """

    name: str
    is_directory: bool
    entries: Mapping[str, Entry]
    unpacked: bool = False


@dataclass(frozen=True)
class Ownership:
    """The values of --chown and --chmod; None leaves the value of the source."""

    uid: int | None = None
    gid: int | None = None
    mode: int | None = None

    def apply(self, source: Source, from_stage: bool) -> Source:
        """The source with owners and modes as they are copied.

        Root owns the files of a context. Their write bits for group and others depend on the umask
        at the checkout; without these bits, the same files give the same digest on every machine.
        Files of another stage, and of an archive that ADD unpacks, keep owner and mode; --chown
        does not apply to the latter, as in Docker.
        """
        if source.unpacked:
            return source
        entries = {}
        for path, entry in source.entries.items():
            uid, gid, mode = entry.uid, entry.gid, entry.mode
            if not from_stage:
                uid, gid, mode = 0, 0, mode & ~0o022
            if entry.kind == LINK:
                mode = 0o777
            elif self.mode is not None:
                mode = self.mode
            uid = uid if self.uid is None else self.uid
            gid = gid if self.gid is None else self.gid
            entries[path] = replace(entry, uid=uid, gid=gid, mode=mode)
        return replace(source, entries=entries)


def find(tree: Tree, pattern: str, command: str, from_stage: bool) -> Iterator[Source]:
    """The sources that one argument names, sorted.

    Raises:
        BuildError: the path leads outside the context, or does not exist.
    """
    path = posixpath.normpath(pattern)
    if path == ".." or path.startswith("../"):
        raise BuildError(
            f"{command} failed: forbidden path outside the build context: {pattern} ()"
        )
    path = path.lstrip("/")
    if _WILD.search(path):
        for name in _matches(tree, path, command):
            yield _source(tree, name, command, from_stage)
    else:
        yield _source(tree, path, command, from_stage)


def inline(name: str, content: bytes) -> Source:
    """A heredoc as a file."""

    def open_content() -> BinaryIO:
        return io.BytesIO(content)

    return Source(name, False, {"": Entry(FILE, 0o644, size=len(content), open=open_content)})


def _source(tree: Tree, path: str, command: str, from_stage: bool) -> Source:
    try:
        resolved = tree.resolve(path)
    except LinkLoop as error:
        raise BuildError(f"{command} failed: too many links: {path}") from error
    entry = tree.get(resolved)
    if entry is None:
        where = "" if from_stage else "file not found in build context or excluded by"
        where += "" if from_stage else " .dockerignore: "
        raise BuildError(f"{command} failed: {where}stat {path}: file does not exist")
    if entry.kind == DIRECTORY:
        return Source(path, True, dict(tree.walk(resolved)))
    return Source(path, False, {"": entry})


def _matches(tree: Tree, pattern: str, command: str) -> list[str]:
    found = [""]
    parts = pattern.split("/")
    for part in parts:
        try:
            glob = Glob(part)
        except BadPattern as error:
            # in Docker, a malformed pattern matches nothing
            raise BuildError(f"{command} failed: no source files were specified") from error
        below = []
        for folder in found:
            entry = tree.get(folder)
            if entry and entry.kind == DIRECTORY:
                names = (name for name in tree.names(folder) if glob.matches(name))
                below += [f"{folder}/{name}" if folder else name for name in names]
        found = below
    return found
