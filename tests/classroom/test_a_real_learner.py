"""A learner of lab 05 with a real sandbox and kernel, as an instructor's commands see them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labs_helpers import checks, workbook
from labs_helpers.classroom import sending
from labs_helpers.cli import main as cli
from labs_helpers.defaults import FRESH_START
from labs_helpers.errors import LabError
from labs_helpers.workspace import Workspace
from tests.classroom.rooms import journal, quick
from tests.kernels import Kernel, kernel_in
from tests.labs.commands import Commands

PROJECT = Path(__file__).parents[2]
START = 'from labs_helpers import start; lab = start("05")'


@dataclass
class Learner:
    """The learner's kernel and home, and the environment of the learner's terminal."""

    kernel: Kernel
    home: Path
    environ: dict[str, str]
    command: Path

    def labs(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.command, *arguments],
            env=self.environ,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )


@pytest.fixture(scope="module")
def learner(commands: Commands) -> Iterator[Learner]:
    project = Workspace(PROJECT / ".labs", PROJECT)
    with (
        tempfile.TemporaryDirectory(prefix="c", dir="/tmp") as homes,  # short, for a socket's path
        workbook.fresh(Path(homes, "ada"), project, **workbook.AS_COMMITTED) as given,
    ):
        environ = {name: given[name] for name in given if name not in FRESH_START}
        home = Path(environ["LABS_HOME"])
        # no workbook of this machine
        environ |= {"LABS_WORKBOOK": str(home / "my-labs"), "LABS_CLASS": str(home / "class")}
        with kernel_in(home, commands.for_bash(environ)) as kernel:
            kernel.run(START)
            kernel.run('lab.catch_up("05.1")')
            kernel.run('lab.check("05.2")')
            kernel.run('lab.hint("05.2")')
            yield Learner(kernel, home, environ, commands.folder / "labs")


def kept(learner: Learner) -> dict[str, bytes]:
    """The files with the learner's progress, and those that the lab's cells wrote."""
    folders = (learner.home / "progress", learner.home / "work")
    files = (one for folder in folders for one in sorted(folder.rglob("*")) if one.is_file())
    return {str(one): one.read_bytes() for one in files}


def test_a_check_from_a_terminal_says_what_the_notebook_says_and_notes_nothing(
    learner: Learner,
) -> None:
    before = kept(learner)
    ran = learner.labs("check", "05", "--json")
    found = json.loads(ran.stdout)
    assert (ran.returncode, found["passed"], found["error"]) == (1, False, None)
    (lab,) = found["labs"]
    states = {one["id"]: one["state"] for one in lab["checks"]}
    assert (lab["lab"], states["05.1"]) == ("05", "passed")
    assert states["05.2"] != "passed"
    assert kept(learner) == before
    (said,) = learner.kernel.run('lab.check("05.2")')
    assert said == lab["checks"][1]["says"]


def test_a_check_that_a_lab_stops_is_a_row_like_any_other(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    look = checks.run

    def stopped(check_id: str, world: Any) -> Any:
        if check_id == "05.1":
            raise LabError("git knows no commit HEAD.")
        return look(check_id, world)

    monkeypatch.setattr("labs_helpers.checks.run", stopped)
    with monkeypatch.context() as patched:
        for name, value in learner.environ.items():
            patched.setenv(name, value)
        assert cli.main(["check", "05", "--json"]) == 1
        first, second = json.loads(capsys.readouterr().out)["labs"][0]["checks"]
        assert (first["id"], first["state"]) == ("05.1", "could not look")
        assert first["says"] == "! 05.1  the check could not look\n  git knows no commit HEAD."
        assert second["state"] == "not attempted"
        assert cli.main(["check", "05"]) == 1
        assert first["says"] in capsys.readouterr().out


def test_all_checks_of_a_lab_pass_after_its_solutions(learner: Learner) -> None:
    learner.kernel.run("lab.catch_up()")
    ran = learner.labs("check", "5")
    assert (ran.returncode, ran.stdout.count("✓")) == (0, 2), ran.stdout + ran.stderr


def test_a_hint_handed_out_to_all_appears_below_the_next_cell_and_once(learner: Learner) -> None:
    place = Path(learner.environ["LABS_CLASS"])
    for given in (["--hint", "05.1", "--number", "2"], ["--sentence", "Break at $TEN, <b>ok</b>?"]):
        ran = learner.labs("class", "--homes", str(learner.home.parent), *given)
        assert (ran.returncode, ran.stdout.split(":")[0]) == (0, "Handed out"), ran.stderr
    hint, sentence = learner.kernel.run("1")[1:]
    assert hint.startswith("Your instructor says\n  hint 2 of 05.1\n  Twice: `--region eu-west-1`")
    assert sentence == "Your instructor says\n  Break at $TEN, <b>ok</b>?"
    assert learner.kernel.run("1") == ["1"]
    assert "eu-west-1" not in (place / "says.json").read_text()
    learner.labs("class", "--homes", str(learner.home.parent), "--take-back")
    assert json.loads((place / "says.json").read_text()) == {"handed_out": []}


def test_a_real_learner_is_in_the_room_and_what_is_sent_holds_no_secret(
    learner: Learner, tmp_path: Path
) -> None:
    ran = learner.labs("progress", "--send", str(tmp_path), "--as", "Ada", "--yes")
    assert ran.returncode == 0, ran.stderr
    room = json.loads(learner.labs("class", "--inbox", str(tmp_path), "--json").stdout)
    assert room["learners"][0]["labs"]["05"]["exercises"]["05.1"] == "shown"
    (sent,) = [one for one in tmp_path.iterdir() if one.suffix == ".json"]
    keys = json.loads((learner.home / "sandbox" / "learner.json").read_text()).values()
    assert [key for key in keys if key in sent.read_text()] == []
    learner.labs("progress", "--stop-sending")


def test_an_instructor_catches_one_learner_up_as_that_person(learner: Learner) -> None:
    learner.kernel.run("lab.restart()")
    homes = learner.home.parent
    said = learner.labs("class", "--homes", str(homes), "--catch-up", learner.home.name, "05.2")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("Done for you: 05.1, 05.2.")
    assert learner.labs("check", "05").returncode == 0
    owners = {one.stat().st_uid for one in learner.home.rglob("*")}
    assert owners == {learner.home.stat().st_uid}


@pytest.mark.parametrize(
    ("name", "part", "said"),
    [
        ("nobody", "05.1", "Nobody here is called 'nobody'."),
        ("ada", "05.7", "There is no exercise '05.7'. This lab has: 05.1, 05.2."),
        ("ada", "$(x)", "There is no exercise '$(x)'. An id looks like 05.1"),
    ],
)
def test_who_and_what_is_not_there_is_said(
    name: str, part: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal(tmp_path / "ada" / ".labs", quick())
    assert cli.main(["class", "--homes", str(tmp_path), "--catch-up", name, part]) == 1
    assert capsys.readouterr().err.startswith(said)


def test_nobody_acts_for_a_laptop_or_in_a_folder_of_somebody_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    sending.send(sending.agree(Workspace(tmp_path / "h"), str(inbox), "Ada"), [])
    assert cli.main(["class", "--inbox", str(inbox), "--reset", "Ada", "-y"]) == 1
    assert "Ada works on another machine" in capsys.readouterr().err
    home = journal(tmp_path / "homes" / "ben" / ".labs", quick()).parents[1]
    if os.geteuid() == 0:
        os.chown(home, 4321, 4321)
        assert cli.main(["class", "--homes", str(tmp_path / "homes"), "--reset", "ben", "-y"]) == 1
        assert "belongs to user 4321" in capsys.readouterr().err


@pytest.mark.parametrize("labs", [["05"], []])
def test_without_a_sandbox_a_check_says_so_and_starts_none(
    labs: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "h"))
    assert cli.main(["check", "--json", *labs]) == 1
    shown = capsys.readouterr()
    assert "The sandbox does not run" in shown.err
    assert "labs start" in json.loads(shown.out)["error"]
    assert not (tmp_path / "h").exists()
