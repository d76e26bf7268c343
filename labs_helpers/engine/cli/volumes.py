"""docker volume create, ls, inspect and rm.

Source: https://github.com/docker/cli/tree/v28.2.2/cli/command/volume
"""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import quote

from .client import EngineClient
from .command_line import (
    FILTER,
    FORMAT,
    LIST,
    SHORT_FORMAT,
    SWITCH,
    VALUE,
    Arguments,
    Option,
    command,
)
from .containers import each_named
from .gofunctions import Row
from .image import inspect_objects
from .images import filters
from .tables import write_table

_SWARM = "the labs' engine is not part of a Swarm"
_HEADERS = {
    "Name": "VOLUME NAME",
    "Driver": "DRIVER",
    "Scope": "SCOPE",
    "Availability": "AVAILABILITY",
    "Mountpoint": "MOUNTPOINT",
    "Labels": "LABELS",
    "Links": "LINKS",
    "Size": "SIZE",
    "Group": "GROUP",
    "Status": "STATUS",
}


@command(
    "volume create",
    "[OPTIONS] [VOLUME]",
    "Create a volume",
    0,
    1,
    [
        Option("driver", "d", VALUE, refused="volumes are folders", harmless=frozenset({"local"})),
        Option("label", "", LIST, "Set metadata for a volume"),
        Option("name", "", VALUE, refused="give the name without an option"),
        Option("opt", "o", LIST, refused="volumes are plain folders"),
        *(
            Option(name, "", VALUE, refused=_SWARM)
            for name in ("availability", "group", "limit-bytes", "required-bytes", "scope")
        ),
        *(
            Option(name, "", LIST, refused=_SWARM)
            for name in ("secret", "sharing", "topology-preferred", "topology-required", "type")
        ),
    ],
)
def create(args: Arguments, engine: EngineClient) -> int:
    """docker volume create [OPTIONS] [VOLUME]"""
    labels = dict(text.partition("=")[::2] for text in args.all("label"))
    name = args.positional[0] if args.positional else ""
    made = engine.post("/volumes/create", {"Name": name, "Labels": labels})
    sys.stdout.write(f"{made['Name']}\n")
    return 0


@command(
    "volume ls",
    "[OPTIONS]",
    "List volumes",
    0,
    0,
    [
        *(FILTER, FORMAT),
        Option("quiet", "q", SWITCH, "Only display volume names"),
        Option("cluster", refused=_SWARM),
    ],
)
def volume_list(args: Arguments, engine: EngineClient) -> int:
    """docker volume ls [OPTIONS]"""
    wanted = filters(args)
    query = {"filters": json.dumps(wanted)} if wanted else None
    found = engine.json("/volumes", query)["Volumes"] or []
    if args.on("quiet"):
        sys.stdout.writelines(f"{each['Name']}\n" for each in found)
        return 0
    rows = [_row(each) for each in found]
    write_table(
        rows, _HEADERS, args.text("format"), "{{.Driver}}\t{{.Name}}", "*formatter.volumeContext"
    )
    return 0


def _row(volume: dict[str, Any]) -> Row:
    labels = volume.get("Labels") or {}
    return Row(
        {
            **{"Availability": "N/A", "Driver": volume["Driver"], "Group": "N/A"},
            "Labels": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
            **{"Links": "N/A", "Mountpoint": volume["Mountpoint"], "Name": volume["Name"]},
            **{"Scope": volume["Scope"], "Size": "N/A", "Status": "N/A"},
        }
    )


@command(
    "volume inspect",
    "[OPTIONS] VOLUME [VOLUME...]",
    "Display detailed information on one or more volumes",
    1,
    options=[SHORT_FORMAT],
)
def inspect(args: Arguments, engine: EngineClient) -> int:
    """docker volume inspect [OPTIONS] VOLUME [VOLUME...]"""
    return inspect_objects(args, lambda name: engine.json(f"/volumes/{quote(name)}"), "")


@command(
    "volume rm",
    "[OPTIONS] VOLUME [VOLUME...]",
    "Remove one or more volumes",
    1,
    options=[Option("force", "f", SWITCH, "Force the removal of one or more volumes")],
)
def remove(args: Arguments, engine: EngineClient) -> int:
    """docker volume rm [OPTIONS] VOLUME [VOLUME...]"""
    query = "?force=1" if args.on("force") else ""
    return each_named(args, lambda name: engine.action(f"/volumes/{name}{query}", "DELETE"))
