"""docker inspect, tag and rmi: one image at a time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from .client import EngineClient, Failure, ResponseError
from .command_line import (
    IMAGE_OR_ID,
    LIST,
    ONE_PLATFORM,
    SHORT_FORMAT,
    SWITCH,
    VALUE,
    Arguments,
    Option,
    command,
)
from .gotemplate import Template
from .images import path_of
from .tables import parse_template, render


@command(
    "image inspect",
    f"[OPTIONS] {IMAGE_OR_ID}",
    "Display detailed information on one or more images",
    1,
    options=[SHORT_FORMAT, Option("platform", "", VALUE, refused=ONE_PLATFORM)],
)
def inspect(args: Arguments, engine: EngineClient) -> int:
    """docker image inspect [OPTIONS] IMAGE [IMAGE...]"""
    return _inspect(args, engine, "")


@command(
    "inspect",
    "[OPTIONS] NAME|ID [NAME|ID...]",
    "Return low-level information on Docker objects",
    1,
    options=[
        SHORT_FORMAT,
        Option("size", "s", SWITCH, "Display total file sizes if the type is container"),
        Option("type", "", VALUE, "Only inspect objects of the given type"),
    ],
)
def inspect_any(args: Arguments, engine: EngineClient) -> int:
    """docker inspect [OPTIONS] NAME|ID [NAME|ID...]: containers first, then images and volumes"""
    kind = args.text("type")
    kinds = [kind] if kind else ["container", "image", "volume"]
    if kind not in {"", "container", "image", "volume"}:
        raise Failure(f"Error: No such {kind}: {args.positional[0]}")
    if args.on("size") and kind == "image":
        sys.stderr.write("WARNING: --size ignored for image\n")
    places = {"container": "/containers/{}/json", "volume": "/volumes/{}"}

    def find(name: str) -> Any:
        for each in kinds:
            path = f"{path_of(name)}/json" if each == "image" else places[each].format(quote(name))
            size = {"size": "1"} if args.on("size") and each == "container" else None
            try:
                return engine.json(path, size)
            except ResponseError as error:
                if error.status != 404 or each == kinds[-1]:
                    raise
        return None

    return inspect_objects(args, find, "" if kind else "error: no such object: ")


def _inspect(args: Arguments, engine: EngineClient, missing: str) -> int:
    return inspect_objects(args, lambda name: engine.json(f"{path_of(name)}/json"), missing)


def inspect_objects(args: Arguments, find: Callable[[str], Any], missing: str) -> int:
    """Print what ``find`` returns for each name; ``missing`` begins the error for a 404."""
    layout = args.text("format")
    template = parse_template(layout) if layout and layout != "json" else None
    found, errors = [], []
    for name in args.positional:
        try:
            found.append(find(name))
        except ResponseError as error:
            if error.status != 404:
                raise
            errors.append(f"{missing}{name}" if missing else error.message)
    if not template:
        spaces = {"separators": (",", ":")} if layout else {"indent": 4}
        sys.stdout.write(json.dumps(found, ensure_ascii=False, **spaces) + "\n")
    else:
        _write_rendered(template, found)
    if errors:
        raise Failure("\n".join(errors))
    return 0


def _write_rendered(template: Template, found: list[dict[str, Any]]) -> None:
    text = ""
    try:
        for document in found:
            text += render(template, document) + "\n"
    finally:
        sys.stdout.write(text or "\n")


@command(
    "tag",
    "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    2,
    2,
)
def tag(args: Arguments, engine: EngineClient) -> int:
    """docker tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]"""
    source, target = args.positional
    try:
        reference = references.parse(target, default_tag=False)
    except InvalidReference as error:
        raise Failure(
            f'error parsing reference: "{target}" is not a valid repository/tag: {error}'
        ) from error
    if reference.digest:
        raise Failure("refusing to create a tag with a digest reference")
    query = {"repo": reference.familiar_name, "tag": reference.tag or "latest"}
    engine.json(f"{path_of(source)}/tag", query, "POST")
    return 0


@command(
    "rmi",
    f"[OPTIONS] {IMAGE_OR_ID}",
    "Remove one or more images",
    1,
    options=[
        Option("force", "f", SWITCH, "Force removal of the image"),
        Option("no-prune", "", SWITCH, "Do not delete untagged parents"),
        Option("platform", "", LIST, refused=ONE_PLATFORM),
    ],
)
def remove(args: Arguments, engine: EngineClient) -> int:
    """docker rmi [OPTIONS] IMAGE [IMAGE...]"""
    query = {"force": "1"} if args.on("force") else {}
    if args.on("no-prune"):
        query["noprune"] = "1"
    errors, fatal = [], False
    for name in args.positional:
        try:
            done = engine.json(path_of(name), query, "DELETE")
        except ResponseError as error:
            errors.append(error.message)
            fatal |= error.status != 404
            continue
        for step in done:
            what = "Deleted" if "Deleted" in step else "Untagged"
            sys.stdout.write(f"{what}: {step[what]}\n")
    if errors:
        if fatal or not args.on("force"):
            raise Failure("\n".join(errors))
        sys.stderr.write("\n".join(errors) + "\n")
    return 0
