"""A build that takes too much, or too long, is ended with the reason."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from labs_helpers.runner.watch import Limits, Watch

PATIENCE = 60.0


@dataclass
class Commands:
    """The commands of a build that has some processes."""

    processes: list[int] = field(default_factory=lambda: [os.getpid()])
    killed: bool = False

    def members(self) -> list[int]:
        return self.processes

    def kill(self) -> None:
        self.killed = True


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(free=1 << 60), "The build filled the disk"),
        (Limits(processes=0), "more than 0 processes"),
        (Limits(memory=1), "MiB of memory, and was ended"),
    ],
)
def test_too_much_ends_the_build_with_the_reason(tmp_path: Path, limits: Limits, said: str) -> None:
    commands, reasons, ended = Commands(), list[str](), threading.Event()

    def give_up(why: str) -> None:
        reasons.append(why)
        ended.set()

    until = time.monotonic() + 10 * PATIENCE
    watch = Watch(lambda: commands, tmp_path, limits, give_up, until, ended.set)
    try:
        assert ended.wait(PATIENCE)
    finally:
        watch.close()
    assert said in reasons[0]
    assert commands.killed


def test_a_build_that_hangs_is_ended_when_its_time_is_over(tmp_path: Path) -> None:
    timed_out = threading.Event()
    watch = Watch(Commands, tmp_path, Limits(), lambda why: None, time.monotonic(), timed_out.set)
    try:
        assert timed_out.wait(PATIENCE)
    finally:
        watch.close()
