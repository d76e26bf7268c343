"""`labs class` says who is where, who does not move, and how long exercises take."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.cli import main as cli
from labs_helpers.curriculum import LABS
from labs_helpers.progress.journal import SCHEMA, VERSION
from tests.classroom.rooms import class_of, journal, quick, stuck


def seen(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert cli.main(["class", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_each_learner_has_a_state_and_the_exercise_that_is_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = seen(capsys, "--homes", str(class_of(tmp_path)))
    states = {one["name"]: (one["state"], one["exercise"]) for one in found["learners"]}
    assert states == {
        "ada": ("does not move", "05.2"),
        "ben": ("works", "06.1"),
        "cem": ("quiet", "05.2"),
        "dee": ("not begun", None),
    }
    ada = found["learners"][0]
    assert (ada["tries"], ada["hints"], round(ada["minutes_not_moved"])) == (2, 1, 25)
    assert ada["labs"]["05"]["exercises"] == {"05.1": "done", "05.2": "tried"}


def test_minutes_of_an_exercise_are_those_of_all_who_did_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = seen(capsys, "--homes", str(class_of(tmp_path)))
    # ada 8 minutes, ben 3, cem 4; only ben did 05.2, and so the whole lab
    assert found["exercises"]["05.1"] == {"learners": 3, "median": 4.0, "longest": 8.0}
    assert found["exercises"]["05.2"] == {"learners": 1, "median": 3.0, "longest": 3.0}
    assert found["labs"]["05"] == {"printed": 30, "learners": 1, "median": 6.0, "longest": 6.0}


def test_the_table_says_it_in_plain_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["class", "--homes", str(class_of(tmp_path))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["learner", *LABS, "next", "state"]
    assert lines[2].split(maxsplit=3) == ["ada", "1/2", "05.2", "does not move, 25 min"]
    assert lines[3].split() == ["ben", "done", "06.1", "works"]
    assert "  ada: 05.2, 2 tries, 1 hint; moved 25 min ago, active 2 min ago" in lines
    assert "dee: no lab was opened yet" in lines


def test_a_learner_who_is_gone_for_an_hour_is_away_and_one_who_did_all_is_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = journal(tmp_path / "eve" / ".labs", [(90, "05", "opened", "", "")])
    found = seen(capsys, "--homes", str(tmp_path))
    assert [one["state"] for one in found["learners"]] == ["away"]
    assert "Not moved" not in gone.read_text()


def test_a_home_may_be_named_itself_and_a_folder_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal(tmp_path / "h1", quick())
    assert [one["name"] for one in seen(capsys, "--homes", str(tmp_path))["learners"]] == ["h1"]
    assert cli.main(["class", "--homes", str(tmp_path / "none")]) == 1
    assert "Cannot read" in capsys.readouterr().err
    assert cli.main(["class"]) == 1
    assert "Where are the learners?" in capsys.readouterr().err


HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202egnp"


def line(**fields: Any) -> str:
    at = fields.pop("at", datetime.now(UTC).isoformat())
    head = {"__timestamp__": at, "__schema__": SCHEMA, "__schema_version__": VERSION}
    return json.dumps({**head, "lab": "05", "event": "opened", **fields})


def test_a_hostile_name_is_shown_and_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal(tmp_path / HOSTILE / ".labs", stuck())
    assert cli.main(["class", "--homes", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "<img src=x onerror=alert(1)>?[31m?gnp" in shown
    assert not set("\x1b\u202e") & set(shown)
    file = tmp_path / "page.html"
    assert cli.main(["class", "--homes", str(tmp_path), "--page", str(file)]) == 0
    page = file.read_text()
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img" not in page


@pytest.mark.parametrize(
    "odd",
    [
        "{not json",
        "[]",
        "null",
        "[" * 100_000,
        line(lab="99"),
        line(lab="<b>"),
        line(event="rm -rf /"),
        line(event="check", part="05.1<script>", outcome="passed"),
        line(event="check", part="05.1", outcome="\x1b[31mpassed"),
        line(event="check", part="06.1", outcome="passed"),
        line(event=["opened"]),
        line(at="yesterday"),
        line(at="0001-01-01T00:00:00+23:59"),
        line(at="2026-01-01T00:00:00"),
    ],
)
def test_a_damaged_line_is_left_out_and_said(
    odd: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = journal(tmp_path / "ada" / ".labs", quick())
    with file.open("a") as opened:
        opened.write(odd + "\n\xff\n")
    (ada,) = seen(capsys, "--homes", str(tmp_path))["learners"]
    assert (ada["state"], ada["notes"]) == ("works", ["2 damaged lines left out"])


def test_times_of_the_future_are_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = journal(tmp_path / "ada" / ".labs", quick())
    later = (datetime.now(UTC) + timedelta(days=400)).isoformat()
    with file.open("a") as opened:
        opened.write(line(at=later, lab="06", event="check", part="06.1", outcome="passed") + "\n")
    (ada,) = seen(capsys, "--homes", str(tmp_path))["learners"]
    assert ada["notes"] == ["1 event from the future left out: a wrong clock?"]
    assert (ada["exercise"], ada["labs"]["06"]["exercises"]["06.1"]) == ("06.1", "open")


def a_link(file: Path) -> None:
    elsewhere = file.parents[4] / "secret"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


def a_linked_folder(file: Path) -> None:
    elsewhere = file.parents[4] / "secret"
    file.parents[1].rename(elsewhere)
    file.parents[1].symlink_to(elsewhere)


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def a_huge_file(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(5_000_000_000)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (a_link, ".labs/progress/events.jsonl is a symbolic link, which is not followed"),
        (a_linked_folder, ".labs/progress/events.jsonl is a symbolic link, which is not followed"),
        (a_pipe, ".labs/progress/events.jsonl is not a regular file"),
        (a_huge_file, "has 5,000,000,000 bytes, more than a journal has"),
    ],
)
def test_a_file_that_is_no_journal_is_not_read(
    spoil: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    homes = tmp_path / "homes"
    spoil(journal(homes / "ada" / ".labs", quick()))
    (ada,) = seen(capsys, "--homes", str(homes))["learners"]
    assert ada["state"] == "not begun"
    assert said in ada["notes"][0]
