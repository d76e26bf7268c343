"""catch_up brings a learner to just after an exercise, and says what it did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs_helpers import workbook
from labs_helpers.catch_up import CaughtUp, until
from labs_helpers.curriculum import LABS
from labs_helpers.defaults import FRESH_START
from labs_helpers.labs.exercises import exercises
from labs_helpers.progress.journal import Journal
from labs_helpers.progress.report import summaries
from labs_helpers.progress.summary import LabSummary
from labs_helpers.workspace import Workspace
from tests.kernels import Kernel, kernel_in
from tests.labs.commands import Commands

PROJECT = Path(__file__).parents[1]
NOTEBOOK = PROJECT / "notebooks" / LABS["05"].notebook


@contextmanager
def learner(commands: Commands) -> Iterator[tuple[Kernel, Path]]:
    """A new learner's kernel and workspace, with the clock and the docker of the outputs."""
    workspace = Workspace(PROJECT / ".labs", PROJECT)
    with workbook.fresh(None, workspace, **workbook.AS_COMMITTED) as given:
        environ = {name: given[name] for name in given if name not in FRESH_START}
        home = Path(environ["LABS_HOME"])
        with kernel_in(home, commands.for_bash(environ)) as kernel:
            yield kernel, home


def lab_of(home: Path, number: str) -> LabSummary:
    workspace = Workspace(home, PROJECT)
    listed = summaries(workspace, Journal(workspace).events())
    return next(lab for lab in listed if lab.number == number)


def states(home: Path, number: str) -> list[str]:
    return [part.state for part in lab_of(home, number).parts]


def start(number: str) -> str:
    return f'from labs_helpers import start; lab = start("{number}")'


def test_a_late_comer_gets_to_the_second_exercise_and_on(commands: Commands) -> None:
    with learner(commands) as (kernel, home):
        kernel.run(start("05"))
        *_, said = kernel.run('lab.catch_up("05.1")')
        assert said == "Done for you: 05.1. In your progress this counts as shown."
        assert states(home, "05") == ["shown", "open"]
        (verdict,) = kernel.run('lab.check("05.1")')
        assert verdict.startswith("✓ 05.1")

        (said,) = kernel.run('lab.catch_up("05.9")')
        assert said == "There is no exercise '05.9'. This lab has: 05.1, 05.2."
        (said,) = kernel.run("lab.catch_up(05.2)")
        assert said.startswith("An id is written in quotes, as in")

        *_, said = kernel.run("lab.catch_up()")
        assert "05.2" in said
        assert states(home, "05") == ["shown", "shown"]

        *_, said = kernel.run("lab.catch_up()")
        assert said == "Nothing to do: the check passes already."


def test_what_the_learner_did_stays_done_and_what_is_in_the_way_is_told(commands: Commands) -> None:
    with learner(commands) as (kernel, _):
        kernel.run(start("05"))
        kernel.run("lab.catch_up('05.1')")
        # an image of this name cannot be pushed: its repository is gone
        kernel.run("%%bash\naws ecr delete-repository --force --repository-name demo-app-repo")
        (*_, said) = kernel.run('lab.catch_up("05.2")')
        assert "The check of 05.2 does not pass yet. Cells that failed:" in said
        assert "  docker push" in said or "  aws ecr get-login-password" in said
        assert 'lab.restart()\n  lab.catch_up("05.2")' in said
        assert "05.2  not tried yet" in said or "✗ 05.2  not yet" in said  # what the check found
        assert "Gone, of what this lab began with: repository demo-app-repo" in said

        kernel.run("lab.restart()")
        *_, said = kernel.run('lab.catch_up("05.2")')
        assert said == "Done for you: 05.1, 05.2. In your progress this counts as shown."


def test_what_is_gone_of_the_beginning_is_made_first_and_said(commands: Commands) -> None:
    with learner(commands) as (kernel, _):
        kernel.run(start("05"))
        kernel.run("%%bash\naws ecr delete-repository --force --repository-name demo-app-repo")
        first, *_, said = kernel.run('lab.catch_up("05.1")')
        assert first == (
            "What was gone of the lab's beginning is back first: "
            "repository demo-app-repo exists, empty."
        )
        assert said == "Done for you: 05.1. In your progress this counts as shown."


