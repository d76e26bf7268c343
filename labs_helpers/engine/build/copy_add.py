"""COPY and ADD: from the sources to the entries of a new layer.

Source: https://github.com/moby/moby/blob/v26.1.5/builder/dockerfile/copy.go
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from labs_helpers.oci.layer_paths import fits_a_file_system

from .errors import BuildError
from .layer import WHITEOUT, content_hash
from .run import accounts
from .sources import Ownership, Source
from .tar_reader import decompress, index, is_tar
from .tree import DIRECTORY, FILE, Entry, LinkLoop, Tree

_NO_CHOWN = "unable to convert uid/gid chown string to host mapping:"
_CHOWN = re.compile(r"([^:]+)(?::([^:]+))?")


def refuse_remote(argument: str) -> None:
    """Raise BuildError for a URL or a git repository: ADD downloads nothing here."""
    scheme = urlsplit(argument).scheme if "://" in argument else ""
    if scheme in {"http", "https", "ftp", "git", "ssh"} or argument.startswith("git@"):
        raise BuildError(
            f"ADD failed: {argument}: this engine fetches nothing while it builds; "
            "download the file into the build context and ADD or COPY it"
        )


def unpack(source: Source, scratch: Path | None) -> Source:
    """The source as ADD copies it: a local tar file is replaced by its content.

    Raises:
        BuildError: the file begins as a tar archive and is damaged.
    """
    entry = source.entries.get("")
    if source.is_directory or entry is None or entry.kind != FILE or entry.open is None:
        return source
    # an archive stays open: its entries are read later
    file = entry.open()
    if not is_tar(file):
        file.close()
        return source
    tree = Tree()
    try:
        index(decompress(file, scratch), tree, whiteouts=False)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BuildError(f"ADD failed: {source.name}: {error}") from error
    return Source(source.name, True, dict(tree.walk()), unpacked=True)


def describe(sources: Sequence[Source]) -> str:
    """The text for history and cache: ``file:<hash>``, ``dir:<hash>`` or ``multi:<hash>``."""
    parts = [
        ("dir:" if source.is_directory and not source.unpacked else "file:")
        + content_hash({f"./{path}": entry for path, entry in source.entries.items()})
        for source in sources
    ]
    if len(parts) == 1:
        return parts[0]
    return f"multi:{hashlib.sha256(','.join(parts).encode()).hexdigest()}"


def place(
    sources: Sequence[Source], destination: str, workdir: str, root: Tree, owner: Ownership
) -> dict[str, Entry]:
    """The entries of the new layer, by path without leading slash.

    Args:
        destination: the path in the Dockerfile; a trailing slash means a directory.
        root: the files of the image so far; its links are followed, and stay inside it.
        owner: the owner of new directories.

    Raises:
        BuildError: a file is in the place of a directory.
    """
    is_folder = destination.endswith("/") or destination in {".", ".."}
    absolute = posixpath.join("/", workdir or "/", destination)
    try:
        target = root.resolve(posixpath.normpath(absolute))
    except LinkLoop as error:
        raise BuildError(f"failed to copy files: too many links: {destination}") from error
    placed: dict[str, Entry] = {}
    for source in sources:
        if source.is_directory:
            make_directories(target, root, placed, owner)
            for path, entry in source.entries.items():
                placed[f"{target}/{path}" if target else path] = entry
            continue
        path = target
        existing = placed.get(target) or root.get(target)
        if is_folder or not target or (existing and existing.kind == DIRECTORY):
            name = posixpath.basename(source.name)
            path = f"{target}/{name}" if target else name
        _check_path(path)
        make_directories(posixpath.dirname(path), root, placed, owner)
        placed[path] = source.entries[""]
    return placed


def _check_path(path: str) -> None:
    """Raise BuildError for a path that no file system takes, or that a layer has for a deletion."""
    if any(name.startswith(WHITEOUT) for name in path.split("/")):
        raise BuildError(f"/{path[:200]}: a layer cannot have a name that begins with .wh.")
    if not fits_a_file_system(path):
        raise BuildError(f"open /{path[:60]}...: file name too long")


def make_directories(
    path: str, root: Tree, placed: dict[str, Entry], owner: Ownership | None = None
) -> None:
    """Add the missing directories of a resolved path.

    Raises:
        BuildError: one of them is a file, or the path is too long.
    """
    _check_path(path)
    parts = [part for part in path.split("/") if part]
    for end in range(1, len(parts) + 1):
        folder = "/".join(parts[:end])
        entry = placed.get(folder) or root.get(folder)
        if entry is None:
            uid, gid = (owner.uid, owner.gid) if owner else (None, None)
            placed[folder] = Entry(DIRECTORY, uid=uid or 0, gid=gid or 0)
        elif entry.kind != DIRECTORY:
            raise BuildError(f"failed to copy files: lstat /{path}: not a directory")


def ownership(chown: str, chmod: str, root: Tree) -> Ownership:
    """Read --chown=user[:group] (numbers, or names in the image's own files) and --chmod=octal.

    Raises:
        BuildError: a value is malformed, or a name is unknown.
    """
    mode: int | None = None
    if chmod:
        if not re.fullmatch(r"0*[0-7]{1,4}", chmod):
            raise BuildError(
                f"invalid chmod parameter: '{chmod}'. it should be octal string and between 0 and"
                " 07777"
            )
        mode = int(chmod, 8)
    if not chown:
        return Ownership(mode=mode)
    parts = _CHOWN.fullmatch(chown)
    if not parts:
        raise BuildError(f"{_NO_CHOWN} invalid chown string format: {chown}")
    user, group = parts[1], parts[2] or parts[1]
    return Ownership(
        _number(user, "uid", "user", "etc/passwd", root),
        _number(group, "gid", "group", "etc/group", root),
        mode,
    )


def _number(name: str, kind: str, what: str, file: str, root: Tree) -> int:
    if accounts.is_number(name):
        return int(name)
    for fields in accounts.lines(root, file):
        if fields[0] == name and len(fields) > 2 and accounts.is_number(fields[2]):
            return int(fields[2])
    why = f"no such {what}: {name}"
    if not accounts.exists(root, file):
        why = f"open /{file}: no such file or directory"
    raise BuildError(f"{_NO_CHOWN} can't find {kind} for {what} {name}: {why}")
