"""What the labs add to a notebook's kernel, in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.jupyter import folders
from labs_helpers.labs.questions import questions
from labs_helpers.progress.journal import Journal
from labs_helpers.workspace import Workspace
from tests.kernels import Kernel, kernel_in

INSTALL = """
from labs_helpers import kernel
from labs_helpers.progress.journal import Journal
from labs_helpers.workspace import Workspace
kernel.install("05", Journal(Workspace.find()))
"""
(PREDICTION,) = [one for one in questions("05").values() if one.id == "05.p1"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labs")


@pytest.fixture(scope="module")
def kernel(home: Path) -> Iterator[Kernel]:
    with kernel_in(home) as opened:
        assert opened.run(INSTALL) == []
        yield opened


def test_before_the_first_cell_lab_says_what_to_run(home: Path) -> None:
    Workspace(home).create()
    folders.place(Workspace(home))
    with kernel_in(home) as new:
        assert new.run("lab") == ["lab is not there yet: run the first cell of this notebook."]
        (said,) = new.run('lab.check("05.1")')
    assert said.startswith("lab is not there yet. Run the first cell")
    assert "Traceback" not in said


def journal(home: Path) -> Journal:
    return Journal(Workspace(home))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("%%bash\necho before\nfalse\n", ["before\n", "The cell ended with exit code 1."]),
        (
            "%%sh\nlabs-none 2>/dev/null\n",
            ["The cell ended with exit code 127: a command was not found."],
        ),
        ("%%bash\nkill -9 $$\n", ["The cell was stopped by signal 9."]),
        ("%%bash --no-raise-error\nexit 3\n", []),
        ("%%bash\necho fine\n", ["fine\n"]),
    ],
)
def test_a_shell_that_fails_says_how_it_ended(kernel: Kernel, cell: str, shown: list[str]) -> None:
    assert kernel.run(cell) == shown


ADVISED = """
from labs_helpers.errors import LabError
def advice(cell):
    if cell == "05-broken":
        raise LabError("The sandbox is not running.")
    return [f"{cell}: run lab.restart()"] if cell.startswith("05-") else []
