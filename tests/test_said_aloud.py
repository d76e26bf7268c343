"""What a learner has to know of the sandbox is said where learners look: card, status, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labs_helpers.cli import needs, status
from labs_helpers.control_client import Control
from labs_helpers.runtime import shims
from labs_helpers.sandbox import process
from labs_helpers.sandbox.process import Server
from labs_helpers.workspace import Workspace

LOST = "The memory of IAM's users and roles was damaged: 1 of 9 changes are left."
CLOCK = {"now": "2026-11-29T07:00:00+00:00", "offset_seconds": 0.0, "frozen": False}


def sandbox(offset: float = 0.0, *notices: str) -> dict[str, Any]:
    return {"clock": {**CLOCK, "offset_seconds": offset}, "notices": list(notices)}


def notes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]
) -> tuple[str, ...]:
    monkeypatch.setattr(Control, "ask", lambda *_: facts)
    return Control(workspace).notes()


def clock_row(offset: float) -> str:
    facts = sandbox(offset) | {"answers": True, "endpoint": "", "pid": 1}
    facts |= {"uptime_seconds": 1, "memory_bytes": 1}
    names = ("account", "region", "registry", "home", "workbook")
    found = {"mode": "sandbox", **dict.fromkeys(names, "")}
    docker = {"kind": "standin", "path": "", "why": ""}
    rows = status.rows({**found, "sandbox": facts, "engine": None, "docker": docker})
    return dict(rows)["clock"]


@pytest.mark.parametrize(("claimed", "said"), [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs")])
def test_status_counts_jobs_in_words(claimed: int, said: str) -> None:
    runner = {"answers": True, "pid": 1, "uptime_seconds": 1, "memory_bytes": 1}
    shown = status._runner_shown({**runner, "claimed": claimed, "waiting": 0})
    assert shown[1] == ("", f"{said} running, 0 waiting")


def test_a_docker_command_is_named_once(workspace: Workspace, tmp_path: Path) -> None:
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = shims.choose_docker(workspace, {"PATH": str(tmp_path)})
    assert (found.path, found.why) == (program, "the first docker on the PATH")


def test_the_card_says_nothing_of_a_sandbox_in_order(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert notes(workspace, monkeypatch, sandbox()) == ()


def test_the_card_says_what_was_damaged_and_that_the_clock_was_moved(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged, moved = notes(workspace, monkeypatch, sandbox(46_800, LOST))
    assert damaged == LOST
    assert "13 hours ahead of real time" in moved
    assert "labs reset begins again at real time" in moved


def test_status_says_how_to_get_back_to_real_time() -> None:
    assert clock_row(0) == "2026-11-29 07:00 UTC, real time"
    assert "13 h 0 min ahead of real time" in clock_row(46_800)
    assert "labs reset" in clock_row(46_800)


def test_the_doctor_says_what_was_damaged(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "running", lambda _: Server(1, 4566, "i", 0.0, 1))
    monkeypatch.setattr(process, "health", lambda _: {})
    monkeypatch.setattr(process, "control_answer", lambda *_: sandbox(0, LOST))
    found = needs.sandbox(workspace)
    assert found.state == "warning"
    assert LOST in found.fix
    monkeypatch.setattr(process, "control_answer", lambda *_: sandbox())
    assert needs.sandbox(workspace).state == "ok"
