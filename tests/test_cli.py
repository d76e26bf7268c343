"""The `labs` command where nothing needs to run: arguments, environment, keys, reset, faults."""

from __future__ import annotations

import configparser
import errno
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from docker.errors import DockerException

from labs_helpers.cli import env, reset, status
from labs_helpers.cli import main as cli
from labs_helpers.curriculum import LABS
from labs_helpers.errors import LabError
from labs_helpers.files import LabsError
from labs_helpers.learners_copy.place import folder
from labs_helpers.modes import Environment
from labs_helpers.workspace import Workspace
from tests.conftest import LEARNER


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert f"example:\n  {'eval' if name == 'env' else 'labs ' + name}" in capsys.readouterr().out


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert all(line in shown for line in cli.COMMANDS.values())


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["status", "--nonsense"], ["stop", "x"]])
def test_wrong_arguments_end_with_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == 2


def test_an_old_python_and_windows_are_told_what_to_do() -> None:
    assert "This" not in (cli.unsupported((3, 11), "linux") or "")
    assert cli.unsupported((3, 14), "darwin") is None
    assert "make lab PYTHON=" in str(cli.unsupported((3, 10), "linux"))
    assert "WSL 2" in str(cli.unsupported((3, 12), "win32"))


def test_env_is_read_by_a_shell(workspace: Workspace) -> None:
    script = (
        'eval "$("$0" -m labs_helpers.cli env)" && printf "%s|" "${AWS_PROFILE-none}" "$REGISTRY"'
    )
    environ = {**os.environ, "AWS_PROFILE": "work"}
    shell = ["bash", "-c", script, sys.executable]
    ran = subprocess.run(shell, env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout == "none|123456789012.dkr.ecr.us-west-2.amazonaws.com|"
    assert ran.stderr == "The sandbox does not run; start it with: labs start\n"


NASTY = "a b'c\"d$e`f\\g\nh"


def test_env_quotes_for_posix_shells() -> None:
    lines = env.posix(Environment({"X": NASTY}, ("Y",)))
    script = "Y=1\n" + "\n".join(lines) + '\nprintf %s "$X${Y-gone}"'
    ran = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == NASTY + "gone"


def test_env_for_fish_makes_path_a_list() -> None:
    assert env.fish(Environment({"PATH": "/a:/b c", "X": "it's"}, ("Y",))) == [
        "set -e Y;",
        "set -gx PATH '/a' '/b c';",
        "set -gx X 'it\\'s';",
    ]


def test_key_prints_what_aws_configure_asks_for(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["key", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == LEARNER
    assert cli.main(["key"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"AWS Access Key ID      {LEARNER['access_key_id']}",
        f"AWS Secret Access Key  {LEARNER['secret_access_key']}",
    ]


def test_configure_does_what_aws_configure_does_and_keeps_other_profiles(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.aws_credentials.touch(mode=0o600)
    workspace.aws_credentials.write_text("[mine]\naws_access_key_id = AKIAMINE\n")
    assert cli.main(["configure"]) == 0
    credentials, config = configparser.ConfigParser(), configparser.ConfigParser()
    credentials.read(workspace.aws_credentials)
    config.read(workspace.aws_config)
    assert dict(config["default"]) == {"region": "us-west-2", "output": "json"}
    assert dict(credentials["default"]) == {
        "aws_access_key_id": LEARNER["access_key_id"],
        "aws_secret_access_key": LEARNER["secret_access_key"],
    }
    assert dict(credentials["mine"]) == {"aws_access_key_id": "AKIAMINE"}
    assert workspace.aws_credentials.stat().st_mode & 0o777 == 0o600
    assert LEARNER["secret_access_key"] not in capsys.readouterr().out


def test_configure_leaves_an_aws_account_alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LABS_MODE", "aws")
    assert cli.main(["configure"]) == 1
    assert "the labs do not touch them" in capsys.readouterr().err
    assert not workspace.aws_config.exists()


def test_status_without_servers(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["mode"], found["sandbox"], found["engine"]) == ("sandbox", None, None)
    assert ("sandbox", "not running; start it with: labs start") in status.rows(found)
    assert ("workbook", str(folder(workspace))) in status.rows(found)


def test_reset_asks_and_without_an_answer_changes_nothing(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert cli.main(["reset"]) == 1
    assert "labs reset --yes" in capsys.readouterr().err
    assert workspace.learner.exists()


@pytest.mark.parametrize(("typed", "code"), [(b"\x04", 1), (b"n\n", 1), (b"yes\n", 0)])
def test_reset_takes_the_answer_typed_and_ctrl_d_for_no(
    workspace: Workspace, typed: bytes, code: int
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "labs_helpers.cli", "reset"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as asking:
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, typed)
        said = _rest(ours)
    os.close(ours)
    assert asking.returncode == code, said
    assert ("Nothing was changed." in said) == bool(code)
    assert workspace.learner.exists() == bool(code)


def _rest(terminal: int) -> str:
    said = b""
    while True:
        try:
            part = os.read(terminal, 1000)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux's end of a terminal; macOS reads nothing
                raise
            part = b""
        if not part:
            return said.decode()
        said += part


def test_reset_keeps_a_dated_snapshot(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.remember(port=4999)
    assert cli.main(["reset", "--yes"]) == 0
    (kept,) = workspace.snapshots.iterdir()
    assert json.loads((kept / "sandbox" / "learner.json").read_text()) == LEARNER
    assert str(kept) in capsys.readouterr().out
    assert not workspace.learner.exists()
    assert workspace.remembered()["port"] == 4999


def test_resets_in_one_second_keep_both_snapshots(workspace: Workspace) -> None:
    first = reset.move_away(workspace)
    workspace.create()
    second = reset.move_away(workspace)
    assert first != second
    assert (first / "sandbox" / "learner.json").exists()


@pytest.mark.parametrize("text", ["99999", "80", "http", "-1"])
def test_a_labs_port_that_is_none_is_named(
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
) -> None:
    monkeypatch.setenv("LABS_PORT", text)
    assert cli.main(["start"]) == 1
    assert repr(text) in capsys.readouterr().err


def test_a_corrupted_config_is_set_aside_with_a_word(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.choices.write_text('{"port": 45')
    assert cli.main(["status"]) == 0
    said = capsys.readouterr()
    assert "config.json is not readable" in said.err
    assert "us-west-2" in said.out


def test_a_home_too_long_for_a_socket_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABS_HOME", "/tmp/" + "x" * 120)
    assert cli.main(["start"]) == 1
    assert "export LABS_HOME=" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "fix"),
    [(errno.ENOSPC, "Free some space"), (errno.EROFS, "Make it writable")],
)
def test_a_full_or_read_only_disk_is_named(
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    fix: str,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(workspace.home))

    monkeypatch.setattr("labs_helpers.files.tempfile.mkstemp", fails)
    assert cli.main(["start"]) == 1
    said = capsys.readouterr().err
    assert os.strerror(number) in said
    assert fix in said


def test_a_run_without_room_for_its_copies_says_so_once(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise shutil.Error([(name, name, "No space left on device") for name in ("a", "b")])

    monkeypatch.setattr("labs_helpers.cli.run.shutil.copytree", fails)
    assert cli.main(["run", "00"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"Cannot write {workspace.runs}: No space left on device.\n")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["x"], "There is no lab 'x'. The labs, by number:"),
        (["44", "4", "log-in"], "There is no lab '44', 'log-in'. The labs, by number:"),
        ([""], "There is no lab ''. The labs, by number:"),
    ],
)
def test_a_run_of_no_lab_repeats_what_was_given_and_lists_the_labs(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], given: list[str], named: str
) -> None:
    assert cli.main(["run", *given]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == named
    assert said[1:] == [f"  {title.number}  {title.name}" for title in LABS.values()]
    assert not workspace.runs.exists()


def test_ctrl_c_is_no_traceback(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("labs_helpers.cli.status.status", interrupted)
    assert cli.main(["status"]) == 130
    assert capsys.readouterr().err == "\nInterrupted.\n"


def test_a_reader_that_goes_away_is_no_traceback(workspace: Workspace) -> None:
    command = f'"{sys.executable}" -m labs_helpers.cli env | true; exit ${{PIPESTATUS[0]}}'
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            LabError("This is not ready.\nRun the first cell."),
            "This is not ready.\nRun the first cell.\n",
        ),
        (ClientError({"Error": {"Code": "X", "Message": "no."}}, "Y"), "(X) when calling the Y"),
        (NoCredentialsError(), "Unable to locate credentials\n"),
        (DockerException("no engine"), "no engine\n"),
        (OSError(errno.EACCES, os.strerror(errno.EACCES), "/x"), "Cannot write /x: "),
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/x"), "'/x'\nTo report it,"),
        (KeyError("nodes"), "a fault of the labs themselves: KeyError: 'nodes'\nTo report it,"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_stops_a_command_is_said_in_words(
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    said: str,
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("labs_helpers.cli.status.status", fails)
    assert cli.main(["status"]) == 1
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
    kept = workspace.home / "fault.txt"
    assert kept.exists() == ("To report it" in shown)
    if kept.exists():
        assert str(kept) in shown
        assert kept.stat().st_mode & 0o777 == 0o600
        assert "labs status\nTraceback (most recent call last)" in kept.read_text()


def test_a_fault_without_a_folder_to_keep_it_in_is_printed_whole(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("nodes")

    monkeypatch.setattr("labs_helpers.cli.status.status", fails)
    monkeypatch.setenv("LABS_HOME", str(workspace.home / "not" / "made"))
    assert cli.main(["status"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert shown.splitlines()[-1].endswith("a fault of the labs themselves: KeyError: 'nodes'")
    assert not (workspace.home / "not").exists()


def test_a_shell_gets_its_options_before_what_they_are_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def became(program: str, arguments: list[str], environ: dict[str, str]) -> int:
        line.extend(arguments)
        return 0

    def not_now(*_: object) -> None:
        raise LabsError("no sandbox in this test")

    line: list[str] = []
    monkeypatch.setattr("labs_helpers.cli.shell.servers.start", not_now)
    monkeypatch.setattr("os.execvpe", became)
    monkeypatch.setenv("SHELL", "/bin/sh")
    assert cli.main(["shell", "-c", "aws sts get-caller-identity", "--x"]) == 0
    assert line == ["/bin/sh", "-c", "aws sts get-caller-identity", "--x"]