kernel.help_after_failures(advice)
"""


def test_below_a_cell_that_fails_stands_what_to_run(tmp_path: Path) -> None:
    with kernel_in(tmp_path) as new:
        assert new.run(INSTALL + ADVISED) == []
        failed = "The cell ended with exit code 1."
        assert new.run("%%bash\nfalse", "05-10") == [failed, "05-10: run lab.restart()"]
        assert new.run("%%bash\nfalse", "of the learner's") == [failed]
        assert new.run("%%bash\nfalse", "05-broken") == [failed, "The sandbox is not running."]
        assert new.run("%%bash\ntrue", "05-10") == []
        assert new.run("raise LabError('Gone.')", "05-11") == ["Gone.", "05-11: run lab.restart()"]
        # a lab that begins says its own
        assert new.run(INSTALL) == []
        assert new.run("%%bash\nfalse", "05-10") == [failed]


def test_an_error_of_python_keeps_its_traceback(kernel: Kernel) -> None:
    (said,) = kernel.run("1 / 0")
    assert "ZeroDivisionError" in said
    assert "division by zero" in said
    assert "Traceback" in said


def test_a_prediction_is_compared_below_the_cell_that_shows_what_happens(
    kernel: Kernel, home: Path
) -> None:
    assert kernel.run("1", PREDICTION.shown_by) == ["1"]

    kernel.run(f'from labs_helpers.answers import keep; keep("{PREDICTION.id}", "a")')
    wrong = kernel.run("1", PREDICTION.shown_by)
    kernel.run(f'keep("{PREDICTION.id}", "{PREDICTION.right}")')
    # what a question asks the kernel for when the page is loaded again
    assert kernel.run(f'__import__("labs_helpers.answers").answers.kept("{PREDICTION.id}")') == [
        repr(PREDICTION.right)
    ]
    right = kernel.run("1", PREDICTION.shown_by)

    assert wrong == ["1", PREDICTION.judged("a").text]
    assert right == ["1", PREDICTION.judged(PREDICTION.right).text]
    assert kernel.run("1", "05-none") == ["1"]
    # run again later, the cell may show something else than in the lesson
    assert kernel.run("1", PREDICTION.shown_by) == ["1"]
    kept = [one.outcome for one in journal(home).events() if one.event == "predict"]
    assert kept == ["a", PREDICTION.right]


def test_a_cell_that_failed_or_was_interrupted_gives_no_verdict(kernel: Kernel) -> None:
    shown, failing = (one for one in questions("05").values() if one.id in ("05.p1", "05.p2"))
    if failing.may_fail:
        shown, failing = failing, shown
    assert shown.may_fail, "the lesson's docker pull is refused"
    for one in (shown, failing):
        kernel.run(
            f'lab_answers = __import__("labs_helpers.answers").answers; '
            f'lab_answers.keep("{one.id}", "{one.right}")'
        )
    waits = "import time; print('begun', flush=True)\nwhile True: time.sleep(0.1)"
    for cell in (
        waits,
        "%%bash\necho begun\nsleep 600\n",
        "%%bash --no-raise-error\necho begun\nsleep 600\n",
    ):
        for one in (shown, failing):
            said = "\n".join(kernel.run(cell, one.shown_by, interrupted_at="begun"))
            assert "You predicted" not in said, cell
    assert kernel.run("%%bash\nfalse", failing.shown_by) == ["The cell ended with exit code 1."]
    assert kernel.run("1", failing.shown_by) == ["1", failing.judged(failing.right).text]
    *_, said = kernel.run("%%bash\nfalse", shown.shown_by)
    assert said == shown.judged(shown.right).text


def test_a_verdict_waits_for_the_cells_that_make_what_is_shown(kernel: Kernel, home: Path) -> None:
    (one,) = [one for one in questions("05").values() if one.after]
    kernel.run(f'from labs_helpers.answers import keep; keep("{one.id}", "{one.right}")')
    early, verdict = one.too_early().text, one.judged(one.right).text
    assert kernel.run("1", one.shown_by) == ["1", early]
    kernel.run("%%bash\nfalse", one.after[0])
    assert kernel.run("1", one.shown_by) == ["1", early]
    kernel.run("2", one.after[0])
    journal(home).add("restarted", "05")
    assert kernel.run("1", one.shown_by) == ["1", early]
    kernel.run("2", one.after[0])
    assert kernel.run("1", one.shown_by) == ["1", verdict]
    assert kernel.run("1", one.shown_by) == ["1"]


def test_installing_again_compares_once(kernel: Kernel) -> None:
    kernel.run(INSTALL)
    kernel.run(f'from labs_helpers.answers import keep; keep("{PREDICTION.id}", "a")')
    assert kernel.run("1", PREDICTION.shown_by) == ["1", PREDICTION.judged("a").text]


def test_a_letter_that_is_no_choice_is_not_kept(kernel: Kernel, home: Path) -> None:
    before = len(journal(home).events())
    (said,) = kernel.run(f'from labs_helpers.answers import keep; keep("{PREDICTION.id}", "z")')
    assert "There is no choice 'z'" in said
    assert len(journal(home).events()) == before


def test_running_cells_is_noted_as_activity_once_a_minute(kernel: Kernel, home: Path) -> None:
    for _ in range(5):
        kernel.run("1")
    noted = [one for one in journal(home).events() if one.event == "active"]
    # at the most one for each time that the hook was installed: the tests take under a minute
    assert 1 <= len(noted) <= 2
    assert {one.lab for one in noted} == {"05"}


def test_a_journal_that_cannot_be_written_stops_no_cell(kernel: Kernel, home: Path) -> None:
    path = Workspace(home).progress
    aside = path.with_name("aside")
    path.rename(aside)
    path.mkdir()
    try:
        kernel.run(INSTALL)
        shown = kernel.run("1 + 1")
    finally:
        path.rmdir()
        aside.rename(path)
    assert shown[0] == "2"
    assert "The labs cannot keep your progress. Cannot write" in shown[1]
