"""A learner of lab 05 with a real sandbox and kernel, as an instructor's commands see them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from labs_helpers import workbook
from labs_helpers.cli import main as cli
from labs_helpers.defaults import FRESH_START
from labs_helpers.workspace import Workspace
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
            timeout=120,
        )


@pytest.fixture(scope="module")
def learner(commands: Commands) -> Iterator[Learner]:
    project = Workspace(PROJECT / ".labs", PROJECT)
    with workbook.fresh(None, project, **workbook.AS_COMMITTED) as given:
        environ = {name: given[name] for name in given if name not in FRESH_START}
        home = Path(environ["LABS_HOME"])
        # no workbook of this machine
        environ |= {"LABS_WORKBOOK": str(home / "my-labs")}
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


def test_all_checks_of_a_lab_pass_after_its_solutions(learner: Learner) -> None:
    learner.kernel.run("lab.catch_up()")
    ran = learner.labs("check", "5")
    assert (ran.returncode, ran.stdout.count("✓")) == (0, 2), ran.stdout + ran.stderr


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
