"""What CodeBuild adds to a build: its time is over, its phases are told, its files go elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.buildspec import Build, Result
from labs_helpers.buildspec.artifacts import NoArtifacts
from labs_helpers.buildspec.model import Artifacts
from tests.buildspec.builds import prepare

HANGS = "{version: 0.2, phases: {pre_build: {commands: [sleep 600]}, post_build: {commands: [ls]}}}"


def end_once_it_runs(build: Build, log: Any, end: str, *why: str) -> Result:
    """Run a build, and end it as soon as its command runs."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(build.run()))
    thread.start()
    while "Running command sleep 600" not in "".join(log.written):
        threading.Event().wait(0.01)
    getattr(build, end)(*why)
    thread.join(60)
    return results[0]


@pytest.mark.parametrize(
    ("end", "why", "status", "code", "message"),
    [
        ("stop", (), "STOPPED", "", ""),
        ("time_out", (), "TIMED_OUT", "BUILD_TIMED_OUT", "Build has timed out."),
        ("give_up", ("too big",), "FAILED", "COMMAND_EXECUTION_ERROR", "too big"),
    ],
)
def test_an_early_end_is_the_status_of_build_and_phase(
    tmp_path: Path, end: str, why: tuple[str, ...], status: str, code: str, message: str
) -> None:
    build, log = prepare(tmp_path, HANGS)
    result = end_once_it_runs(build, log, end, *why)
    assert result.status == status
    last = result.phases[-1]
    assert (last.type, last.status) == ("PRE_BUILD", status)
    assert (last.context.status_code, last.context.message) == (code, message)


def test_phases_are_told_as_they_begin_and_end(tmp_path: Path) -> None:
    told: list[str] = []
    text = "{version: 0.2, phases: {build: {commands: [exit 1]}}}"
    build, _ = prepare(
        tmp_path,
        text,
        begins=lambda phase: told.append(f"{phase} begins"),
        ends=lambda phase: told.append(f"{phase.type} {phase.status}"),
    )
    build.run()
    assert told[:2] == ["DOWNLOAD_SOURCE begins", "DOWNLOAD_SOURCE SUCCEEDED"]
    assert told[6:10] == [
        "BUILD begins",
        "BUILD FAILED",
        "POST_BUILD begins",
        "POST_BUILD SUCCEEDED",
    ]


def test_artifacts_go_where_deliver_takes_them_and_its_refusal_fails_the_upload(
    tmp_path: Path,
) -> None:
    taken: dict[str, list[str]] = {}

    def deliver(
        name: str, output: Artifacts, files: Mapping[str, Path], variables: Mapping[str, str]
    ) -> list[Path]:
        if name:
            raise NoArtifacts("no such output")
        taken[output.name] = [
            f"{path}: {file.path.read_text().strip()}" for path, file in files.items()
        ]
        return []

    text = """
version: 0.2
phases: {build: {commands: [echo made > out.txt]}}
artifacts:
  name: release
  files: [out.txt]
  secondary-artifacts: {other: {files: [out.txt]}}
"""
    build, _ = prepare(tmp_path, text, deliver=deliver)
    result = build.run()
    assert taken == {"release": ["out.txt: made"]}
    assert result.status == "FAILED"
    assert result.phases[-1].context.message == "no such output"
    assert not (tmp_path / "out").exists()
