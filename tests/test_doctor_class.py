"""`labs doctor`: whether the machine and its file system carry the labs, and a whole class."""

from __future__ import annotations

import errno
import json
import os
import socket
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from labs_helpers.cli import class_needs
from labs_helpers.cli import main as cli
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.workspace import Workspace

GB = 1_000_000_000
Usage = namedtuple("Usage", "total used free")


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    return {need["name"]: need for need in json.loads(capsys.readouterr().out)}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine of our choice: memory and disk that are free, and cores."""

    def of(memory: float, disk: float, cores: int) -> None:
        free = type("Memory", (), {"available": memory * GB})
        monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
        usage = Usage(disk * GB, 0, int(disk * GB))
        monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
        monkeypatch.setattr(os, "cpu_count", lambda: cores)
        monkeypatch.setattr(sandbox_process, "is_free", lambda port: True)

    return of


def test_a_large_machine_carries_forty(
    machine: Any, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(memory=32, disk=100, cores=8)
    assert cli.main(["doctor", "--class", "40", "--json"]) == 0
    needs = found(capsys)
    for name in ("memory", "cores", "disk", "ports"):
        assert needs[f"class: {name}"]["state"] == "ok"


@pytest.mark.parametrize(
    ("memory", "disk", "cores", "which", "state", "words"),
    [
        (15, 100, 8, "memory", "warning", "32 learners on this one"),
        (10, 100, 8, "memory", "missing", "21 learners on this one"),
        (32, 8, 8, "disk", "warning", "12.0 GB is plenty"),
        (32, 3, 8, "disk", "missing", "larger disk"),
        (32, 100, 2, "cores", "warning", "4 cores"),
    ],
)
def test_what_is_too_small_is_named_with_what_would_do(
    machine: Any,
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    memory: float,
    disk: float,
    cores: int,
    which: str,
    state: str,
    words: str,
) -> None:
    machine(memory, disk, cores)
    code = cli.main(["doctor", "--class", "40", "--json"])
    need = found(capsys)[f"class: {which}"]
    assert need["state"] == state
    assert words in need["fix"]
    assert code == (1 if state == "missing" else 0)


def test_more_learners_than_ports_is_no_class_for_one_machine(
    machine: Any, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(memory=900, disk=900, cores=64)
    assert cli.main(["doctor", "--class", "101", "--json"]) == 1
    assert "second one" in found(capsys)["class: ports"]["fix"]


@pytest.mark.parametrize(
    ("name", "state"),
    [("localhost", "ok"), ("nowhere", "missing"), ("192.0.2.1", "missing")],
)
def test_a_machine_that_does_not_find_itself_by_its_name_is_no_hub(
    monkeypatch: pytest.MonkeyPatch, name: str, state: str
) -> None:
    known = socket.getaddrinfo

    def addresses(host: str, *rest: Any, **more: Any) -> Any:
        if host == "nowhere":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", addresses)
    monkeypatch.setattr(class_needs.importlib.util, "find_spec", lambda name: "found")
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    need = class_needs.hub()
    assert need.state == state
    assert (f"127.0.1.1 {name}" in need.fix) == (state == "missing")


def test_a_class_of_none_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "--class", "0"]) == 1
    assert "number of learners" in capsys.readouterr().err


def test_the_memory_of_a_container_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_text

    def limits(path: Path, *rest: Any, **more: Any) -> str:
        known = {"memory.max": "3000000000", "memory.current": "1000000000"}
        return known.get(path.name) or read(path, *rest, **more)

    monkeypatch.setattr(Path, "read_text", limits)
    assert class_needs.memory(1).found.startswith(("2.0 GB free", "1."))


def test_no_free_port_is_found_before_the_start(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # two ports at the end of the range, both taken
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 65534))
        two.bind(("127.0.0.1", 65535))
        for each in (one, two):
            each.listen()
        monkeypatch.setenv("LABS_PORT", "65534")
        assert cli.main(["doctor", "--json"]) == 1
        need = found(capsys)["port"]
        assert need["state"] == "missing"
        assert "65534 to 65535" in need["found"]
        assert cli.main(["start"]) == 1
        assert "No free port" in capsys.readouterr().err


def test_a_disk_without_room_for_all_labs_is_missing(
    machine: Any, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(memory=8, disk=0.105, cores=2)
    assert cli.main(["doctor", "--json"]) == 1
    assert found(capsys)["disk"]["state"] == "missing"


@pytest.mark.parametrize(("memory", "state"), [(8, "ok"), (0.3, "warning")])
def test_a_machine_without_memory_for_one_learner_is_told_before_the_start(
    machine: Any,
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    memory: float,
    state: str,
) -> None:
    machine(memory=memory, disk=10, cores=2)
    assert cli.main(["doctor", "--json"]) == 0
    need = found(capsys)["memory"]
    assert (need["state"], bool(need["fix"])) == (state, state == "warning")


def _no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on NFS without its lock service."""

    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("labs_helpers.cli.file_system.fcntl.flock", flock)


def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a drive of Windows in WSL."""
    bind = socket.socket.bind

    def refused(one: socket.socket, address: Any) -> None:
        if one.family == socket.AF_UNIX:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        bind(one, address)

    monkeypatch.setattr(socket.socket, "bind", refused)


def _no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system of a network: SQLite has a way to do without shared memory."""
    connect = sqlite3.connect
    monkeypatch.setattr(
        "labs_helpers.cli.file_system.sqlite3.connect",
        lambda path: connect(f"file:{path}?vfs=unix-dotfile", uri=True),
    )


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (_no_locks, "it has no locks"),
        (_no_sockets, "it has no sockets"),
        (_no_shared_memory, "SQLite cannot keep its write-ahead log there"),
    ],
)
def test_a_file_system_that_lacks_what_the_labs_use_is_found_by_trying(
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    lacking: Callable[[pytest.MonkeyPatch], None],
    said: str,
) -> None:
    lacking(monkeypatch)
    assert cli.main(["doctor", "--json"]) == 1
    need = found(capsys)["files"]
    assert (need["state"], need["found"]) == ("missing", f"{workspace.home}: {said}")
    assert "LABS_HOME" in need["fix"]


def test_a_file_system_without_permissions_is_found_by_trying(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # as on /mnt/c in WSL, where chmod changes nothing
    monkeypatch.setattr(Path, "chmod", lambda path, mode: None)
    assert cli.main(["doctor", "--json"]) == 1
    need = found(capsys)["files"]
    assert "keeps no permissions" in need["found"]
    assert "LABS_HOME" in need["fix"]


def test_a_clock_before_the_installation_is_named(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)
    assert cli.main(["doctor", "--json"]) == 0
    assert "2001-09-09" in found(capsys)["clock"]["found"]
