"""Commands as CodeBuild's agent runs them, in real shells."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.buildspec.builds import Ran, commands, phases, prepare, run

SHELLS = ("/bin/sh", "bash")


def in_shell(folder: Path, shell: str, *lines: str) -> Ran:
    return run(folder, commands(*lines) + f"env: {{shell: {shell}, exported-variables: [A, B]}}\n")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("lines", "printed"),
    [
        (["A=1", "echo $A"], ["1"]),
        (["export A='a b  c'", 'echo "$A"'], ["a b  c"]),
        (["mkdir d && cd d", "basename $PWD"], ["d"]),
        (
            ["\"mkdir 'a\\nb c'; cd *b*c\"", "pwd | wc -l | tr -d ' '", "ls -d ../*b*c | wc -l"],
            ["2", "2"],
        ),
        (["'A=\"x\n\ny\"'", '\'printf %s "$A" | wc -l | tr -d " "\''], ["1"]),
        (["exit 0", "echo after"], ["after"]),
        (["A=1", "A=2; exit 0", "echo $A"], ["1"]),
        (["exec echo replaced", "echo after"], ["replaced", "after"]),
        (["set -e; true", "false || echo went on"], ["went on"]),
        (["set -u", 'echo "[$UNSET]"'], ["[]"]),
        (["trap 'echo bye' EXIT", "echo next"], ["bye", "next"]),
        (["'f() { echo f; }; f'", "f || echo gone"], ["f", "gone"]),
        (["cat", "echo read nothing"], ["read nothing"]),
        (["printf abc", "echo d"], ["abcd"]),
        (["'cat <<END\n\n  here\n\nEND'"], ["here"]),
        (["'echo a \\'", "echo b"], ["a", "b"]),
        (["unset PATH", "echo still here"], ["still here"]),
        (["PATH=/nowhere", "echo still here"], ["still here"]),
        (["echo $CODEBUILD_LAST_EXIT$CODEBUILD_BUILD_SUCCEEDING"], ["01"]),
        (["cd / && cd $CODEBUILD_SRC_DIR && ls"], ["a.txt"]),
    ],
)
def test_what_lasts_and_what_ends_with_a_command(
    tmp_path: Path, shell: str, lines: list[str], printed: list[str]
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.txt").touch()
    ran = in_shell(tmp_path, shell, *lines)
    assert [line for line in ran.printed if "not found" not in line] == printed
    assert ran.result.status == "SUCCEEDED"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("false", "exit status 1"),
        ("test -f x || exit 1", "exit status 1"),
        ("exit 42", "exit status 42"),
        ("set -e; false; echo no", "exit status 1"),
        ("exec false", "exit status 1"),
        ("nosuchcommand", "exit status 127"),
        ("kill -9 $$", "signal: killed"),
        ("trap 'exit 3' EXIT", "exit status 3"),
        ("cd nowhere", None),
        ("'echo \"'", None),
        ("( exit 5 )", "exit status 5"),
        ("false | true; false", "exit status 1"),
    ],
)
def test_a_command_that_fails_ends_its_phase_and_not_the_build(
    tmp_path: Path, shell: str, line: str, reason: str | None
) -> None:
    """Reported as F2."""
    text = commands(line, "echo not reached") + "  post_build: {commands: echo post}\n"
    ran = run(tmp_path, text + f"env: {{shell: {shell}}}\n")
    assert ran.phases["BUILD"] == "FAILED"
    assert ran.phases["POST_BUILD"] == "SUCCEEDED"
    assert "post" in ran.printed
    assert "not reached" not in ran.printed
    assert reason is None or ran.messages["BUILD"].endswith(f". Reason: {reason}")


def test_the_failed_command_is_told_as_codebuild_tells_it(tmp_path: Path) -> None:
    ran = run(tmp_path, commands("echo a", "exit 7"))
    wanted = """\
Entering phase BUILD
[Container] Running command echo a
a

[Container] Running command exit 7

[Container] Command did not exit successfully exit 7 exit status 7
[Container] Phase complete: BUILD State: FAILED
[Container] Phase context status code: COMMAND_EXECUTION_ERROR Message: \
Error while executing command: exit 7. Reason: exit status 7
[Container] Entering phase POST_BUILD
"""
    assert wanted in ran.log


def test_finally_runs_whether_commands_fail_or_not(tmp_path: Path) -> None:
    text = """\
  pre_build: {commands: ["true"], finally: [echo one $CODEBUILD_BUILD_SUCCEEDING]}
  build: {commands: ["false", echo no], finally: [echo two $CODEBUILD_BUILD_SUCCEEDING, echo three]}
  post_build: {commands: ["true"], finally: ["false", echo no]}
