"""docker push and pull."""

from __future__ import annotations

import io
import json
import sys

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from ..errors import BadRequest
from ..platform import Platform
from .client import EngineClient, Failure
from .command_line import NO_TRUST, SWITCH, VALUE, Arguments, Option, command
from .images import path_of
from .logins import Logins, header, key_of
from .progress import show_progress

_QUIET = Option("quiet", "q", SWITCH, "Suppress verbose output")


def parse_reference(name: str, default_tag: bool = False) -> Reference:
    """The reference that a learner typed. Raises Failure."""
    try:
        return references.parse(name, default_tag=default_tag)
    except InvalidReference as error:
        raise Failure(str(error)) from error


def auth_header(reference: Reference) -> dict[str, str]:
    """The header with the login for the registry of a reference."""
    return {"X-Registry-Auth": header(Logins().find(key_of(reference)))}


def _reference_to_transfer(args: Arguments) -> Reference:
    """The reference to push or pull. Says so when the tag latest is added to it."""
    reference = parse_reference(args.positional[0])
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
        Option("platform", "", VALUE, "Push a platform-specific manifest as a single image"),
        *(_QUIET, NO_TRUST),
    ],
)
def push(args: Arguments, engine: EngineClient) -> int:
    """docker push [OPTIONS] NAME[:TAG]"""
    reference = _reference_to_transfer(args)
    query = {"tag": reference.tag} if reference.tag else {}
    if args.text("platform"):
        query["platform"] = _platform_json(args.text("platform"))
    messages = engine.messages(
        f"{path_of(reference.familiar_name)}/push", query, auth_header(reference), b""
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
        *(_QUIET, NO_TRUST),
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
    messages = engine.messages("/images/create", query, auth_header(reference), b"")
    show_progress(messages, io.StringIO() if args.on("quiet") else sys.stdout)
    sys.stdout.write(f"{reference}\n")
    return 0


def _platform_json(text: str) -> str:
    """The platform of a push, as API 1.46 and later expect it. Raises Failure."""
    try:
        platform = Platform.parse(text)
    except BadRequest as error:
        raise Failure(f"Invalid platform {text}{error}") from error
    found = {"architecture": platform.architecture, "os": platform.os, "variant": platform.variant}
    return json.dumps({key: value for key, value in found.items() if value})
