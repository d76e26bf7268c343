"""docker ps, logs, stop, kill, rm, wait, port, rename, restart, top and container prune.

Source: https://github.com/docker/cli/tree/v28.2.2/cli/command/container and
https://github.com/docker/cli/blob/v28.2.2/cli/command/formatter/container.go
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from .client import EngineClient, Failure, ResponseError
from .command_line import FILTER, FORMAT, NO_TRUNC, SWITCH, VALUE, Arguments, Option, command
from .gofunctions import Row
from .images import filters
from .streams import Output
from .tables import columns, write_table
from .units import human_size, moment, since, timestamp

_HEADERS = {
    "ID": "CONTAINER ID",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "CreatedAt": "CREATED AT",
    "RunningFor": "CREATED",
    "Status": "STATUS",
    "State": "STATE",
    "Ports": "PORTS",
    "Names": "NAMES",
    "Size": "SIZE",
    "Labels": "LABELS",
    "Mounts": "MOUNTS",
    "LocalVolumes": "LOCAL VOLUMES",
    "Networks": "NETWORKS",
}
_LAYOUT = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
_SEVERAL = "CONTAINER [CONTAINER...]"
_LONGEST_COMMAND = 20


@command(
    "ps",
    "[OPTIONS]",
    "List containers",
    0,
    0,
    [
        Option("all", "a", SWITCH, "Show all containers (default shows just running)"),
        *(FILTER, FORMAT),
        Option("last", "n", VALUE, "Show n last created containers (includes all states)"),
        Option("latest", "l", SWITCH, "Show the latest created container (includes all states)"),
        NO_TRUNC,
        Option("quiet", "q", SWITCH, "Only display container IDs"),
        Option("size", "s", SWITCH, "Display total file sizes"),
    ],
)
def containers(args: Arguments, engine: EngineClient) -> int:
    """docker ps [OPTIONS]"""
    query = {name: "1" for name in ("all", "size") if args.on(name)}
    limit = args.text("last") or ("1" if args.on("latest") else "")
    if limit:
        query["limit"] = limit
    if args.all("filter"):
        query["filters"] = json.dumps(filters(args))
    layout = args.text("format")
    if "{{.Size" in layout.replace(" ", ""):
        query["size"] = "1"
    found = engine.json("/containers/json", query)
    whole = args.on("no-trunc")
    if args.on("quiet") and not layout:
        sys.stdout.writelines(f"{c['Id'] if whole else c['Id'][:12]}\n" for c in found)
        return 0
    default = _LAYOUT + ("\t{{.Size}}" if args.on("size") else "")
    rows = [_row(each, whole) for each in found]
    write_table(rows, _HEADERS, layout, default, "*formatter.ContainerContext")
    return 0


def _row(found: dict[str, Any], whole: bool) -> Row:
    line = found["Command"] if whole else _short(found["Command"], _LONGEST_COMMAND)
    mounts = [m.get("Name") or m["Source"] for m in found["Mounts"]]
    size = human_size(found.get("SizeRw") or 0)
    return Row(
        {
            "Command": f'"{line}"',
            "CreatedAt": timestamp(found["Created"]),
            "ID": found["Id"] if whole else found["Id"][:12],
            "Image": found["Image"] or "<no image>",
            "Labels": ",".join(f"{k}={v}" for k, v in sorted(found["Labels"].items())),
            "LocalVolumes": str(sum(m["Type"] == "volume" for m in found["Mounts"])),
            "Mounts": ",".join(m if whole else _short(m, 15) for m in mounts),
            "Names": ",".join(name.removeprefix("/") for name in found["Names"]),
            "Networks": ",".join(found["NetworkSettings"]["Networks"]),
            "Ports": _ports(found["Ports"]),
            "RunningFor": since(found["Created"]),
            "Size": f"{size} (virtual {human_size(found.get('SizeRootFs') or 0)})",
            "State": found["State"],
            "Status": found["Status"],
        }
    )


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _ports(ports: list[dict[str, Any]]) -> str:
    shown = []
    for port in ports:
        inside = f"{port['PrivatePort']}/{port['Type']}"
        place = f"{port['IP']}:{port['PublicPort']}->" if port.get("PublicPort") else ""
        shown.append(f"{place}{inside}")
    return ", ".join(shown)


def each_named(args: Arguments, act: Callable[[str], None]) -> int:
    """Do something with everything that is named, and print the names; errors come last."""
    errors = []
    for name in args.positional:
        try:
            act(quote(name))
            sys.stdout.write(f"{name}\n")
        except ResponseError as error:
            errors.append(error.message)
    if errors:
        raise Failure("\n".join(errors))
    return 0


_GRACE = "Seconds to wait before killing the container"
_WHEN = 'timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'
_STOPPING = [
    Option("signal", "s", VALUE, "Signal to send to the container"),
    Option("timeout", "t", VALUE, _GRACE),
    Option("time", "", VALUE, f"{_GRACE} (deprecated: use --timeout)"),
]


def _stopping(args: Arguments) -> str:
    pairs = {"signal": args.text("signal"), "t": args.text("timeout") or args.text("time")}
    return "&".join(f"{key}={quote(value)}" for key, value in pairs.items() if value)


@command(
    "stop", f"[OPTIONS] {_SEVERAL}", "Stop one or more running containers", 1, options=_STOPPING
)
def stop(args: Arguments, engine: EngineClient) -> int:
    """docker stop [OPTIONS] CONTAINER [CONTAINER...]"""
    return each_named(
        args, lambda name: engine.action(f"/containers/{name}/stop?{_stopping(args)}")
    )


@command("restart", f"[OPTIONS] {_SEVERAL}", "Restart one or more containers", 1, options=_STOPPING)
def restart(args: Arguments, engine: EngineClient) -> int:
    """docker restart [OPTIONS] CONTAINER [CONTAINER...]"""
    return each_named(
        args, lambda name: engine.action(f"/containers/{name}/restart?{_stopping(args)}")
    )


@command(
    "kill",
    f"[OPTIONS] {_SEVERAL}",
    "Kill one or more running containers",
    1,
    options=[Option("signal", "s", VALUE, "Signal to send to the container")],
)
def kill(args: Arguments, engine: EngineClient) -> int:
    """docker kill [OPTIONS] CONTAINER [CONTAINER...]"""
    number = quote(args.text("signal") or "KILL")
    return each_named(args, lambda name: engine.action(f"/containers/{name}/kill?signal={number}"))


@command(
    "rm",
    f"[OPTIONS] {_SEVERAL}",
    "Remove one or more containers",
    1,
    options=[
        Option("force", "f", SWITCH, "Force the removal of a running container (uses SIGKILL)"),
        Option("link", "l", SWITCH, refused="containers have no links"),
        Option("volumes", "v", SWITCH, "Remove anonymous volumes associated with the container"),
    ],
)
def remove(args: Arguments, engine: EngineClient) -> int:
    """docker rm [OPTIONS] CONTAINER [CONTAINER...]"""
    query = "&".join(
        f"{key}=1" for key, name in (("force", "force"), ("v", "volumes")) if args.on(name)
    )

    def one(name: str) -> None:
        try:
            engine.action(f"/containers/{name}?{query}", "DELETE")
        except ResponseError as error:
            # as Docker: --force is content when there is nothing to remove
            if not (args.on("force") and error.status == 404):
                raise
            sys.stderr.write(f"{error.message}\n")

    return each_named(args, one)


@command(
    "wait", _SEVERAL, "Block until one or more containers stop, then print their exit codes", 1
)
def wait(args: Arguments, engine: EngineClient) -> int:
    """docker wait CONTAINER [CONTAINER...]"""
    for name in args.positional:
        found = engine.json(f"/containers/{quote(name)}/wait", method="POST")
        sys.stdout.write(f"{found['StatusCode']}\n")
    return 0


@command("rename", "CONTAINER NEW_NAME", "Rename a container", 2, 2)
def rename(args: Arguments, engine: EngineClient) -> int:
    """docker rename CONTAINER NEW_NAME"""
    old, new = map(quote, args.positional)
    engine.action(f"/containers/{old}/rename?name={new}")
    return 0


@command("port", "CONTAINER [PRIVATE_PORT[/PROTO]]", "List port mappings of a container", 1, 2)
def port(args: Arguments, engine: EngineClient) -> int:
    """docker port CONTAINER [PRIVATE_PORT[/PROTO]]"""
    name = args.positional[0]
    found = engine.json(f"/containers/{quote(name)}/json")["NetworkSettings"]["Ports"]
    wanted = args.positional[1] if len(args.positional) > 1 else ""
    wanted += "" if "/" in wanted or not wanted else "/tcp"
    if wanted and not found.get(wanted):
        raise Failure(f"no public port '{args.positional[1]}' published for {name}")
    for inside, places in sorted(found.items()):
        for place in places or [] if wanted in ("", inside) else []:
            text = f"{place['HostIp']}:{place['HostPort']}"
            sys.stdout.write(f"{text}\n" if wanted else f"{inside} -> {text}\n")
    return 0


@command(
    "logs",
    "[OPTIONS] CONTAINER",
    "Fetch the logs of a container",
    1,
    1,
    [
        Option("details", refused="the log has no extra details"),
        Option("follow", "f", SWITCH, "Follow log output"),
        Option("since", "", VALUE, f"Show logs since {_WHEN}"),
        Option("tail", "n", VALUE, "Number of lines to show from the end of the logs"),
        Option("timestamps", "t", SWITCH, "Show timestamps"),
        Option("until", "", VALUE, f"Show logs before a {_WHEN}"),
    ],
)
def logs(args: Arguments, engine: EngineClient) -> int:
    """docker logs [OPTIONS] CONTAINER"""
    name = quote(args.positional[0])
    config = engine.json(f"/containers/{name}/json")["Config"]
    query = {"stdout": "1", "stderr": "1"}
    query |= {key: "1" for key in ("follow", "timestamps") if args.on(key)}
    query |= {key: moment(args.text(key)) for key in ("since", "until") if args.text(key)}
    query |= {"tail": args.text("tail")} if args.text("tail") else {}
    output = Output(framed=not config["Tty"])
    sys.stdout.flush()
    with engine.download(f"/containers/{name}/logs", query) as response:
        while data := response.read1(1 << 16):
            output.write(data)
    return 0


@command("top", "CONTAINER [ps OPTIONS]", "Display the running processes of a container", 1)
def top(args: Arguments, engine: EngineClient) -> int:
    """docker top CONTAINER"""
    name, *options = args.positional
    query = {"ps_args": " ".join(options)} if options else None
    found = engine.json(f"/containers/{quote(name)}/top", query)
    sys.stdout.write(columns([found["Titles"], *found["Processes"]]))
    return 0


@command(
    "container inspect",
    f"[OPTIONS] {_SEVERAL}",
    "Display detailed information on one or more containers",
    1,
    options=[
        Option("format", "f", VALUE, "Format output using a custom template"),
        Option("size", "s", SWITCH, "Display total file sizes"),
    ],
)
def inspect(args: Arguments, engine: EngineClient) -> int:
    """docker container inspect [OPTIONS] CONTAINER [CONTAINER...]"""
    from .image import inspect_objects

    query = {"size": "1"} if args.on("size") else None
    return inspect_objects(
        args, lambda name: engine.json(f"/containers/{quote(name)}/json", query), ""
    )
