"""Where the workbook is, who works in it, and that git finds no repository there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from labs_helpers import modes
from labs_helpers.learners_copy import opening
from labs_helpers.learners_copy.place import folder
from labs_helpers.workspace import WORKBOOK_RECORD, WORKS_IN, Workspace


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "notebooks").mkdir(parents=True)
    (made / "pyproject.toml").touch()
    return made


@pytest.fixture
def workbook(project: Path) -> Path:
    made = project / "my-labs"
    (made / "05-log-in").mkdir(parents=True)
    (made / WORKBOOK_RECORD).mkdir()
    return made


def test_the_workbook_is_beside_the_notebooks(project: Path) -> None:
    assert folder(Workspace(project / ".labs", project), {}) == project / "my-labs"


def test_labs_workbook_names_another_folder(project: Path, tmp_path: Path) -> None:
    workspace = Workspace(project / ".labs", project)
    assert folder(workspace, {"LABS_WORKBOOK": "/course"}) == Path("/course")
    assert folder(workspace, {"LABS_WORKBOOK": "course"}, tmp_path) == tmp_path / "course"
    assert folder(workspace, {"LABS_WORKBOOK": "~/course"}) == Path.home() / "course"


def test_on_a_hub_the_workbook_is_in_the_home(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(project / ".labs", project)
    assert folder(workspace, {"JUPYTERHUB_USER": "ada"}) == Path.home() / "my-labs"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert folder(workspace, {}) == Path.home() / "my-labs"


def test_who_works_in_the_workbook_has_a_lab_s_files_beside_its_notebook(
    project: Path, workbook: Path, tmp_path: Path
) -> None:
    for cwd in (workbook, workbook / "05-log-in"):
        found = Workspace.find({}, cwd, project / "labs_helpers")
        assert found.work("05") == workbook / "05-log-in"
        assert found.work("00") == workbook
    moved = Workspace.find({WORKS_IN: str(workbook)}, tmp_path, project / "labs_helpers")
    assert moved.work("05") == workbook / "05-log-in"


@pytest.mark.parametrize("place", ["", "notebooks", ".labs/runs/today/notebooks"])
def test_elsewhere_a_lab_s_files_are_in_labs_home(
    project: Path, workbook: Path, place: str
) -> None:
    cwd = project / place
    cwd.mkdir(parents=True, exist_ok=True)
    found = Workspace.find({"LABS_WORKBOOK": str(workbook)}, cwd, project / "labs_helpers")
    assert found.work("05") == project / ".labs" / "work" / "05"


def test_git_finds_no_repository_in_a_lab_s_folder_and_the_project_s_own_outside(
    project: Path, workbook: Path
) -> None:
    workspace = Workspace(project / ".labs", project)
    workspace.enter("05")
    given = modes.environment(workspace, 4566, os.environ).applied(os.environ)

    def git(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-C", str(place), *arguments]
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False)

    assert git(project, "init").returncode == 0
    for place in (workbook / "05-log-in", workspace.work("05")):
        assert "not a git repository" in git(place, "log").stderr
    assert git(project / "notebooks", "status").returncode == 0
    # a repository of the learner's own
    assert git(workbook / "05-log-in", "init").returncode == 0
    assert git(workbook / "05-log-in", "status").returncode == 0


def test_opening_the_workbook_changes_nothing_in_git() -> None:
    root = Path(__file__).parents[2]
    ignored = ["git", "check-ignore", "my-labs/05-log-in/05-log-in.ipynb", "my-labs/.labs-copy"]
    assert subprocess.run(ignored, cwd=root, capture_output=True, check=False).returncode == 0


def test_a_workbook_that_is_opened_is_known(project: Path) -> None:
    workspace = Workspace(project / ".labs", project).create()
    made = opening.up_to_date(workspace, print, {}, lambda *_: set())
    assert Workspace.find({}, made, project / "labs_helpers").workbook == made
