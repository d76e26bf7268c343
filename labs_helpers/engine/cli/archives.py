"""docker save, load and import: images as tar archives."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from ..streams import chunks
from .client import EngineClient, Failure
from .command_line import (
    IMAGE_OR_ID,
    LIST,
    ONE_PLATFORM,
    SWITCH,
    VALUE,
    Arguments,
    Option,
    command,
)
from .progress import show_progress

_TAR = {"Content-Type": "application/x-tar"}


@command(
    "save",
    f"[OPTIONS] {IMAGE_OR_ID}",
    "Save one or more images to a tar archive (streamed to STDOUT by default)",
    1,
    options=[
        Option("output", "o", VALUE, "Write to a file, instead of STDOUT"),
        Option("platform", "", LIST, refused=ONE_PLATFORM),
    ],
)
def save(args: Arguments, engine: EngineClient) -> int:
    """docker save [OPTIONS] IMAGE [IMAGE...]"""
    target = args.text("output")
    if not target and sys.stdout.isatty():
        raise Failure("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    if target and not Path(target).absolute().parent.is_dir():
        raise Failure(
            f'failed to save image: invalid output path: directory "{Path(target).parent}"'
            " does not exist"
        )
    with engine.download("/images/get", {"names": args.positional}) as archive:
        if not target:
            sys.stdout.buffer.writelines(chunks(archive))
            return 0
        descriptor, name = tempfile.mkstemp(dir=Path(target).absolute().parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(chunks(archive))
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    return 0


@command(
    "load",
    "[OPTIONS]",
    "Load an image from a tar archive or STDIN",
    0,
    0,
    [
        Option("input", "i", VALUE, "Read from tar archive file, instead of STDIN"),
        Option("platform", "", LIST, refused=ONE_PLATFORM),
        Option("quiet", "q", SWITCH, "Suppress the load output"),
    ],
)
def load(args: Arguments, engine: EngineClient) -> int:
    """docker load [OPTIONS]"""
    source = args.text("input")
    if not source and sys.stdin.isatty():
        raise Failure("requested load from stdin, but stdin is empty")
    # as in Docker, only a terminal shows the progress
    quiet = args.on("quiet") or not sys.stdout.isatty()
    with _source(source) as file:
        query = {"quiet": "1" if quiet else "0"}
        show_progress(engine.messages("/images/load", query, _TAR, chunks(file)), sys.stdout)
    return 0


@command(
    "import",
    "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    "Import the contents from a tarball to create a filesystem image",
    1,
    2,
    [
        Option("change", "c", LIST, "Apply Dockerfile instruction to the created image"),
        Option("message", "m", VALUE, "Set commit message for imported image"),
        Option("platform", "", VALUE, "Set platform if server is multi-platform capable"),
    ],
)
def import_archive(args: Arguments, engine: EngineClient) -> int:
    """docker import [OPTIONS] file|URL|- [REPOSITORY[:TAG]]"""
    source, *names = args.positional
    query: dict[str, str | list[str]] = {"fromSrc": "-", "changes": args.all("change")}
    if names:
        query["repo"] = names[0]
    query |= {key: args.text(key) for key in ("message", "platform") if args.text(key)}
    if source.startswith(("http://", "https://")):
        # the engine refuses, and says why
        query["fromSrc"] = source
        show_progress(engine.messages("/images/create", query, _TAR, b""), sys.stdout)
        return 0
    with _source("" if source == "-" else source) as file:
        show_progress(engine.messages("/images/create", query, _TAR, chunks(file)), sys.stdout)
    return 0


def _source(path: str) -> BinaryIO:
    """The file at a path, or standard input for "". Raises Failure."""
    try:
        return Path(path).open("rb") if path else sys.stdin.buffer
    except OSError as error:
        raise Failure(f"open {path}: {(error.strerror or str(error)).lower()}") from error
