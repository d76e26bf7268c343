"""docker version, info, ps, search and run, which says why not."""

from __future__ import annotations

import platform
import sys
from typing import Any

from .client import API_VERSION, Daemon
from .command_line import Given
from .failure import DaemonError, Failure
from .gofunctions import go_json
from .tables import parsed, rendered
from .units import human_binary

VERSION = "28.2.2"
"""The version of Docker's command line whose output this follows."""

BUILD = "labs"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_PS = "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n"


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


def version(given: Given, daemon: Daemon) -> int:
    """docker version [OPTIONS]"""
    failure, server, api = None, None, API_VERSION
    try:
        server, api = daemon.json("/version"), daemon.version
    except Failure as error:
        failure = error
    client = _client(api)
    if given.text("format") in ("", "json"):
        document = {"Client": client, "Server": server}
    else:
        # a template names fields of Go, and this one is not called as in JSON
        document = {"Client": _with_go_names(client), "Server": server and _with_go_names(server)}
    if not _written_as_asked(given, document):
        _write_version(client, server)
    if failure:
        raise failure
    return 0


def _with_go_names(side: dict[str, Any]) -> dict[str, Any]:
    return {**side, "APIVersion": side.get("ApiVersion")}


def _written_as_asked(given: Given, document: dict[str, Any]) -> bool:
    """Write a document by ``--format``, where that was given."""
    layout = given.text("format")
    if layout:
        text = go_json(document) if layout == "json" else rendered(parsed(layout), document)
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


def info(given: Given, daemon: Daemon) -> int:
    """docker info [OPTIONS]"""
    found = daemon.json("/info")
    document = {**found, "ClientInfo": {**_client(daemon.version), "Debug": False, "Plugins": []}}
    if not _written_as_asked(given, document):
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


def containers(given: Given, daemon: Daemon) -> int:
    """docker ps [OPTIONS]: the engine has no containers, so the table is empty"""
    daemon.json("/containers/json")
    if not given.on("quiet") and not given.text("format").replace("table", ""):
        sys.stdout.write(_PS)
    return 0


def run(given: Given, daemon: Daemon) -> int:
    """docker run and create: the engine says why it cannot"""
    try:
        daemon.post("/containers/create", {"Image": given.arguments[0]})
    except DaemonError as error:
        raise Failure(
            f"docker: {error.message}\n\nRun 'docker run --help' for more information", 125
        ) from error
    raise Failure("docker: this stand-in starts no containers; use Docker's own command", 125)


def search(given: Given, daemon: Daemon) -> int:
    """docker search TERM: the engine says why it cannot"""
    daemon.json("/images/search", {"term": given.arguments[0], "limit": "25"})
    return 0


def volumes(given: Given, daemon: Daemon) -> int:
    """docker volume ls: there are none"""
    daemon.json("/volumes")
    if not given.on("quiet"):
        sys.stdout.write("DRIVER    VOLUME NAME\n")
    return 0


def networks(given: Given, daemon: Daemon) -> int:
    """docker network ls: there are none"""
    daemon.json("/networks")
    if not given.on("quiet"):
        sys.stdout.write("NETWORK ID   NAME      DRIVER    SCOPE\n")
    return 0


def events(given: Given, daemon: Daemon) -> int:
    """docker events: the engine tells none"""
    daemon.json("/events")
    return 0


def no_container(given: Given, daemon: Daemon) -> int:
    """The commands about one container, of which there is none"""
    raise Failure(f"Error response from daemon: No such container: {given.arguments[0]}")
