"""docker images, history, inspect, tag, rmi and image prune."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from .client import Daemon
from .command_line import Given
from .failure import DaemonError, Failure
from .gofunctions import Row
from .gotemplate import Template
from .tables import parsed, rendered, show
from .units import human_size, since, timestamp

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
_LENGTH = 45
"""Characters of a command that docker history shows."""


def path_of(name: str) -> str:
    """The URL path of an image."""
    return f"/images/{quote(name, safe='/:@')}"


def filters(given: Given, flag: str = "--filter") -> dict[str, list[str]]:
    """The --filter options; ``flag`` as the command's help names it. Raises Failure, status 125."""
    found: dict[str, list[str]] = {}
    for pair in given.all("filter"):
        name, equals, value = pair.partition("=")
        if not equals:
            raise Failure(
                f'invalid argument "{pair}" for "{flag}" flag:'
                " bad format of filter (expected name=value)",
                125,
            )
        found.setdefault(name, []).append(value)
    return found


def image_list(given: Given, daemon: Daemon) -> int:
    """docker images [OPTIONS] [REPOSITORY[:TAG]]"""
    wanted = filters(given, "-f, --filter")
    if given.arguments:
        wanted.setdefault("reference", []).append(given.arguments[0])
    query = {"filters": json.dumps(wanted)} if wanted else {}
    if given.on("all"):
        query["all"] = "1"
    found = daemon.json("/images/json", query)
    layout, digests = given.text("format"), given.on("digests")
    digests = digests or "{{.Digest}}" in layout
    whole = given.on("no-trunc")
    rows = [row for image in found for row in _rows(image, digests, whole)]
    if given.on("quiet") and not layout:
        layout = "{{.ID}}"
    digest = "\t{{.Digest}}" if given.on("digests") else ""
    default = f"{{{{.Repository}}}}\t{{{{.Tag}}}}{digest}\t{{{{.ID}}}}\t{{{{.CreatedSince}}}}"
    show(rows, _IMAGE_HEADERS, layout, default + "\t{{.Size}}", "*formatter.imageContext")
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
    """Repository, tag and digest of each line that an image has in the listing."""
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
        shown = known.get(repository) or [_NONE] if digests else [_NONE]
        yield from ((repository, tag, digest) for tag in names for digest in shown)
    for repository, shown in known.items():
        if repository not in tags:
            for digest in shown if digests else [_NONE]:
                yield repository, _NONE, digest


def short(identity: str) -> str:
    """The twelve digits of an ID that Docker shows."""
    return identity.removeprefix("sha256:")[:12]


def history(given: Given, daemon: Daemon) -> int:
    """docker history [OPTIONS] IMAGE"""
    entries = daemon.json(f"{path_of(given.arguments[0])}/history")
    whole, human = given.on("no-trunc"), given.text("human", "true").lower() not in {"false", "0"}
    layout = given.text("format")
    if given.on("quiet") and not layout:
        layout = "{{.ID}}"
    rows = [_history_row(entry, whole, human) for entry in entries]
    default = "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
    show(rows, _HISTORY_HEADERS, layout, default, "*formatter.historyContext")
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


def inspect(given: Given, daemon: Daemon) -> int:
    """docker image inspect [OPTIONS] IMAGE [IMAGE...]"""
    return _inspect(given, daemon, "")


def inspect_any(given: Given, daemon: Daemon) -> int:
    """docker inspect [OPTIONS] NAME|ID [NAME|ID...]: images are all there is"""
    kind = given.text("type")
    if kind not in {"", "image"}:
        raise Failure(f"Error: No such {kind}: {given.arguments[0]}")
    return _inspect(given, daemon, "" if kind else "Error: No such object: ")


def _inspect(given: Given, daemon: Daemon, missing: str) -> int:
    layout = given.text("format")
    template = parsed(layout) if layout and layout != "json" else None
    found, errors = [], []
    for name in given.arguments:
        try:
            found.append(daemon.json(f"{path_of(name)}/json"))
        except DaemonError as error:
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
            text += rendered(template, document) + "\n"
    finally:
        sys.stdout.write(text or "\n")


def tag(given: Given, daemon: Daemon) -> int:
    """docker tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]"""
    source, target = given.arguments
    try:
        reference = references.parse(target, default_tag=False)
    except InvalidReference as error:
        raise Failure(
            f'Error parsing reference: "{target}" is not a valid repository/tag: {error}'
        ) from error
    if reference.digest:
        raise Failure("refusing to create a tag with a digest reference")
    query = {"repo": reference.familiar_name, "tag": reference.tag or "latest"}
    daemon.json(f"{path_of(source)}/tag", query, "POST")
    return 0


def remove(given: Given, daemon: Daemon) -> int:
    """docker rmi [OPTIONS] IMAGE [IMAGE...]"""
    query = {"force": "1"} if given.on("force") else {}
    if given.on("no-prune"):
        query["noprune"] = "1"
    errors, fatal = [], False
    for name in given.arguments:
        try:
            done = daemon.json(path_of(name), query, "DELETE")
        except DaemonError as error:
            errors.append(error.message)
            fatal |= error.status != 404
            continue
        for step in done:
            what = "Deleted" if "Deleted" in step else "Untagged"
            sys.stdout.write(f"{what}: {step[what]}\n")
    if errors:
        if fatal or not given.on("force"):
            raise Failure("\n".join(errors))
        sys.stderr.write("\n".join(errors) + "\n")
    return 0
