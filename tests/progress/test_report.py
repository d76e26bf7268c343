"""The list of labs leads to the exercise that is next, at the exercise's heading."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from labs_helpers.labs.exercises import exercises
from labs_helpers.progress.journal import Event
from labs_helpers.progress.report import report
from labs_helpers.workspace import Workspace

PROJECT = Path(__file__).parents[2]


def test_the_link_to_go_on_leads_to_the_heading_of_the_exercise(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, PROJECT)
    done = Event(datetime.now(UTC), "05", "check", "05.1", "passed")
    shown = report(workspace, [done], "05")
    heading = exercises(PROJECT / "notebooks" / "05-log-in.ipynb")["05.2"].heading
    assert heading.startswith("Your turn")
    anchor = heading.replace(" ", "-")
    assert f'<a href="05-log-in.ipynb#{anchor}">exercise 05.2</a>' in shown.html
    assert "Go on with exercise 05.2 in 05-log-in.ipynb" in shown.text


def test_every_exercise_has_a_heading_of_its_own() -> None:
    for notebook in sorted((PROJECT / "notebooks").glob("[0-9]*.ipynb")):
        headings = [one.heading for one in exercises(notebook).values()]
        assert all(headings), notebook.name
        assert len(set(headings)) == len(headings), (notebook.name, headings)


def test_no_word_of_the_heading_breaks_in_a_narrow_window(tmp_path: Path) -> None:
    shown = report(Workspace(tmp_path, PROJECT), [])
    assert '<th scope="col" style="text-align:right;white-space:nowrap">minutes</th>' in shown.html
