"""docker push, pull, save and load."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from .client import Daemon, copy
from .command_line import Given
from .failure import Failure
from .images import path_of
from .logins import Logins, header, key_of
from .progress import show

_PORTION = 1024 * 1024


def _read(name: str) -> Reference:
    try:
        return references.parse(name, default_tag=False)
    except InvalidReference as error:
        raise Failure(str(error)) from error


def _authorised(reference: Reference) -> dict[str, str]:
    return {"X-Registry-Auth": header(Logins().find(key_of(reference)))}


def _with_default(reference: Reference, given: Given) -> Reference:
    """With the tag latest when none is given and not all are wanted; says so."""
    if reference.tag or reference.digest or given.on("all-tags"):
        return reference
    if not given.on("quiet"):
        sys.stdout.write("Using default tag: latest\n")
        sys.stdout.flush()
    return references.parse(reference.name)


def push(given: Given, daemon: Daemon) -> int:
    """docker push [OPTIONS] NAME[:TAG]"""
    reference = _read(given.arguments[0])
    if given.on("all-tags") and (reference.tag or reference.digest):
        raise Failure("tag can't be used with --all-tags/-a")
    reference = _with_default(reference, given)
    query = {"tag": reference.tag} if reference.tag else {}
    messages = daemon.messages(
        f"{path_of(reference.familiar_name)}/push", query, _authorised(reference), b""
    )
    show(messages, io.StringIO() if given.on("quiet") else sys.stdout)
    if given.on("quiet"):
        sys.stdout.write(f"{reference}\n")
    return 0


def pull(given: Given, daemon: Daemon) -> int:
    """docker pull [OPTIONS] NAME[:TAG|@DIGEST]"""
    reference = _read(given.arguments[0])
    if given.on("all-tags") and (reference.tag or reference.digest):
        raise Failure("tag can't be used with --all-tags/-a")
    reference = _with_default(reference, given)
    query = {"fromImage": reference.familiar_name}
    if reference.digest or reference.tag:
        query["tag"] = str(reference.digest or reference.tag)
    if given.text("platform"):
        query["platform"] = given.text("platform")
    messages = daemon.messages("/images/create", query, _authorised(reference), b"")
    show(messages, io.StringIO() if given.on("quiet") else sys.stdout)
    sys.stdout.write(f"{reference}\n")
    return 0


def save(given: Given, daemon: Daemon) -> int:
    """docker save [OPTIONS] IMAGE [IMAGE...]"""
    target = given.text("output")
    if not target and sys.stdout.isatty():
        raise Failure("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    if target and not Path(target).absolute().parent.is_dir():
        raise Failure(
            f'failed to save image: invalid output path: directory "{Path(target).parent}"'
            " does not exist"
        )
    with daemon.download("/images/get", {"names": given.arguments}) as archive:
        if not target:
            copy(archive, sys.stdout.buffer)
            return 0
        descriptor, name = tempfile.mkstemp(dir=Path(target).absolute().parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                copy(archive, file)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    return 0


def load(given: Given, daemon: Daemon) -> int:
    """docker load [OPTIONS]"""
    source = given.text("input")
    if not source and sys.stdin.isatty():
        raise Failure("requested load from stdin, but stdin is empty")
    try:
        # the command ends with the file's use
        file: BinaryIO = Path(source).open("rb") if source else sys.stdin.buffer  # noqa: SIM115
    except OSError as error:
        raise Failure(f"open {source}: {(error.strerror or str(error)).lower()}") from error
    with file:
        headers = {"Content-Type": "application/x-tar"}
        messages = daemon.messages("/images/load", {"quiet": "1"}, headers, _portions(file))
        show(messages, sys.stdout)
    return 0


def _portions(file: BinaryIO) -> Iterator[bytes]:
    while data := file.read(_PORTION):
        yield data
