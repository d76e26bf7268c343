"""docker build."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from . import build_context
from .client import Daemon
from .command_line import Given
from .failure import Failure
from .logins import Logins, header
from .progress import show
from .units import human_size

_PORTION = 1024 * 1024
_REMOTE = ("http://", "https://", "git://", "git@", "github.com/")
_COMPRESSED = (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00")


class _Counted:
    """Portions, counted as they go by."""

    def __init__(self, portions: Iterator[bytes]) -> None:
        self._portions, self.size = portions, 0

    def __iter__(self) -> Iterator[bytes]:
        for portion in self._portions:
            self.size += len(portion)
            yield portion


def build(given: Given, daemon: Daemon) -> int:
    """docker build [OPTIONS] PATH | -"""
    query = _query(given)
    portions, query["dockerfile"] = _context(given)
    headers = {
        "Content-Type": "application/x-tar",
        "X-Registry-Config": header(Logins().all()),
    }
    sent = _Counted(portions)
    messages = daemon.messages("/build", query, headers, sent)
    identity = _quietly(messages) if given.on("quiet") else _aloud(messages, sent)
    if given.text("iidfile"):
        Path(given.text("iidfile")).write_text(identity)
    return 0


def _quietly(messages: Iterator[dict[str, Any]]) -> str:
    """Print the image's ID only, or on failure everything, to stderr."""
    said = io.StringIO()
    try:
        show(messages, said)
    except Failure:
        sys.stderr.write(said.getvalue())
        raise
    sys.stdout.write(said.getvalue())
    return said.getvalue().strip()


def _aloud(messages: Iterator[dict[str, Any]], sent: _Counted) -> str:
    aux = show(_announced(messages, sent, sys.stdout), sys.stdout)
    return next((str(found["ID"]) for found in aux if "ID" in found), "")


def _announced(
    messages: Iterator[dict[str, Any]], sent: _Counted, out: TextIO
) -> Iterator[dict[str, Any]]:
    """The messages, after the line that says how large the context was."""
    try:
        first = next(messages, None)
    finally:
        if sent.size:
            out.write(f"Sending build context to Docker daemon {human_size(sent.size, 4):>8}\n")
            out.flush()
    if first is not None:
        yield first
        yield from messages


def _query(given: Given) -> dict[str, str | list[str]]:
    for name in given.all("tag"):
        try:
            references.parse(name)
        except InvalidReference as error:
            raise Failure(
                f'invalid argument "{name}" for "-t, --tag" flag: {error}\n\n'
                "Usage:  docker build [OPTIONS] PATH | URL | -\n\n"
                "Run 'docker build --help' for more information",
                125,
            ) from error
    arguments: dict[str, str | None] = {}
    for pair in given.all("build-arg"):
        name, equals, value = pair.partition("=")
        arguments[name] = value if equals else os.environ.get(name)
    labels = dict((*pair.partition("=")[::2],) for pair in given.all("label"))
    query: dict[str, str | list[str]] = {"version": "1", "rm": "1", "t": given.all("tag")}
    if arguments:
        query["buildargs"] = json.dumps(arguments)
    if labels:
        query["labels"] = json.dumps(labels)
    for option, key in (("no-cache", "nocache"), ("pull", "pull"), ("quiet", "q")):
        if given.on(option):
            query[key] = "1"
    for option, key in (("target",) * 2, ("platform",) * 2, ("network", "networkmode")):
        if given.text(option):
            query[key] = given.text(option)
    return query


def _context(given: Given) -> tuple[Iterator[bytes], str]:
    """The tar to send, and the Dockerfile's path in it."""
    where, file = given.arguments[0], given.text("file")
    if where == "-" and file == "-":
        raise Failure("invalid argument: can't use stdin for both build context and dockerfile")
    if where == "-":
        return _from_stdin(file)
    if where.startswith(_REMOTE) and not Path(where).is_dir():
        raise Failure(
            f"unable to prepare context: {where}: this docker builds from a local folder only;"
            " clone or download it first"
        )
    folder = Path(where)
    if not folder.is_dir():
        if folder.exists():
            raise Failure("unable to prepare context: context must be a directory: " + where)
        raise Failure(f'unable to prepare context: path "{where}" not found')
    folder = folder.resolve()
    if file == "-":
        content = sys.stdin.buffer.read()
        name = build_context.named_outside(content)
        return build_context.send(
            folder, build_context.read_ignore(folder, ""), {name: content}
        ), name
    path = Path(os.path.abspath(file)) if file else folder / "Dockerfile"  # noqa: PTH100
    if not path.exists():
        raise Failure(
            "unable to prepare context: unable to evaluate symlinks in Dockerfile path: "
            f"lstat {file or 'Dockerfile'}: no such file or directory"
        )
    real = path.parent.resolve() / path.name
    if not real.is_relative_to(folder):
        content = path.read_bytes()
        name = build_context.named_outside(content)
        return build_context.send(
            folder, build_context.read_ignore(folder, ""), {name: content}
        ), name
    name = real.relative_to(folder).as_posix()
    return build_context.send(folder, build_context.read_ignore(folder, name), {}), name


def _from_stdin(file: str) -> tuple[Iterator[bytes], str]:
    """A tar, or a Dockerfile alone."""
    stdin = sys.stdin.buffer
    head = stdin.read(tarfile.BLOCKSIZE)
    is_archive = head.startswith(_COMPRESSED) or head[257:262] == b"ustar"
    if is_archive:
        return chain([head], iter(lambda: stdin.read(_PORTION), b"")), file or "Dockerfile"
    content = head + stdin.read()
    if not content:
        raise Failure("the Dockerfile (Dockerfile) cannot be empty")
    member = tarfile.TarInfo("Dockerfile")
    member.mode, member.size = 0o600, len(content)
    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
    tar = member.tobuf(tarfile.PAX_FORMAT) + content + padding + bytes(2 * tarfile.BLOCKSIZE)
    return iter([tar]), "Dockerfile"
