"""From StartBuild to the first line in the log, beside the parts that a build cannot do without."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from tests.sandbox.codebuild import build_room
from tests.sandbox.codebuild.build_room import Room

pytestmark = pytest.mark.bench

ROUNDS = 9


def timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def test_the_first_line_of_a_build_comes_within_half_a_second(tmp_path: Path) -> None:
    room = build_room.begin(tmp_path)
    try:
        room.project("bench", "true")
        room.run("bench")  # the models and moto's log groups are loaded now
        firsts = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            room.log_until(room.start("bench"), "[Container]")
            firsts.append(time.perf_counter() - began)
        parts = {
            "StartBuild": median(timed(lambda: room.start("bench")) for _ in range(3)),
            "a log stream and a line": median(timed(lambda n=n: line(room, n)) for n in range(3)),
            "a shell": median(
                timed(lambda: subprocess.run(["sh", "-c", "true"])) for _ in range(3)
            ),
        }
        print(f"\nfirst line {median(firsts):.3f} s; parts {parts}")
        assert median(firsts) < 0.5
    finally:
        room.stop_runner()
        room.sandbox.stop()


def line(room: Room, number: int) -> None:
    logs = room.client("logs")
    place = {"logGroupName": "/aws/codebuild/bench", "logStreamName": f"part-{number}"}
    logs.create_log_stream(**place)
    event = {"timestamp": int(time.time() * 1000), "message": "line"}
    logs.put_log_events(**place, logEvents=[event])
