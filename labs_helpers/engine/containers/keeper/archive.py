"""Copies files into and out of a container, as a process inside: ``docker cp``.

The process enters the mounts of a running container, or mounts those of a stopped one anew, and
changes its root. So a symbolic link leads to the container's own files only. It talks over one
socket: first a line of JSON, ``{"stat": ...}`` or ``{"error": ..., "status": ...}``, then the tar.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import tarfile
from pathlib import Path

from . import namespaces, root_folder, users
from . import syscalls as sys
from .words import CannotStart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]

# a lookup of names would load libraries of the container into this process (CVE-2019-14271)
tarfile.pwd = tarfile.grp = None  # type: ignore[attr-defined]

_RIGHTS = frozenset({0, 1, 3, 4})
"""CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER and CAP_FSETID: to copy files of any user. A device that
an archive made in a volume could be opened there."""
_DIRECTORY, _LINK = 1 << 31, 1 << 27
"""Bits of Go's FileMode: https://pkg.go.dev/io/fs#FileMode"""


def run(spec: Document, of: int | None, request: Document, connection: socket.socket) -> None:
    """Answer one request: its ``mode`` is stat, get or put. Runs in a process of its own."""
    with connection, connection.makefile("rwb") as stream:
        try:
            _enter(spec, of)
            sys.limit_capabilities(_RIGHTS)
            sys.set_capabilities(_RIGHTS)
            sys.prctl(sys.DEATH_SIGNAL, signal.SIGKILL)  # other rights have taken it away before
            path = "/" + request["path"].lstrip("/")
            found = _stat(path)
            stream.write(json.dumps({"stat": found}).encode() + b"\n")
            stream.flush()
            if request["mode"] == "get":
                _get(path, stream)
            elif request["mode"] == "put":
                _put(path, stream, request, bool(spec["read_only"]))
                stream.write(b'{"done": true}\n')
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            text = f"Could not find the file {request['path']} in container {spec['name']}"
            answer = {"error": text if missing else str(error), "status": 404 if missing else 500}
            stream.write(json.dumps(answer).encode() + b"\n")
        except (ValueError, CannotStart, tarfile.TarError) as error:
            stream.write(json.dumps({"error": str(error), "status": 400}).encode() + b"\n")


def _enter(spec: Document, of: int | None) -> None:
    sys.prctl(sys.DUMPABLE, 0)
    if of is not None:
        namespaces.enter(of, bool(spec["user_namespace"]))
        return
    if spec["user_namespace"]:
        users.enter(sys.NEW_MOUNTS, spec["uid"], spec["gid"], spec["users"])
    else:
        sys.unshare(sys.NEW_MOUNTS)
    sys.mount("none", "/", "", sys.PRIVATE | sys.RECURSIVE)
    old = os.open("/", os.O_PATH | os.O_DIRECTORY)
    volumes = [(each, os.open(each["source"], os.O_PATH)) for each in spec["mounts"]]
    root_folder.mount_image(spec)
    os.chroot("root")
    # a relative path still begins outside: there is no /proc inside
    os.fchdir(old)
    for each, descriptor in volumes:
        root_folder.mount_volume(each, descriptor, "proc/self/fd")
    os.chdir("/")
    os.close(old)


def _stat(path: str) -> Document:
    found = os.lstat(path)
    mode = stat.S_IMODE(found.st_mode)
    link = ""
    if stat.S_ISDIR(found.st_mode):
        mode |= _DIRECTORY
    elif stat.S_ISLNK(found.st_mode):
        mode |= _LINK
        link = os.path.realpath(path)
    name = path.rstrip("/").rpartition("/")[2] or "/"
    return {
        "name": name,
        "size": found.st_size,
        "mode": mode,
        "modified": found.st_mtime,
        "linkTarget": link,
    }


def _get(path: str, stream: Any) -> None:
    name = path.rstrip("/").rpartition("/")[2] or "."
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        archive.add(path, arcname=name)


def _put(path: str, stream: Any, request: Document, read_only: bool) -> None:
    folder = Path(path)
    if read_only:
        raise ValueError("container rootfs is marked read-only")
    if not folder.is_dir():
        raise ValueError("extraction point is not a directory")
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        # the root of this process is the container's, so nothing leads out
        archive.extraction_filter = lambda member, _: member
        for member in archive:
            target = folder / member.name
            if request["keep_kinds"] and target.exists() and target.is_dir() != member.isdir():
                kinds = ("directory", "non-directory")
                old, new = kinds if target.is_dir() else kinds[::-1]
                raise ValueError(f'cannot overwrite {old} "{member.name}" with {new} "{path}"')
            _make_way(target)
            if not request["keep_owners"]:
                member.uid, member.gid, member.uname, member.gname = 0, 0, "", ""
            archive.extract(member, path)


def _make_way(target: Path) -> None:
    """Remove what a member replaces, as dockerd; a FIFO would block this process for ever.

    https://github.com/moby/moby/blob/v28.2.2/pkg/archive/archive.go (Unpack)
    """
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        target.unlink()
