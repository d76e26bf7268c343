"""Sandbox and runner end in the middle of a build: the build says so, and nothing goes on."""

from __future__ import annotations

import time
from pathlib import Path

from labs_helpers.sandbox.codebuild.owner import AGAIN
from labs_helpers.sandbox.service import work
from tests.sandbox import sandbox_process
from tests.sandbox.codebuild import build_room
from tests.sandbox.codebuild.build_room import context, phases
from tests.sandbox.codebuild.test_contained import left_of


def test_a_build_is_fault_after_either_process_ended_and_a_queued_one_runs(tmp_path: Path) -> None:
    room = build_room.begin(tmp_path)
    room.project("long", "sleep 600")
    room.project("short", "echo run after all")
    first = room.start("long")
    room.log_until(first, "Running command sleep 600")

    assert room.runner is not None
    room.runner.kill()
    room.runner.wait(30)
    lost = room.ended(first)
    assert lost["buildStatus"] == "FAULT"
    assert phases(lost)["BUILD"] == "FAULT"
    code, message = context(lost, "BUILD")
    assert code == "INTERNAL_SERVICE_ERROR"
    assert "the labs' runner ended" in message.lower()

    queued = room.start("short")
    assert room.build(queued)["buildStatus"] == "IN_PROGRESS"
    room.start_runner()
    assert room.ended(queued)["buildStatus"] == "SUCCEEDED"
    deadline = time.monotonic() + build_room.PATIENCE
    while left_of(first) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_of(first) == []

    second = room.start("long")
    room.log_until(second, "Running command sleep 600")
    room.sandbox.process.kill()
    room.sandbox.process.wait(30)
    room.sandbox = sandbox_process.start(tmp_path)
    fault = room.ended(second)
    assert fault["buildStatus"] == "FAULT"
    assert context(fault, "BUILD")[1] == f"{work.RESTARTED} {AGAIN}"
    while left_of(second) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_of(second) == []
    assert room.run("short")["buildStatus"] == "SUCCEEDED"

    third = room.start("long")
    room.log_until(third, "Running command sleep 600")
    room.stop_runner()
    ended = room.build(third)
    assert ended["buildStatus"] == "FAULT"
    assert phases(ended)["BUILD"] == "FAULT"
    for phase in ("BUILD", "FINALIZING"):
        code, message = context(ended, phase)
        assert code == "INTERNAL_SERVICE_ERROR"
        assert message == f"The build was ended: the labs were stopped while it ran. {AGAIN}"
    assert left_of(third) == []
    room.sandbox.stop()