"""
    ran = run(tmp_path, phases(text))
    assert ran.printed == ["one 1", "two 0", "three"]
    assert ran.messages["BUILD"].endswith("command: false. Reason: exit status 1")
    assert ran.phases["POST_BUILD"] == "FAILED"


@pytest.mark.parametrize(
    ("on_failure", "runs", "status"),
    [
        ("RETRY", 3, "SUCCEEDED"),
        ("RETRY-1", 2, "FAILED"),
        ("RETRY-0", 1, "FAILED"),
        ("RETRY-5-exit status 9", 3, "SUCCEEDED"),
        ("RETRY-no such words", 1, "FAILED"),
        ("RETRY-5-attempt [12]", 3, "SUCCEEDED"),
    ],
)
def test_retry_runs_the_whole_phase_again(
    tmp_path: Path, on_failure: str, runs: int, status: str
) -> None:
    text = f"""\
  build:
    on-failure: {on_failure}
    commands:
      - N=$((${{N:-0}} + 1)); echo attempt $N
      - '[ $N = 3 ] || {{ echo attempt $N failed; exit 9; }}'
"""
    ran = run(tmp_path, phases(text))
    assert (
        len([line for line in ran.printed if line in ("attempt 1", "attempt 2", "attempt 3")])
        == runs
    )
    assert (ran.phases["BUILD"], ran.result.status) == (status, status)


def test_in_version_0_1_each_command_stands_alone(tmp_path: Path) -> None:
    text = "version: 0.1\nphases: {build: {commands: [A=1, cd /, 'echo [$A]', basename $PWD]}}\n"
    assert run(tmp_path, text).printed == ["[]", "src"]


def test_precedence_of_variables(tmp_path: Path) -> None:
    text = (
        commands("echo $A $B $C $PATH") + "env: {variables: {A: spec, B: spec, PATH: '$PATH:/x'}}\n"
    )
    environment = {"A": "machine", "B": "machine", "C": "machine"}
    ran = run(
        tmp_path, text, environment=environment, overrides={"B": "start", "PATH": "/bin:/usr/bin"}
    )
    assert ran.printed == ["spec start machine /bin:/usr/bin"]


def test_a_variable_replaces_the_machines_word_for_word(tmp_path: Path) -> None:
    text = commands("'echo \"$A\"'") + "env: {variables: {A: '$HOME `id` \"q\"'}}\n"
    assert run(tmp_path, text).printed == ['$HOME `id` "q"']


def test_the_variables_of_codebuild(tmp_path: Path) -> None:
    ran = run(tmp_path, commands("env"))
    found = dict(line.split("=", 1) for line in ran.printed if "=" in line)
    assert found["CODEBUILD_BUILD_ID"].startswith("local:")
    assert found["CODEBUILD_BUILD_ARN"].endswith(f":build/{found['CODEBUILD_BUILD_ID']}")
    assert found["CODEBUILD_SRC_DIR"] == found["PWD"] == str(tmp_path / "scratch" / "src")
    assert (found["CODEBUILD_CI"], found["CODEBUILD_BUILD_SUCCEEDING"]) == ("true", "1")
    assert found["CODEBUILD_START_TIME"].isdigit()


def test_exported_variables_have_their_last_value(tmp_path: Path) -> None:
    text = (
        commands("A=1", "A=2", "exit 3") + "env: {exported-variables: [A, B, CODEBUILD_BUILD_ID]}\n"
    )
    exported = run(tmp_path, text).result.exported
    assert exported["A"] == "2"
    assert "B" not in exported
    assert exported["CODEBUILD_BUILD_ID"].startswith("local:")


def test_an_output_without_a_line_break_ends_its_line_in_the_log(tmp_path: Path) -> None:
    ran = run(tmp_path, commands("printf abc", "echo d"))
    assert "printf abc\nabc\n[Container] Running command echo d\nd\n\n" in ran.log


def test_binary_output_is_shown_and_ends_nothing(tmp_path: Path) -> None:
    ran = run(
        tmp_path, commands("'printf \"\\377\\376\\000\\033[1mx\\n\"'", "printf 'caf\\303\\251\\n'")
    )
    assert "x" in ran.printed[0]
    assert "\ufffd" in ran.printed[0]
    assert ran.printed[1] == "café"


def test_a_great_deal_of_output_is_all_there(tmp_path: Path) -> None:
    ran = run(tmp_path, commands("seq 1 200000", "'head -c 300000 /dev/zero | tr \"\\0\" x'"))
    assert ran.printed[:200_000] == [str(n) for n in range(1, 200_001)]
    assert sum(map(len, ran.printed[200_000:])) == 300_000


def test_a_background_program_holds_nothing_up_and_ends_with_the_build(tmp_path: Path) -> None:
    text = commands(
        "sleep 600 & echo $! > pid; A=1", "kill -0 $(cat pid) && echo runs $A", "cat pid"
    )
    ran = run(tmp_path, text)
    assert ran.printed[0] == "runs 1"
    _until_gone(int(ran.printed[1]))


_IN_A_SESSION = (
    "import os, sys\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    '        print(os.getpid(), file=open(sys.argv[1], "w"), flush=True)\n'
    '        os.execv("/bin/sleep", [sys.argv[2], "600"])\n'
    "    os._exit(0)\n"
)
"""A program that makes a session of its own and leaves its parent, as daemons do."""


def in_a_session(folder: Path, name: str, **settings: Any) -> int:
    """Run a build that starts such a program under a name; the program's pid."""
    (folder / "source").mkdir(exist_ok=True)
    (folder / "source" / "daemon.py").write_text(_IN_A_SESSION)
    pid = folder / f"{name}.pid"
    text = commands(f"{sys.executable} daemon.py {pid} {name}", f"until [ -s {pid} ]; do :; done")
    assert run(folder, text, **settings).result.status == "SUCCEEDED"
    return int(pid.read_text())


