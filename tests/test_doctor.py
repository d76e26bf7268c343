"""`labs doctor`: what it finds, how to fix it, and when it says that the labs cannot run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from labs_helpers.cli import main as cli
from labs_helpers.workspace import Workspace


def test_doctor_names_what_is_missing_and_how_to_mend_it(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labs_helpers.cli.needs.shutil.which", lambda *_, **__: None)
    assert cli.main(["doctor", "--json"]) == 1
    found = {need["name"]: need for need in json.loads(capsys.readouterr().out)}
    assert found["aws"]["state"] == "missing"
    assert "make lab" in found["aws"]["fix"]
    assert found["python"]["state"] == "ok"


def test_doctor_finds_a_configuration_that_aws_cannot_read(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.aws_credentials.write_text("half of")
    assert cli.main(["doctor", "--json"]) == 0
    found = {need["name"]: need for need in json.loads(capsys.readouterr().out)}
    assert found["aws"]["state"] == "warning"
    assert str(workspace.aws_credentials) in found["aws"]["found"]
    assert "labs configure" in found["aws"]["fix"]


def test_doctor_names_a_workbook_that_cannot_be_written(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABS_WORKBOOK", "/proc/course")
    access = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda path, *rest, **more: path != Path("/proc") and access(path, *rest, **more),
    )
    assert cli.main(["doctor", "--json"]) == 0
    found = {need["name"]: need for need in json.loads(capsys.readouterr().out)}
    assert found["workbook"]["state"] == "warning"
    assert "/proc/course" in found["workbook"]["found"]
    assert "LABS_WORKBOOK" in found["workbook"]["fix"]


def test_doctor_names_a_port_that_is_none_once(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABS_PORT", "abc")
    assert cli.main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [need["name"] for need in found if need["state"] != "ok"] == ["port"]


def test_doctor_ends_well_when_the_labs_can_run(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor"]) == 0
    assert "✓ ok" in capsys.readouterr().out
