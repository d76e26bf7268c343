"""docker images and history: images as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from .client import EngineClient
from .command_line import (
    FILTER,
    FORMAT,
    NO_TRUNC,
    ONE_PLATFORM,
    SWITCH,
    VALUE,
    Arguments,
    Option,
    command,
)
from .gofunctions import Row
from .tables import write_table
from .units import human_size, since, timestamp
from .usage_errors import Malformed

_NONE = "<none>"
_IMAGE_HEADERS = {
    "ID": "IMAGE ID",
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "Digest": "DIGEST",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "Size": "SIZE",
    "VirtualSize": "SIZE",
    "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE",
    "Containers": "CONTAINERS",
}
_HISTORY_HEADERS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "Size": "SIZE",
    "Comment": "COMMENT",
}
_ONLY_IDS = Option("quiet", "q", SWITCH, "Only show image IDs")
_LENGTH = 45
"""The longest text of a command in docker history, in characters."""


def path_of(name: str) -> str:
    """The path of an image in the API."""
    return f"/images/{quote(name, safe='/:@')}"


def filters(args: Arguments) -> dict[str, list[str]]:
    """The values of --filter. Raises Malformed."""
    found: dict[str, list[str]] = {}
    for pair in args.all("filter"):
        name, equals, value = pair.partition("=")
        if not equals:
            raise Malformed("bad format of filter (expected name=value)", "filter", pair)
        found.setdefault(name, []).append(value)
    return found


@command(
    "images",
    "[OPTIONS] [REPOSITORY[:TAG]]",
    "List images",
    0,
    1,
    [
        Option("all", "a", SWITCH, "Show all images (default hides intermediate images)"),
        Option("digests", "", SWITCH, "Show digests"),
        *(FILTER, FORMAT, NO_TRUNC),
        _ONLY_IDS,
        Option("tree", refused=ONE_PLATFORM, harmless=frozenset({"false", "0", "f"})),
    ],
)
def image_list(args: Arguments, engine: EngineClient) -> int:
    """docker images [OPTIONS] [REPOSITORY[:TAG]]"""
    wanted = filters(args)
    if args.positional:
        wanted.setdefault("reference", []).append(args.positional[0])
    query = {"filters": json.dumps(wanted)} if wanted else {}
    if args.on("all"):
        query["all"] = "1"
    found = engine.json("/images/json", query)
    layout, digests = args.text("format"), args.on("digests")
    digests = digests or "{{.Digest}}" in layout
    whole = args.on("no-trunc")
    rows = [row for image in found for row in _rows(image, digests, whole)]
    if args.on("quiet") and not layout:
        layout = "{{.ID}}"
    digest = "\t{{.Digest}}" if args.on("digests") else ""
    default = f"{{{{.Repository}}}}\t{{{{.Tag}}}}{digest}\t{{{{.ID}}}}\t{{{{.CreatedSince}}}}"
    write_table(rows, _IMAGE_HEADERS, layout, default + "\t{{.Size}}", "*formatter.imageContext")
    return 0


def _rows(image: dict[str, Any], digests: bool, whole: bool) -> Iterator[Row]:
    common = {
        "ID": image["Id"] if whole else short(image["Id"]),
        "CreatedSince": since(image["Created"]),
        "CreatedAt": timestamp(image["Created"]),
        "Size": human_size(image["Size"]),
        "VirtualSize": human_size(image["Size"]),
        "SharedSize": "N/A",
        "UniqueSize": "N/A",
        "Containers": "N/A",
    }
    for repository, tag, digest in _names(image, digests):
        row = {**common, "Repository": repository, "Tag": tag, "Digest": digest}
        yield Row(sorted(row.items()))


def _names(image: dict[str, Any], digests: bool) -> Iterator[tuple[str, str, str]]:
    """Repository, tag and digest of each row for an image."""
    tags: dict[str, list[str]] = {}
    for name in image.get("RepoTags") or []:
        repository, _, tag = name.rpartition(":")
        if repository != _NONE:
            tags.setdefault(repository, []).append(tag)
    known: dict[str, list[str]] = {}
    for name in image.get("RepoDigests") or []:
        repository, _, digest = name.partition("@")
        if repository != _NONE:
            known.setdefault(repository, []).append(digest)
    if not tags and not known:
        yield _NONE, _NONE, _NONE
    for repository, names in tags.items():
        listed = known.get(repository) or [_NONE] if digests else [_NONE]
        yield from ((repository, tag, digest) for tag in names for digest in listed)
    for repository, listed in known.items():
        if repository not in tags:
            for digest in listed if digests else [_NONE]:
                yield repository, _NONE, digest


def short(identity: str) -> str:
    """The twelve digits of an ID that Docker prints."""
    return identity.removeprefix("sha256:")[:12]


@command(
    "history",
    "[OPTIONS] IMAGE",
    "Show the history of an image",
    1,
    1,
    [
        FORMAT,
        Option("human", "H", SWITCH, "Print sizes and dates in human readable format"),
        *(NO_TRUNC, _ONLY_IDS),
        Option("platform", "", VALUE, refused=ONE_PLATFORM),
    ],
)
def history(args: Arguments, engine: EngineClient) -> int:
    """docker history [OPTIONS] IMAGE"""
    entries = engine.json(f"{path_of(args.positional[0])}/history")
    whole, human = args.on("no-trunc"), args.text("human", "true").lower() not in {"false", "0"}
    layout = args.text("format")
    if args.on("quiet") and not layout:
        layout = "{{.ID}}"
    rows = [_history_row(entry, whole, human) for entry in entries]
    default = "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
    write_table(rows, _HISTORY_HEADERS, layout, default, "*formatter.historyContext")
    return 0


def _history_row(entry: dict[str, Any], whole: bool, human: bool) -> Row:
    created, text = entry["Created"], entry["CreatedBy"].replace("\t", " ")
    at = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ago = since(created) if created > 0 else "N/A"
    if not whole and len(text) > _LENGTH:
        text = text[: _LENGTH - 1] + "…"
    row = {
        "Comment": entry["Comment"],
        "CreatedAt": at if created > 0 else "",
        "CreatedBy": text,
        "CreatedSince": ago if human else at,
        "ID": entry["Id"] if whole else short(entry["Id"]),
        "Size": human_size(entry["Size"]) if human else str(entry["Size"]),
    }
    return Row(row)