def test_a_program_in_a_session_of_its_own_ends_with_the_build(tmp_path: Path) -> None:
    _until_gone(in_a_session(tmp_path, "daemon"))


def test_a_program_of_another_build_and_a_kept_program_go_on(tmp_path: Path) -> None:
    kept = psutil.Process(in_a_session(tmp_path, "server", keep=lambda words: "server" in words))
    try:
        (tmp_path / "other").mkdir()
        run(tmp_path / "other", commands("true"))
        assert kept.is_running()
        assert kept.cmdline() == ["server", "600"]
    finally:
        kept.kill()


def test_what_a_background_program_prints_appears_later(tmp_path: Path) -> None:
    lines = ("'(while [ ! -f go ]; do sleep 0.01; done; echo late; touch done) &'", "touch go")
    ran = run(tmp_path, commands(*lines, "while [ ! -f done ]; do sleep 0.01; done"))
    assert ran.printed == ["late"]


def test_a_folder_that_a_command_removed_fails_the_next(tmp_path: Path) -> None:
    ran = run(tmp_path, commands("mkdir d; cd d", "rmdir ../d; true", "echo no"))
    assert ran.phases["BUILD"] == "FAILED"
    assert "no such file or directory" in ran.messages["BUILD"]


def test_more_variables_than_the_system_takes_fail_the_command(tmp_path: Path) -> None:
    ran = run(tmp_path, commands("A=$(head -c 3000000 /dev/zero | tr '\\0' x)", "echo no"))
    assert "its variables cannot be handed on" in ran.messages["BUILD"]
    assert ran.phases["POST_BUILD"] == "SUCCEEDED"


def test_a_build_can_be_stopped_from_another_thread(tmp_path: Path) -> None:
    text = commands("echo $$ > $HOME/pid; sleep 600") + "  post_build: {commands: echo no}\n"
    build, log = prepare(tmp_path, text)
    found = []
    thread = threading.Thread(target=lambda: found.append(build.run()))
    thread.start()
    pid = int(_when_written(tmp_path / "pid"))
    build.stop()
    thread.join(30)
    assert [result.status for result in found] == ["STOPPED"]
    assert [phase.status for phase in found[0].phases if phase.type == "BUILD"] == ["STOPPED"]
    assert "Entering phase POST_BUILD" not in "".join(log.written)
    _until_gone(pid)
    build.stop()  # a second time, after the end: nothing to do


def test_a_build_that_is_stopped_before_it_begins_runs_nothing(tmp_path: Path) -> None:
    build, log = prepare(tmp_path, commands("echo no"))
    build.stop()
    assert build.run().status == "STOPPED"
    assert log.printed == b""


def _when_written(path: Path) -> str:
    """The text of a file that a command of the build writes."""
    until = time.monotonic() + 30
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < until, f"{path} was not written"
        os.sched_yield()
    return path.read_text()


def _until_gone(pid: int) -> None:
    """Wait for the end of a process; a zombie that nobody has reaped has ended."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return
    until = time.monotonic() + 30
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, f"process {pid} still runs"
        os.sched_yield()
