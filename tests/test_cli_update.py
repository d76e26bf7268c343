"""`labs update` and what `labs lab` tells JupyterLab."""

from __future__ import annotations

import pytest

from labs_helpers.cli import lab
from labs_helpers.cli import main as cli
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
