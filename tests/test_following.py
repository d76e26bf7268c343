"""Outputs that follow the world, and what another lab removed, brought back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers import workbook
from labs_helpers.defaults import FRESH_START
from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.files import LabsError
from labs_helpers.following import Exercises, Following
from labs_helpers.workspace import Workspace
from tests.kernels import Kernel, kernel_in

PROJECT = Path(__file__).parents[1]


def test_an_exercise_ticks_once_and_the_looking_ends_with_the_last_one() -> None:
    world: set[str] = set()
    looked: list[str] = []
    done: list[str] = []

    def passes(one: str) -> bool:
        looked.append(one)
        return one in world

    exercises = Exercises(["05.1", "05.2"], passes, done.append)
    assert exercises.drawn().text == "○ 05.1   ○ 05.2"
    assert exercises.look() == (None, True)
    world.add("05.1")
    drawing, more = exercises.look()
    assert drawing is not None
    assert (drawing.text, more, done) == ("✓ 05.1   ○ 05.2", True, ["05.1"])
    world.clear()  # what passed once stays ticked, and is not looked at again
    looked.clear()
    assert exercises.look() == (None, True)
    assert looked == ["05.2"]
    world.add("05.2")
    drawing, more = exercises.look()
    assert drawing is not None
    assert (drawing.text, more, done) == ("✓ 05.1   ✓ 05.2", False, ["05.1", "05.2"])


def test_the_thread_ends_when_nothing_more_can_change() -> None:
    answers: Iterator[tuple[Rendering | None, bool]] = iter(
        [(None, True), (paragraph("one"), True), (paragraph("two"), False)]
    )
    shown: list[str] = []
    following = Following(lambda: next(answers), lambda one: shown.append(one.text), 0)
    following.start()
    following.join(60)
    assert not following.is_alive()
    assert shown == ["one", "two"]


def test_the_thread_ends_when_told_and_shows_nothing_more() -> None:
    looked, go_on = threading.Event(), threading.Event()
    shown: list[Rendering] = []

    def redraw() -> tuple[Rendering | None, bool]:
        looked.set()
        go_on.wait(60)
        return paragraph("late"), True

    following = Following(redraw, shown.append, 0)
    following.start()
    assert looked.wait(60)
    following.end()
    go_on.set()
    following.join(60)
    assert not following.is_alive()
    assert shown == []


@pytest.mark.parametrize("fault", [LabsError("The sandbox is not running.")])
def test_what_stops_the_looking_is_told(fault: Exception) -> None:
    shown: list[str] = []

    def redraw() -> tuple[Rendering | None, bool]:
        raise fault

    following = Following(redraw, lambda one: shown.append(one.text), 0)
    following.start()
    following.join(60)
    assert shown == ["The sandbox is not running."]


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    workspace = Workspace(PROJECT / ".labs", PROJECT)
    with workbook.fresh(None, workspace, **workbook.AS_COMMITTED) as given:
        environ = {name: given[name] for name in given if name not in FRESH_START}
        with kernel_in(Path(environ["LABS_HOME"]), environ) as made:
            made.run('from labs_helpers import start; lab = start("00")')
            yield made


MAKE = """
import boto3
boto3.client("ecr").create_repository(repositoryName="hello-labs")
"""


def test_a_learner_s_exercise_ticks_and_the_progress_too(kernel: Kernel) -> None:
    assert kernel.run('lab.follow("00.1")') == []  # nobody looks
    (shown,) = kernel.run("lab.progress()", somebody_looks=True)
    assert "○ 00.1" in shown
    assert kernel.run('lab.follow("00.1")', somebody_looks=True) == ["○ 00.1"]
    kernel.run(MAKE)
    changes = {kernel.changed().splitlines()[0], kernel.changed().splitlines()[0]}
    assert "✓ 00.1" in changes
    (shown,) = kernel.run("lab.progress()")
    assert "✓ 00.1" in shown
    assert kernel.run('lab.follow("00.1")', somebody_looks=True) == ["✓ 00.1"]
    (shown,) = kernel.run('lab.follow("00.7")', somebody_looks=True)
    assert shown == "There is no exercise '00.7'. This lab has: 00.1."


def test_what_another_lab_removed_comes_back_and_nothing_else_changes(kernel: Kernel) -> None:
    kernel.run('lab = start("05")')
    kernel.run('boto3.client("ecr").create_repository(repositoryName="mine")')
    assert kernel.run("lab.bring_back()") == [
        "Nothing to bring back: what this lab began with is there."
    ]
    kernel.run('start("06")')
    (card,) = kernel.run('lab = start("05")')
    notes = [
        line.removeprefix("  note").strip() for line in card.partition("  note")[2].splitlines()
    ]
    assert notes[:3] == [
        "this held when the lab began, and no longer; lab.bring_back() makes it so again, and "
        "changes nothing else:",
        "image demo-app:latest is built",
        "image demo-app:latest is tagged for demo-app-repo:latest",
    ]
    assert notes[3].startswith("lab 06 removed ")
    assert len(notes) == 4
    (shown,) = kernel.run("lab.bring_back()")
    assert shown == (
        "Back again: image demo-app:latest is built; "
        "image demo-app:latest is tagged for demo-app-repo:latest. "
        "What the lesson's cells had made, they make again."
    )
    (card,) = kernel.run('lab = start("05")')
    assert "bring_back" not in card
    (shown,) = kernel.run('boto3.client("ecr").describe_repositories()["repositories"].__len__()')
    assert shown == "3"  # hello-labs, demo-app-repo, mine


def test_a_moved_clock_stays_and_says_why(kernel: Kernel) -> None:
    (shown,) = kernel.run("lab.clock.reset()")
    assert shown.startswith("The sandbox clock shows real time")
    kernel.run("lab.clock.advance(hours=2)")
    (shown,) = kernel.run("lab.clock.reset()")
    assert shown.startswith("The sandbox clock is 2 hours ahead and stays so: it goes forward only")