def test_what_was_done_before_stays_done_and_what_runs_is_said_first(commands: Commands) -> None:
    with learner(commands) as (kernel, home):
        kernel.run(start("05"))
        for cell in until(NOTEBOOK, "05.1", lambda _: False):  # as the learner does
            kernel.run(cell.source)
        kernel.run('lab.check("05.1")')
        kernel.run("%%bash\ndocker logout $ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com")
        first, *_, said = kernel.run("lab.catch_up()")
        every = len(until(NOTEBOOK, "05.2", lambda _: False))
        assert first == (
            f"All {every} cells up to the check of 05.2 run for you. What they make is made again, "
            "also what you deleted."
        )
        assert said == (
            "Done for you: 05.1, 05.2. In your progress 05.1 stays done, as you did it before; "
            "05.2 counts as shown."
        )
        assert states(home, "05") == ["done", "shown"]


def test_an_error_that_a_lesson_expects_looks_like_no_failure(commands: Commands) -> None:
    expected = [cell for cell in until(NOTEBOOK, "05.2", lambda _: False) if cell.may_fail]
    assert expected  # the lesson shows what is refused
    with learner(commands) as (kernel, _):
        kernel.run(start("05"))
        shown = kernel.run("lab.catch_up()")
        first, running, said = shown
        assert first.startswith("All ")
        assert running == "The first cell runs ..."
        assert said == "Done for you: 05.1, 05.2. In your progress this counts as shown."
        (error,) = kernel.run("1 / 0")  # the learner's own errors are shown as ever
        assert "ZeroDivisionError" in error


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (set(), "In your progress this counts as shown."),
        ({"05.2"}, "In your progress 05.2 stays done, as you did it before; 05.1 counts as shown."),
        ({"05.1", "05.2"}, "In your progress 05.1, 05.2 stays done, as you did it before."),
        (None, ""),
    ],
)
def test_what_is_said_of_the_progress_is_what_the_progress_says(
    done: set[str] | None, said: str
) -> None:
    shown = CaughtUp(("05.1", "05.2"), ()).drawn(done).text
    assert shown == f"Done for you: 05.1, 05.2. {said}".strip()


def test_a_cell_that_failed_on_the_way_is_told() -> None:
    told = CaughtUp(("05.1",), ("docker push: no",)).drawn().text
    assert told.endswith("These cells failed meanwhile: docker push: no.")


def test_the_run_begins_after_the_last_exercise_that_passes() -> None:
    everything = until(NOTEBOOK, "05.2", lambda _: False)
    after = until(NOTEBOOK, "05.2", lambda one: one == "05.1")
    assert [cell.exercise for cell in everything if cell.exercise] == ["05.1", "05.2"]
    assert [cell.exercise for cell in after if cell.exercise] == ["05.2"]
    assert everything[-len(after) :] == after
    assert until(NOTEBOOK, "05.1", lambda one: one == "05.1") == []


def test_nothing_that_only_shows_is_run() -> None:
    for number, lab in LABS.items():
        notebook = PROJECT / "notebooks" / lab.notebook
        for cell in until(notebook, list(exercises(notebook))[-1], lambda _: False):
            assert "lab.check(" not in cell.source, number
            assert "start(" not in cell.source, number


@pytest.mark.soak
@pytest.mark.parametrize("number", [number for number in LABS if number != "05"])
def test_every_lab_can_be_caught_up_with(number: str, commands: Commands) -> None:
    with learner(commands) as (kernel, home):
        kernel.run(start(number))
        *_, said = kernel.run("lab.catch_up()")
        assert said.startswith("Done for you: "), said
        assert set(states(home, number)) == {"shown"}


def test_cells_between_an_exercise_and_its_check_belong_to_it() -> None:
    notebook = PROJECT / "notebooks" / LABS["04"].notebook
    cells = until(notebook, "04.2", lambda one: one == "04.1")
    assert cells[-2].source.startswith("%%bash\n# solution")
    assert "lab.clock.advance(days=7)" in cells[-1].source
    assert [cell.exercise for cell in cells] == [""] * (len(cells) - 1) + ["04.2"]
