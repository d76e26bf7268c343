"""docker system df, system prune and image prune.

Source: https://github.com/docker/cli/blob/v28.2.2/cli/command/formatter/disk_usage.go and
https://github.com/docker/cli/blob/v28.2.2/cli/command/system/prune.go
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from .client import EngineClient, Failure
from .command_line import FORCE, FORMAT, LIST, SWITCH, Arguments, Option, command
from .gofunctions import Row
from .images import filters, short
from .tables import columns, write_table
from .units import human_size, since

_HEADERS = {
    "Type": "TYPE",
    "TotalCount": "TOTAL",
    "Active": "ACTIVE",
    "Size": "SIZE",
    "Reclaimable": "RECLAIMABLE",
}
_DEFAULT = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
_IMAGES = ("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE")
_REST = """
Containers space usage:

CONTAINER ID   IMAGE     COMMAND   LOCAL VOLUMES   SIZE      CREATED   STATUS    NAMES

Local Volumes space usage:

VOLUME NAME   LINKS     SIZE

Build cache usage: 0B

CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED
"""
_QUESTION = "Are you sure you want to continue? [y/N] "


@command(
    "system df",
    "[OPTIONS]",
    "Show docker disk usage",
    0,
    0,
    [FORMAT, Option("verbose", "v", SWITCH, "Show detailed information on space usage")],
)
def usage(args: Arguments, engine: EngineClient) -> int:
    """docker system df [OPTIONS]"""
    found = engine.json("/system/df")
    if args.on("verbose"):
        if args.text("format"):
            raise Failure("docker system df --verbose: the labs' stand-in has no --format with it")
        _write_images(found["Images"] or [])
        return 0
    rows = [_images_row(found)]
    rows += [_row(name, 0, "0B", "0B") for name in ("Containers", "Local Volumes", "Build Cache")]
    write_table(rows, _HEADERS, args.text("format"), _DEFAULT, "*formatter.diskUsageImagesContext")
    return 0


def _images_row(found: dict[str, Any]) -> Row:
    total = found["LayersSize"]
    size = human_size(total, 4)
    # no container uses an image, so all can be reclaimed
    return _row("Images", len(found["Images"] or []), size, f"{size} (100%)" if total else size)


def _row(kind: str, count: int, size: str, reclaimable: str) -> Row:
    return Row(
        {
            "Active": "0",
            "Reclaimable": reclaimable,
            "Size": size,
            "TotalCount": str(count),
            "Type": kind,
        }
    )


def _write_images(images: list[dict[str, Any]]) -> None:
    rows = [[*_IMAGES, "CONTAINERS"]]
    for image in images:
        name = (image["RepoTags"] or ["<none>:<none>"])[0]
        repository, _, tag = name.rpartition(":")
        shared = image["SharedSize"]
        rows.append(
            [
                *(repository, tag, short(image["Id"]), since(image["Created"])),
                *(human_size(image["Size"]), human_size(shared, 4)),
                *(human_size(image["Size"] - shared, 4), str(image["Containers"])),
            ]
        )
    sys.stdout.write(f"Images space usage:\n\n{columns(rows)}{_REST}")


def confirm(warning: str) -> bool:
    """Ask the user; False for anything but yes."""
    sys.stdout.write(f"{warning}{_QUESTION}")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _prune_images(args: Arguments, engine: EngineClient) -> int:
    """Remove images, and print which; return the exit status."""
    query = {**filters(args), "dangling": ["false" if args.on("all") else "true"]}
    done = engine.json("/images/prune", {"filters": json.dumps(query)}, "POST")
    _write_deleted(done.get("ImagesDeleted") or [])
    write_reclaimed(int(done["SpaceReclaimed"]))
    return 0


def write_reclaimed(size: int) -> None:
    """Print the last line of a prune."""
    sys.stdout.write(f"Total reclaimed space: {human_size(size, 4)}\n")


def _write_deleted(steps: Iterable[dict[str, str]]) -> None:
    lines = [f"{kind.lower()}: {name}\n" for step in steps for kind, name in step.items()]
    if lines:
        sys.stdout.write("Deleted Images:\n" + "".join(lines) + "\n")


@command(
    "system prune",
    "[OPTIONS]",
    "Remove unused data",
    0,
    0,
    [
        Option("all", "a", SWITCH, "Remove all unused images not just dangling ones"),
        Option("filter", "", LIST, 'Provide filter values (e.g. "label=<key>=<value>")'),
        FORCE,
        Option("volumes", "", SWITCH, "Prune anonymous volumes"),
    ],
)
def prune(args: Arguments, engine: EngineClient) -> int:
    """docker system prune [OPTIONS]"""
    every, wanted = args.on("all"), filters(args)
    if args.on("volumes") and "until" in wanted:
        raise Failure('ERROR: The "until" filter is not supported with "--volumes"')
    targets = ["all stopped containers", "all networks not used by at least one container"]
    if args.on("volumes"):
        targets.append("all anonymous volumes not used by at least one container")
    if every:
        targets += ["all images without at least one container associated to them"]
        targets += ["all build cache"]
    else:
        targets += ["all dangling images", "unused build cache"]
    text = "WARNING! This will remove:\n" + "".join(f"  - {target}\n" for target in targets)
    if wanted:
        text += "\n  Items to be pruned will be filtered with:\n"
        text += "".join(f"  - {pair}\n" for pair in sorted(args.all("filter")))
    if not args.on("force") and not confirm(f"{text}\n"):
        return 0
    query = {"filters": json.dumps(wanted)} if wanted else {}
    for kind in ("containers", "networks", *(["volumes"] if args.on("volumes") else [])):
        # the engine has none, and checks the filters
        engine.json(f"/{kind}/prune", query, "POST")
    return _prune_images(args, engine)


@command(
    "image prune",
    "[OPTIONS]",
    "Remove unused images",
    0,
    0,
    [
        Option("all", "a", SWITCH, "Remove all unused images, not just dangling ones"),
        Option("filter", "", LIST, 'Provide filter values (e.g. "until=<timestamp>")'),
        FORCE,
    ],
)
def prune_unused(args: Arguments, engine: EngineClient) -> int:
    """docker image prune [OPTIONS]"""
    unused = "all images without at least one container associated to them"
    kind = unused if args.on("all") else "all dangling images"
    if args.on("force") or confirm(f"WARNING! This will remove {kind}.\n"):
        return _prune_images(args, engine)
    return 0
