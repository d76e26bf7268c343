"""docker cp: files and folders, between a container and this machine or a stream.

What lands where is as in https://docs.docker.com/reference/cli/docker/container/cp/, read
2026-11-29; the words are those of
https://github.com/docker/cli/blob/v28.2.2/cli/command/container/cp.go
"""

from __future__ import annotations

import base64
import json
import os
import posixpath
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from .client import EngineClient, Failure, ResponseError
from .command_line import SWITCH, Arguments, Option, command
from .units import human_size

_DIRECTORY = 1 << 31
"""The bit of a folder in Go's FileMode: https://pkg.go.dev/io/fs#FileMode"""
_SPOOLED = 8 << 20


@command(
    "cp",
    "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n"
    "       docker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    "Copy files/folders between a container and the local filesystem",
    2,
    2,
    [
        Option("archive", "a", SWITCH, "Archive mode (copy all uid/gid information)"),
        Option("follow-link", "L", SWITCH, "Always follow symlinks in SRC_PATH"),
        Option("quiet", "q", SWITCH, "Suppress progress output during copy"),
    ],
)
def copy(args: Arguments, engine: EngineClient) -> int:
    """docker cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-"""
    source, target = args.positional
    (from_name, from_path), (to_name, to_path) = _place(source), _place(target)
    if from_name and to_name:
        raise Failure("copying between containers is not supported")
    if not from_name and not to_name:
        raise Failure("must specify at least one container source")
    if from_name:
        return _from_container(args, engine, from_name, from_path, to_path)
    return _to_container(args, engine, from_path, to_name, to_path)


def _place(text: str) -> tuple[str, str]:
    """Container, or "" for this machine, and path; a local path may begin with / or . only."""
    name, colon, path = text.partition(":")
    if text.startswith(("/", ".")) or not colon or "/" in name:
        return "", text
    return name, path


def _archive(name: str) -> str:
    return f"/containers/{quote(name)}/archive"


def _from_container(
    args: Arguments, engine: EngineClient, name: str, path: str, target: str
) -> int:
    if not path:
        raise Failure("source path cannot be empty")
    if args.on("follow-link"):
        found = _stat(engine, name, path)
        link = (found or {}).get("linkTarget")
        path = posixpath.join(posixpath.dirname(path), link) if link else path
    with tempfile.SpooledTemporaryFile(max_size=_SPOOLED) as file:
        response = engine.download(_archive(name), {"path": path})
        while data := response.read(1 << 16):
            (sys.stdout.buffer if target == "-" else file).write(data)
        if target == "-":
            sys.stdout.buffer.flush()
            return 0
        total = file.tell()
        file.seek(0)
        _unpack(file, path, Path(target), target.endswith("/"))
    _told(args, total, str(Path(target).absolute()))
    return 0


def _unpack(file: IO[bytes], path: str, target: Path, is_folder: bool) -> None:
    with tarfile.open(fileobj=file) as archive:
        # Python 3.11.2, Debian 12's, has no filters; later ones would use one that asks for more
        archive.extraction_filter = lambda member, _: member
        members = archive.getmembers()
        first = members[0]
        if target.is_dir():
            inside = path.rstrip("/").endswith("/.") or path == "."
            place = target if inside else target / posixpath.basename(first.name)
        elif is_folder and not first.isdir():
            raise Failure(f'no such directory: "{target}"')
        elif target.exists() and first.isdir():
            raise Failure(f'cannot copy directory to "{target}": it is a file')
        elif not target.absolute().parent.is_dir():
            raise Failure(f'invalid output path: directory "{target.parent}" does not exist')
        else:
            place = target
        if place.is_dir() and not first.isdir():
            raise Failure(
                f'cannot overwrite directory "{place.name}" with non-directory "{place.parent}"'
            )
        for member in members:
            rest = member.name.removeprefix(first.name).lstrip("/")
            # below the folder that holds the copy, nothing of a container's leads out of it
            member.name = posixpath.join(place.name, rest) if rest else place.name
            if member.islnk():
                linked = member.linkname.removeprefix(first.name).lstrip("/")
                member.linkname = posixpath.join(place.name, linked)
            if rest:
                _make_way(place, place.parent / member.name, member)
            _check(place, member)
            archive.extract(member, place.parent)


