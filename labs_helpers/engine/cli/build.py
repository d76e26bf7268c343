"""docker build."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from ..streams import CHUNK_SIZE
from . import build_context
from .build_options import OPTIONS
from .client import EngineClient, Failure
from .command_line import Arguments, command
from .logins import Logins, header
from .progress import show_progress
from .units import human_size
from .usage_errors import Malformed

_REMOTE = ("http://", "https://", "git://", "git@", "github.com/")
_COMPRESSED = (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00")


class _CountedChunks:
    """Chunks, and the number of bytes in those that have passed."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self.size = chunks, 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk


@command("build", "[OPTIONS] PATH | -", "Build an image from a Dockerfile", 1, 1, OPTIONS)
def build(args: Arguments, engine: EngineClient) -> int:
    """docker build [OPTIONS] PATH | -"""
    query = _query(args)
    context, query["dockerfile"] = _context(args)
    if args.on("compress"):
        context = _compressed(context)
    headers = {
        "Content-Type": "application/x-tar",
        "X-Registry-Config": header(Logins().all()),
    }
    sent = _CountedChunks(context)
    messages = engine.messages("/build", query, headers, sent)
    image_id = _show_quietly(messages) if args.on("quiet") else _show_all(messages, sent)
    if args.text("iidfile"):
        Path(args.text("iidfile")).write_text(image_id)
    return 0


def _compressed(context: Iterator[bytes]) -> Iterator[bytes]:
    """The context as gzip. The engine unpacks a compressed context, so the image is the same."""
    packer = zlib.compressobj(wbits=31)
    for chunk in context:
        yield packer.compress(chunk)
    yield packer.flush()


def _show_quietly(messages: Iterator[dict[str, Any]]) -> str:
    """Print the image's ID only, or after a failure everything, to stderr."""
    output = io.StringIO()
    try:
        show_progress(messages, output)
    except Failure:
        sys.stderr.write(output.getvalue())
        raise
    sys.stdout.write(output.getvalue())
    return output.getvalue().strip()


def _show_all(messages: Iterator[dict[str, Any]], sent: _CountedChunks) -> str:
    aux = show_progress(_with_context_size(messages, sent, sys.stdout), sys.stdout)
    return next((str(found["ID"]) for found in aux if "ID" in found), "")


def _with_context_size(
    messages: Iterator[dict[str, Any]], sent: _CountedChunks, out: TextIO
) -> Iterator[dict[str, Any]]:
    """The messages, after a line with the size of the context."""
    try:
        first = next(messages, None)
    finally:
        if sent.size:
            out.write(f"Sending build context to Docker daemon {human_size(sent.size, 4):>8}\n")
            out.flush()
    if first is not None:
        yield first
        yield from messages


def build_arguments(args: Arguments) -> dict[str, str | None]:
    """The values of --build-arg; one without "=" takes its value from the environment."""
    arguments: dict[str, str | None] = {}
    for pair in args.all("build-arg"):
        name, equals, value = pair.partition("=")
        arguments[name] = value if equals else os.environ.get(name)
    return arguments


def _query(args: Arguments) -> dict[str, str | list[str]]:
    for name in args.all("tag"):
        try:
            references.parse(name)
        except InvalidReference as error:
            raise Malformed(str(error), "tag", name) from error
    arguments = build_arguments(args)
    labels = dict((*pair.partition("=")[::2],) for pair in args.all("label"))
    query: dict[str, str | list[str]] = {"version": "1", "rm": "1", "t": args.all("tag")}
    if arguments:
        query["buildargs"] = json.dumps(arguments)
    if labels:
        query["labels"] = json.dumps(labels)
    if hosts := args.all("add-host"):
        # Docker's command also takes host=ip; the API has one form
        query["extrahosts"] = [host.replace("=", ":", 1) for host in hosts]
    if sources := args.all("cache-from"):
        # a value may be a list, as in Docker: --cache-from a,b
        query["cachefrom"] = json.dumps([name for value in sources for name in value.split(",")])
    for option, key in (("no-cache", "nocache"), ("pull", "pull"), ("quiet", "q")):
        if args.on(option):
            query[key] = "1"
    for option, key in (("target",) * 2, ("platform",) * 2, ("network", "networkmode")):
        if args.text(option):
            query[key] = args.text(option)
    return query


def _context(args: Arguments) -> tuple[Iterator[bytes], str]:
    """The tar to send, and the path of the Dockerfile in it."""
    where, file = args.positional[0], args.text("file")
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
        name = build_context.outside_name(content)
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
        name = build_context.outside_name(content)
        return build_context.send(
            folder, build_context.read_ignore(folder, ""), {name: content}
        ), name
    name = real.relative_to(folder).as_posix()
    return build_context.send(folder, build_context.read_ignore(folder, name), {}), name


def _from_stdin(file: str) -> tuple[Iterator[bytes], str]:
    """The tar on standard input, or a tar of the Dockerfile there."""
    stdin = sys.stdin.buffer
    head = stdin.read(tarfile.BLOCKSIZE)
    is_archive = head.startswith(_COMPRESSED) or head[257:262] == b"ustar"
    if is_archive:
        return chain([head], iter(lambda: stdin.read(CHUNK_SIZE), b"")), file or "Dockerfile"
    content = head + stdin.read()
    if not content:
        raise Failure("the Dockerfile (Dockerfile) cannot be empty")
    member = tarfile.TarInfo("Dockerfile")
    member.mode, member.size = 0o600, len(content)
    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
    tar = member.tobuf(tarfile.PAX_FORMAT) + content + padding + bytes(2 * tarfile.BLOCKSIZE)
    return iter([tar]), "Dockerfile"
