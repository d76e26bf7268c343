"""The lists and prunes of what the engine never has, networks and build cache, and other prunes.

An empty list has the title, and the errors, that Docker gives for its options. Sources:
https://github.com/docker/cli/tree/v28.2.2/cli/command/formatter (container.go, volume.go) and
https://github.com/docker/cli/blob/v28.2.2/cli/command/network/formatter.go
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from .client import EngineClient
from .command_line import (
    FILTER,
    FORCE,
    FORMAT,
    LIST,
    SWITCH,
    VALUE,
    Arguments,
    Command,
    Option,
    command,
)
from .disk import confirm, write_reclaimed
from .images import filters
from .tables import write_table

_NETWORK = {
    "ID": "NETWORK ID",
    "Name": "NAME",
    "Driver": "DRIVER",
    "Scope": "SCOPE",
    "IPv4": "IPV4",
    "IPv6": "IPV6",
    "Internal": "INTERNAL",
    "Labels": "LABELS",
    "CreatedAt": "CREATED AT",
}
_NOTHING_TO_CUT = "the list is empty, so nothing is cut off"


def _write_empty(args: Arguments, headers: Mapping[str, str], default: str) -> int:
    """Print the title of an empty list, unless the options ask for no title."""
    if not args.on("quiet"):
        write_table([], headers, args.text("format"), default, "")
    return 0


def _list_command(
    kind: str, text: str, headers: Mapping[str, str], default: str, *more: Option
) -> Command:
    """docker <kind> ls"""
    quiet = Option("quiet", "q", SWITCH, f"Only display {kind} names or IDs")

    @command(f"{kind} ls", "[OPTIONS]", text, 0, 0, [FILTER, FORMAT, quiet, *more])
    def list_kind(args: Arguments, engine: EngineClient) -> int:
        found = filters(args)
        engine.json(f"/{kind}s", {"filters": json.dumps(found)} if found else None)
        return _write_empty(args, headers, default)

    return list_kind


networks = _list_command(
    *("network", "List networks", _NETWORK, "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"),
    Option("no-trunc", moot=_NOTHING_TO_CUT),
)


def _prune_command(kind: str, text: str, some: str, every: str, *more: Option) -> Command:
    """docker <kind> prune; ``some`` and ``every`` are the warnings without and with --all."""
    options = [Option("filter", "", LIST, "Provide filter values"), FORCE, *more]
    if every != some:
        what = (
            "build cache, not just dangling" if kind == "builder" else "volumes, not just anonymous"
        )
        options.append(Option("all", "a", SWITCH, f"Remove all unused {what} ones"))
    path = {"builder": "/build"}.get(kind, f"/{kind}s")

    @command(f"{kind} prune", "[OPTIONS]", text, 0, 0, options)
    def prune_kind(args: Arguments, engine: EngineClient) -> int:
        found = filters(args)
        query = {}
        if args.on("all") and kind == "volume":
            found["all"] = ["1"]
        elif args.on("all"):
            query["all"] = "1"
        warning = every if args.on("all") else some
        separator = " " if kind == "builder" else "\n"
        if args.on("force") or confirm(f"WARNING! This will remove {warning}.{separator}"):
            if found:
                query["filters"] = json.dumps(found)
            done = engine.json(f"{path}/prune", query, "POST")
            write_reclaimed(int(done["SpaceReclaimed"]))
        return 0

    return prune_kind


prune_containers = _prune_command(
    "container", "Remove all stopped containers", "all stopped containers", "all stopped containers"
)
prune_volumes = _prune_command(
    "volume",
    "Remove unused local volumes",
    "anonymous local volumes not used by at least one container",
    "all local volumes not used by at least one container",
)
prune_builder = _prune_command(
    *("builder", "Remove build cache", "all dangling build cache", "all build cache"),
    Option("keep-storage", "", VALUE, moot="there is no build cache beside the images"),
)
