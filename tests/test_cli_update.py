"""`labs update` and what `labs lab` tells JupyterLab."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs_helpers.cli import lab
from labs_helpers.cli import main as cli
from labs_helpers.progress.journal import Journal
from labs_helpers.workspace import Workspace


def test_update_lays_out_the_workbook_and_prints_its_folder(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = workspace.home.parent / "course"
    monkeypatch.setenv("LABS_WORKBOOK", str(book))
    for said in ("files laid out.", ""):
        assert cli.main(["update"]) == 0
        printed = capsys.readouterr()
        assert printed.out == f"{book}\n"
        assert said in printed.err
    assert (book / "00-start-here.ipynb").is_file()
    assert (book / "06-build" / "Dockerfile").is_file()


def test_update_names_a_project_that_is_no_workbook(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABS_WORKBOOK", str(workspace.notebooks))
    assert cli.main(["update"]) == 1
    assert "export LABS_WORKBOOK=" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("extra", "left"),
    [
        ([], True),
        (["--port", "8890"], True),
        (["--ServerApp.root_dir=notebooks"], False),
        (["--notebook-dir=notebooks"], False),
    ],
)
def test_a_folder_that_the_learner_names_is_opened_instead(extra: list[str], left: bool) -> None:
    assert lab.names_no_folder(extra) is left


def test_jupyterlab_opens_the_lab_that_was_worked_in_last(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "05-log-in").mkdir()
    (tmp_path / "05-log-in" / "05-log-in.ipynb").touch()
    assert lab.begins_at(workspace, tmp_path, []) == []
    Journal(workspace).add("opened", "05")
    begin = "--LabApp.default_url=/lab/tree/05-log-in/05-log-in.ipynb"
    assert lab.begins_at(workspace, tmp_path, ["--no-browser"]) == [begin]
    assert lab.begins_at(workspace, tmp_path, ["--LabApp.default_url=/lab"]) == []
    Journal(workspace).add("opened", "06")  # whose notebook the learner has removed
    assert lab.begins_at(workspace, tmp_path, []) == []


def test_a_second_labs_lab_prints_the_address_of_the_first(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = "http://127.0.0.1:8888/lab?token=secret"
    monkeypatch.setattr(lab.running, "address", lambda folder, workspace: there)
    assert cli.main(["lab"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{there}\n"
    assert "Your workbook is open already" in printed.err