def _check(place: Path, member: tarfile.TarInfo) -> None:
    """Refuse what would be written outside of the copy, or linked; let nobody else write it.

    As Python's filter "tar" does, for hard links too:
    https://docs.python.org/3/library/tarfile.html#tarfile.tar_filter
    """
    for name in (member.name, *([member.linkname] if member.islnk() else [])):
        found = Path(os.path.realpath(place.parent / name))
        if not found.is_relative_to(os.path.realpath(place)):
            raise Failure(f"{member.name} is not copied: {name} would be outside of {place}")
    member.mode &= 0o755


def _make_way(place: Path, target: Path, member: tarfile.TarInfo) -> None:
    """Remove the file that a member replaces, as Docker does: perhaps the link of an earlier copy.

    No link leads out of the folder that is copied, such as from a home to its `.ssh`.
    """
    if not Path(os.path.realpath(target.parent)).is_relative_to(os.path.realpath(place)):
        raise Failure(f"{member.name} is not copied: a symbolic link leads out of {place}")
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        target.unlink()
    elif target.is_dir() and not member.isdir():
        raise Failure(
            f'cannot overwrite directory "{member.name}" with non-directory "{place.parent}"'
        )


def _to_container(
    args: Arguments, engine: EngineClient, source: str, name: str, target: str
) -> int:
    if not target:
        raise Failure("destination container path cannot be empty")
    query: dict[str, str] = {"path": target, "noOverwriteDirNonDir": "true"}
    if args.on("archive"):
        query["copyUIDGID"] = "true"
    if source == "-":
        engine.upload(_archive(name), query, iter(lambda: sys.stdin.buffer.read(1 << 16), b""))
        return 0
    place = Path(source)
    if args.on("follow-link"):
        place = place.resolve()
    if not os.path.lexists(place):
        raise Failure(f"lstat {place.absolute()}: no such file or directory")
    there = _stat(engine, name, target)
    is_folder = bool(there and there["mode"] & _DIRECTORY)
    content = source.rstrip("/").endswith("/.") or source == "."
    if is_folder:
        query["path"], inner = target, "." if content else place.absolute().name
    elif there and place.is_dir():
        raise Failure(f'cannot copy directory to "{name}:{target}": it is a file')
    elif target.endswith("/") and not place.is_dir():
        raise Failure(f'no such directory: "{name}:{target}"')
    else:
        query["path"], inner = posixpath.dirname(target.rstrip("/")) or "/", ""
        inner = posixpath.basename(target.rstrip("/"))
    with tempfile.SpooledTemporaryFile(max_size=_SPOOLED) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.add(place, arcname=inner)
        total = file.tell()
        file.seek(0)
        engine.upload(_archive(name), query, iter(lambda: file.read(1 << 16), b""))
    _told(args, total, f"{name}:{target}")
    return 0


def _stat(engine: EngineClient, name: str, path: str) -> dict[str, Any] | None:
    """What is at a path of a container, with links followed once; None for nothing."""
    try:
        text = engine.header(_archive(name), {"path": path}, "X-Docker-Container-Path-Stat")
    except ResponseError as error:
        if error.status == 404:
            return None  # an answer to HEAD has no words; the copy itself will, if need be
        raise
    if not text:
        return None
    found: dict[str, Any] = json.loads(base64.b64decode(text))
    if found.get("linkTarget") and found["linkTarget"] != path:
        return _stat(engine, name, found["linkTarget"])
    return found


def _told(args: Arguments, total: int, where: str) -> None:
    if not args.on("quiet"):
        sys.stderr.write(f"Successfully copied {human_size(total)} to {where}\n")
