"""docker version, info, search and events."""

from __future__ import annotations

import json
import platform
import sys
from datetime import UTC, datetime
from typing import Any

from .client import API_VERSION, EngineClient, Failure
from .command_line import (
    LIST,
    SHORT_FORMAT,
    VALUE,
    Arguments,
    Option,
    command,
)
from .gofunctions import go_json
from .images import filters
from .tables import parse_template, render
from .units import human_binary, moment

VERSION = "28.2.2"
"""The version of Docker's command that the output follows."""

BUILD = "labs"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def short_version() -> str:
    """The line of docker --version."""
    return f"Docker version {VERSION}, build {BUILD} (the labs' stand-in)\n"


def _client(api: str) -> dict[str, Any]:
    machine = platform.machine()
    return {
        "Platform": {"Name": "Labs stand-in for docker"},
        "Version": VERSION,
        "ApiVersion": api,
        "DefaultAPIVersion": API_VERSION,
        "GitCommit": BUILD,
        "GoVersion": "none (Python)",
        "Os": platform.system().lower(),
        "Arch": _ARCHITECTURES.get(machine, machine),
        "BuildTime": "",
        "Context": "default",
    }


@command("version", "[OPTIONS]", "Show the Docker version information", 0, 0, [SHORT_FORMAT])
def version(args: Arguments, engine: EngineClient) -> int:
    """docker version [OPTIONS]"""
    failure, server, api = None, None, API_VERSION
    try:
        server, api = engine.json("/version"), engine.version
    except Failure as error:
        failure = error
    client = _client(api)
    if args.text("format") in ("", "json"):
        document = {"Client": client, "Server": server}
    else:
        # templates use the names of Go's fields; one differs from its name in JSON
        document = {"Client": _with_go_names(client), "Server": server and _with_go_names(server)}
    if not _write_formatted(args, document):
        _write_version(client, server)
    if failure:
        raise failure
    return 0


def _with_go_names(side: dict[str, Any]) -> dict[str, Any]:
    return {**side, "APIVersion": side.get("ApiVersion")}


def _write_formatted(args: Arguments, document: dict[str, Any]) -> bool:
    """Write a document by ``--format``; False when there is no such option."""
    layout = args.text("format")
    if layout:
        text = go_json(document) if layout == "json" else render(parse_template(layout), document)
        sys.stdout.write(text + "\n")
    return bool(layout)


def _write_version(client: dict[str, Any] | None, server: dict[str, Any] | None) -> None:
    if client:
        api = client["ApiVersion"]
        if api != client["DefaultAPIVersion"]:
            api += f" (downgraded from {client['DefaultAPIVersion']})"
        sys.stdout.write(
            f"Client: {client['Platform']['Name']}\n"
            f" Version:           {client['Version']}\n"
            f" API version:       {api}\n"
            f" OS/Arch:           {client['Os']}/{client['Arch']}\n"
            f" Context:           {client['Context']}\n"
        )
    if server:
        name = (server.get("Platform") or {}).get("Name") or ""
        least = server.get("MinAPIVersion")
        sys.stdout.write(
            f"\nServer:{' ' + name if name else ''}\n Engine:\n"
            f"  Version:          {server['Version']}\n"
            f"  API version:      {server['ApiVersion']} (minimum version {least})\n"
            f"  Go version:       {server.get('GoVersion', '')}\n"
            f"  Git commit:       {server.get('GitCommit', '')}\n"
            f"  Built:            {server.get('BuildTime', '')}\n"
            f"  OS/Arch:          {server['Os']}/{server['Arch']}\n"
            f"  Experimental:     {str(bool(server.get('Experimental'))).lower()}\n"
        )


@command("info", "[OPTIONS]", "Display system-wide information", 0, 0, [SHORT_FORMAT])
def info(args: Arguments, engine: EngineClient) -> int:
    """docker info [OPTIONS]"""
    found = engine.json("/info")
    document = {**found, "ClientInfo": {**_client(engine.version), "Debug": False, "Plugins": []}}
    if not _write_formatted(args, document):
        status = "".join(f"  {pair[0]}: {pair[1]}\n" for pair in found.get("DriverStatus") or [])
        sys.stdout.write(
            f"Client: Labs stand-in for docker\n Version:    {VERSION}\n Context:    default\n"
            " Debug Mode: false\n\nServer:\n"
            f" Containers: {found['Containers']}\n"
            f"  Running: {found['ContainersRunning']}\n"
            f"  Paused: {found['ContainersPaused']}\n"
            f"  Stopped: {found['ContainersStopped']}\n"
            f" Images: {found['Images']}\n"
            f" Server Version: {found['ServerVersion']}\n"
            f" Storage Driver: {found['Driver']}\n{status}"
            f" Kernel Version: {found['KernelVersion']}\n"
            f" Operating System: {found['OperatingSystem']}\n"
            f" OSType: {found['OSType']}\n"
            f" Architecture: {found['Architecture']}\n"
            f" CPUs: {found['NCPU']}\n"
            f" Total Memory: {human_binary(found['MemTotal'])}\n"
            f" Name: {found['Name']}\n"
            f" ID: {found['ID']}\n"
            f" Docker Root Dir: {found['DockerRootDir']}\n"
            " Debug Mode: false\n\n"
        )
    return 0


_REFUSED = "the engine refuses the command"
_SEARCH = [
    Option("filter", "f", LIST, moot=_REFUSED),
    Option("format", "", VALUE, moot=_REFUSED),
    Option("limit", "", VALUE, moot=_REFUSED),
    Option("no-trunc", moot=_REFUSED),
]
_EVENTS = [
    Option("filter", "f", LIST, "Filter output based on conditions provided"),
    Option("format", "", VALUE, "Format output using a custom template"),
    Option("since", "", VALUE, "Show all events created since timestamp"),
    Option("until", "", VALUE, "Stream events until this timestamp"),
]


@command("search", "[OPTIONS] TERM", "Search Docker Hub for images", 1, 1, _SEARCH)
def search(args: Arguments, engine: EngineClient) -> int:
    """docker search TERM; the engine refuses, and says why"""
    engine.json("/images/search", {"term": args.positional[0], "limit": "25"})
    return 0


@command("system events", "[OPTIONS]", "Get real time events from the server", 0, 0, _EVENTS)
def events(args: Arguments, engine: EngineClient) -> int:
    """docker events [OPTIONS]"""
    query = {key: moment(args.text(key)) for key in ("since", "until") if args.text(key)}
    if args.all("filter"):
        query["filters"] = json.dumps(filters(args))
    layout = args.text("format")
    template = parse_template(layout) if layout and layout != "json" else None
    with engine.download("/events", query) as response:
        for line in response:
            event = json.loads(line)
            if template:
                sys.stdout.write(f"{render(template, event)}\n")
            elif layout:
                sys.stdout.write(f"{go_json(event)}\n")
            else:
                sys.stdout.write(f"{_event_line(event)}\n")
            sys.stdout.flush()
    return 0


def _event_line(event: dict[str, Any]) -> str:
    """https://github.com/docker/cli/blob/v28.2.2/cli/command/system/events.go"""
    moment = datetime.fromtimestamp(event["timeNano"] // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    attributes = event["Actor"]["Attributes"]
    pairs = ", ".join(f"{key}={attributes[key]}" for key in sorted(attributes))
    nanoseconds = event["timeNano"] % 10**9
    return (
        f"{moment}.{nanoseconds:09}Z {event['Type']} {event['Action']} {event['Actor']['ID']}"
        + (f" ({pairs})" if pairs else "")
    )
