"""`labs build`, as a learner types the command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from labs_helpers.cli import main as cli

SPEC = """\
version: 0.2
phases:
  build:
    commands:
      - echo "stage $STAGE"
      - echo made > made.txt
artifacts:
  files: made.txt
"""
COMMAND = (sys.executable, "-m", "labs_helpers.cli", "build")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The learner's folder, in an environment that reaches a sandbox which no build here asks."""
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    Path("buildspec.yml").write_text(SPEC)
    return tmp_path / "app"


def test_a_build_prints_its_log_and_copies_its_artifacts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["build", "--env", "STAGE=test"]) == 0
    shown = capsys.readouterr().out
    assert re.search(
        r"^\[Container\] \d{4}/\d\d/\d\d [\d:.]{15} Entering phase BUILD$", shown, re.M
    )
    assert "\nstage test\n" in shown
    assert shown.endswith("\nthe build SUCCEEDED\nartifact artifacts/made.txt\n")
    assert (folder / "artifacts" / "made.txt").read_text() == "made\n"
    assert sorted(path.name for path in folder.iterdir()) == ["artifacts", "buildspec.yml"]
    assert list((folder.parent / "home" / "builds").iterdir()) == []


def test_a_failed_build_ends_with_1_and_names_old_artifacts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["build"])
    Path("buildspec.yml").write_text(SPEC.replace("echo made > made.txt", "exit 4"))
    assert cli.main(["build"]) == 1
    ending = "the build FAILED\nwhat is in artifacts is not of this build\n"
    assert capsys.readouterr().err == ending


def test_a_wrong_buildspec_fails_as_on_aws_and_is_explained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("buildspec.yml").write_text("version: 0.2\nphases:\n  prebuild: {}\n")
    assert cli.main(["build"]) == 1
    shown = capsys.readouterr().out
    assert "Phase complete: DOWNLOAD_SOURCE State: FAILED" in shown
    assert "status code: YAML_FILE_ERROR Message: Invalid buildspec phase name: prebuild." in shown
    assert "[labs] buildspec.yml: line 3: phases/prebuild: " in shown
    assert "Did you mean pre_build?" in shown


def test_a_missing_buildspec_is_told_in_codebuilds_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["build", "--buildspec", "ci/none.yml"]) == 1
    shown = capsys.readouterr().out
    assert "YAML_FILE_ERROR Message: YAML file does not exist" in shown
    assert "--buildspec" in shown


def test_check_reads_and_runs_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["build", "--check"]) == 0
    assert "1 phases, 2 commands, nothing is wrong" in capsys.readouterr().out
    Path("buildspec.yml").write_text("version: 0.2\n")
    assert cli.main(["build", "--check"]) == 1
    assert "line 1: phases: this key is required" in capsys.readouterr().out
    assert not (folder / "artifacts").exists()


def test_artifacts_never_go_over_the_source(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["build", "--artifacts", "."]) == 1
    assert "--artifacts" in capsys.readouterr().err


@pytest.mark.parametrize("check", [[], ["--check"]])
@pytest.mark.parametrize("name", ["../outside.yml", "link.yml", "{parent}/outside.yml", ".."])
def test_a_buildspec_outside_the_source_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, check: list[str]
) -> None:
    (folder.parent / "outside.yml").write_text(SPEC)
    Path("link.yml").symlink_to("../outside.yml")
    name = name.format(parent=folder.parent)
    assert cli.main(["build", "--buildspec", name, *check]) == 1
    shown = capsys.readouterr()
    assert f"--buildspec {name} is not within the source, {folder}." in shown.err
    assert shown.out == ""


def test_a_buildspec_within_the_source_may_be_named_by_its_whole_path(folder: Path) -> None:
    assert cli.main(["build", "--check", "--buildspec", str(folder / "buildspec.yml")]) == 0


@pytest.mark.parametrize("wrong", ["A", "1A=x", "A B=x", "=x"])
def test_a_variable_without_name_or_value_is_a_wrong_argument(folder: Path, wrong: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["build", "--env", wrong])
    assert ended.value.code == 2


@pytest.mark.parametrize("module", ["labs_helpers.sandbox.server", "labs_helpers.engine"])
def test_a_server_that_a_build_started_outlives_the_build(folder: Path, module: str) -> None:
    pid = folder.parent / "pid"
    Path("server.py").write_text("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    started = f"setsid {sys.executable} server.py -m {module} > {pid} 2>&1 &"
    waits = f"until [ -s {pid} ]; do :; done"
    Path("buildspec.yml").write_text(
        f"version: 0.2\nphases: {{build: {{commands: '{started} {waits}'}}}}\n"
    )
    assert cli.main(["build"]) == 0
    server = psutil.Process(int(pid.read_text()))
    try:
        assert server.status() != psutil.STATUS_ZOMBIE
    finally:
        server.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_control_c_ends_the_command_and_the_build(folder: Path, number: signal.Signals) -> None:
    spec = "version: 0.2\nphases: {build: {commands: 'trap \"\" INT; echo $$; sleep 600'}}\n"
    Path("buildspec.yml").write_text(spec)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(COMMAND, text=True, **pipes) as build:
        assert build.stdout
        pid = next(int(line) for line in build.stdout if line.strip().isdigit())
        build.send_signal(number)
        rest = build.stdout.read()
    assert build.returncode == 130
    assert "Phase complete: BUILD State: STOPPED" in rest
    assert rest.endswith("the build STOPPED\n")
    with pytest.raises(ProcessLookupError):
        _wait(pid)
    assert list((folder.parent / "home" / "builds").iterdir()) == []


def test_a_reader_that_goes_away_ends_the_build(folder: Path) -> None:
    spec = "version: 0.2\nphases: {build: {commands: 'echo $$; while :; do echo x; done'}}\n"
    Path("buildspec.yml").write_text(spec)
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as build:
        assert build.stdout
        pid = next(int(line) for line in build.stdout if line.strip().isdigit())
        build.stdout.close()
    with pytest.raises(ProcessLookupError):
        _wait(pid)


def _wait(pid: int) -> None:
    """Raises ProcessLookupError once the process has ended."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        os.kill(pid, 0)
        os.sched_yield()
