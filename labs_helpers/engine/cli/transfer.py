"""docker push, pull, save, load and manifest inspect."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..streams import chunks
from .client import EngineClient, Failure, ResponseError
from .command_line import IMAGE_OR_ID, SWITCH, VALUE, Arguments, Option, command
from .images import path_of
from .logins import Logins, header, key_of
from .progress import show_progress

_QUIET = Option("quiet", "q", SWITCH, "Suppress verbose output")
_TRUST = Option("disable-content-trust")


def _parse_reference(name: str, default_tag: bool = False) -> Reference:
    try:
        return references.parse(name, default_tag=default_tag)
    except InvalidReference as error:
        raise Failure(str(error)) from error


def _auth_header(reference: Reference) -> dict[str, str]:
    return {"X-Registry-Auth": header(Logins().find(key_of(reference)))}


def _reference_to_transfer(args: Arguments) -> Reference:
    """The reference to push or pull. Says so when the tag latest is added to it."""
    reference = _parse_reference(args.positional[0])
    if args.on("all-tags"):
        if reference.tag or reference.digest:
            raise Failure("tag can't be used with --all-tags/-a")
        return reference
    if reference.tag or reference.digest:
        return reference
    if not args.on("quiet"):
        sys.stdout.write("Using default tag: latest\n")
        sys.stdout.flush()
    return references.parse(reference.name)


@command(
    "push",
    "[OPTIONS] NAME[:TAG]",
    "Upload an image to a registry",
    1,
    1,
    [
        Option("all-tags", "a", SWITCH, "Push all tags of an image to the repository"),
        Option("platform", "", VALUE),
        *(_QUIET, _TRUST),
    ],
)
def push(args: Arguments, engine: EngineClient) -> int:
    """docker push [OPTIONS] NAME[:TAG]"""
    reference = _reference_to_transfer(args)
    query = {"tag": reference.tag} if reference.tag else {}
    messages = engine.messages(
        f"{path_of(reference.familiar_name)}/push", query, _auth_header(reference), b""
    )
    show_progress(messages, io.StringIO() if args.on("quiet") else sys.stdout)
    if args.on("quiet"):
        sys.stdout.write(f"{reference}\n")
    return 0


@command(
    "pull",
    "[OPTIONS] NAME[:TAG|@DIGEST]",
    "Download an image from a registry",
    1,
    1,
    [
        Option("all-tags", "a", SWITCH, "Download all tagged images in the repository"),
        Option("platform", "", VALUE, "Set platform if server is multi-platform capable"),
        *(_QUIET, _TRUST),
    ],
)
def pull(args: Arguments, engine: EngineClient) -> int:
    """docker pull [OPTIONS] NAME[:TAG|@DIGEST]"""
    reference = _reference_to_transfer(args)
    query = {"fromImage": reference.familiar_name}
    if reference.digest or reference.tag:
        query["tag"] = str(reference.digest or reference.tag)
    if args.text("platform"):
        query["platform"] = args.text("platform")
    messages = engine.messages("/images/create", query, _auth_header(reference), b"")
    show_progress(messages, io.StringIO() if args.on("quiet") else sys.stdout)
    sys.stdout.write(f"{reference}\n")
    return 0


@command(
    "save",
    f"[OPTIONS] {IMAGE_OR_ID}",
    "Save one or more images to a tar archive (streamed to STDOUT by default)",
    1,
    options=[Option("output", "o", VALUE, "Write to a file, instead of STDOUT")],
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
        Option("quiet", "q", SWITCH, "Suppress the load output"),
    ],
)
def load(args: Arguments, engine: EngineClient) -> int:
    """docker load [OPTIONS]"""
    source = args.text("input")
    if not source and sys.stdin.isatty():
        raise Failure("requested load from stdin, but stdin is empty")
    try:
        # the file is closed below
        file: BinaryIO = Path(source).open("rb") if source else sys.stdin.buffer  # noqa: SIM115
    except OSError as error:
        raise Failure(f"open {source}: {(error.strerror or str(error)).lower()}") from error
    with file:
        headers = {"Content-Type": "application/x-tar"}
        messages = engine.messages("/images/load", {"quiet": "1"}, headers, chunks(file))
        show_progress(messages, sys.stdout)
    return 0


@command(
    "manifest inspect",
    "[OPTIONS] [MANIFEST_LIST] MANIFEST",
    "Display an image manifest, or manifest list",
    1,
    2,
    [Option("insecure"), Option("verbose", "v")],
)
def inspect_manifest(args: Arguments, engine: EngineClient) -> int:
    """docker manifest inspect MANIFEST

    Docker's command asks the registry itself; this one asks the engine, which knows the way to the
    sandbox's registries.
    """
    reference = _parse_reference(args.positional[-1], default_tag=True)
    path = f"/distribution/{quote(reference.familiar, safe='/:@')}/manifest"
    try:
        document = engine.json(path, headers=_auth_header(reference))
    except ResponseError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        raise Failure(error.reason) from error
    sys.stdout.write(json.dumps(document, indent="\t", ensure_ascii=False) + "\n")
    return 0
