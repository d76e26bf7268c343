"""Builds that misbehave: ended or kept in their place, with words, and nothing left running."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import psutil
import pytest

from labs_helpers.runner import landlock
from tests.sandbox.codebuild.build_room import Room, context, phases


def left_of(build_id: str) -> list[str]:
    """The command lines of processes that a build left running."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("CODEBUILD_BUILD_ID") == build_id:
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue
    return found


def test_a_running_build_is_read_and_stopped(room: Room) -> None:
    room.project("hangs", "echo begun", "sleep 600 & (setsid sleep 600 &) ; sleep 600")
    build_id = room.start("hangs")
    room.log_until(build_id, "begun")
    running = room.until(build_id, lambda build: build["currentPhase"] == "BUILD")
    assert running["buildStatus"] == "IN_PROGRESS"
    room.log_until(build_id, "Running command sleep 600")
    room.client("codebuild").stop_build(id=build_id)
    build = room.ended(build_id)
    assert build["buildStatus"] == "STOPPED"
    assert phases(build)["BUILD"] == "STOPPED"
    assert "POST_BUILD" not in phases(build)
    assert left_of(build_id) == []


def test_a_queued_build_is_stopped_before_it_begins(room: Room) -> None:
    room.project("slow", "sleep 600")
    running = [room.start("slow") for _ in range(4)]
    for each in running:
        room.until(each, lambda build: build["currentPhase"] == "BUILD")
    queued = room.start("slow")
    assert room.build(queued)["currentPhase"] == "QUEUED"
    stopped = room.client("codebuild").stop_build(id=queued)["build"]
    assert stopped["buildStatus"] == "STOPPED"
    assert phases(stopped) == {"SUBMITTED": "SUCCEEDED", "QUEUED": "STOPPED", "COMPLETED": ""}
    for each in running:
        room.client("codebuild").stop_build(id=each)
    for each in running:
        assert room.ended(each)["buildStatus"] == "STOPPED"


@pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
def test_a_build_writes_in_its_folder_reads_no_keys_and_signals_nobody(room: Room) -> None:
    home = room.sandbox.home
    outside = home.parent / "outside"
    room.project(
        "writes",
        f"echo x > {outside} || echo refused 1",
        f"cat {home}/sandbox/learner.json || echo refused 2",
        f"cat {home}/sandbox/control-token || echo refused 3",
        f"kill -9 {os.getpid()} || echo refused 4",
        "ln -s / root && echo x > root/outside || echo refused 5",
        "echo mine > file && mktemp && cat file",
    )
    build = room.run("writes")
    log = room.log(build["id"])
    assert build["buildStatus"] == "SUCCEEDED", log
    assert [number for number in range(1, 6) if f"\nrefused {number}\n" in log] == [1, 2, 3, 4, 5]
    assert not outside.exists()
    assert room.sandbox.learner["secret_access_key"] not in log


@pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
def test_a_build_reads_nothing_in_the_learner_s_home(room: Room) -> None:
    """Not ~/.aws, not ~/.ssh, not the token of a JupyterLab that runs."""
    with tempfile.TemporaryDirectory(prefix="labs-private-", dir=Path.home()) as private:
        key = Path(private, "key")
        key.write_text("a key of the learner's")
        room.project(
            "reads",
            f"cat {key} || echo refused 1",
            f"cp -r {private} copied; cat copied/key || echo refused 2",
            "aws --version && python -c 'import boto3' && echo works",
        )
        log = room.log(room.run("reads")["id"])
    assert "a key of the learner's" not in log
    assert [number for number in (1, 2) if f"\nrefused {number}\n" in log] == [1, 2]
    assert "\nworks\n" in log


def test_a_program_of_the_labs_in_a_build_needs_nothing_of_the_learners_folder(room: Room) -> None:
    room.project(
        "asks",
        "cat $LABS_HOME/config.json",
        'case $LABS_HOME in "$HOME"/*) echo its own folder ;; esac',
        "aws sts get-caller-identity --query Account",
        "echo '- {id: CVE-2026-1, reason: known, expires: 2030-01-01}' > accepted.yaml",
        "labs gate nothing:v1 --accept accepted.yaml || echo gate ended with $?",
    )
    build = room.run("asks")
    log = room.log(build["id"])
    assert build["buildStatus"] == "SUCCEEDED", log
    assert '"account": "123456789012"' in log
    assert "its own folder" in log
    assert '"123456789012"\n' in log
    # AWS's answer to the build's role, and no complaint about a file
    assert "not authorized to perform: ecr:DescribeImageScanFindings" in log, log
    assert "\ngate ended with 1\n" in log


def test_a_command_that_kills_its_shell_fails_and_the_next_build_runs(room: Room) -> None:
    room.project("kills", "kill -9 $$")
    build = room.run("kills")
    assert build["buildStatus"] == "FAILED"
    assert "signal: killed" in context(build, "BUILD")[1]


def test_binary_output_and_a_flood_are_shown_as_far_as_a_log_goes(room: Room) -> None:
    room.project(
        "floods", r"printf '\377\376 binary\n'", "yes flood | head -c 12000000", "echo end"
    )
    build = room.run("floods")
    assert build["buildStatus"] == "SUCCEEDED"
    log = room.log(build["id"])
    assert "\ufffd\ufffd binary\n" in log
    tail = room.client("logs").filter_log_events(
        logGroupName="/aws/codebuild/floods", filterPattern='"the rest is lost"'
    )
    assert [each["message"] for each in tail["events"]] == [
        "[labs] the log has more than 30000 lines or 8000000 characters: the rest is lost\n"
    ]


def test_a_build_that_forks_without_end_is_ended_with_the_reason(room: Room) -> None:
    forks = "for i in $(seq 700); do sleep 600 & done; wait"
    room.project("forks", forks)
    build = room.run("forks")
    assert build["buildStatus"] == "FAILED"
    code, message = context(build, "BUILD")
    assert code == "COMMAND_EXECUTION_ERROR"
    assert "more than 512 processes" in message or "exit status" in message
    assert left_of(build["id"]) == []


def test_two_builds_at_once_do_not_meet(room: Room) -> None:
    spec = {
        "version": 0.2,
        "phases": {"build": {"commands": ["ls", "echo $WHO > file", "sleep 0.5", "cat file"]}},
    }
    room.project("twins", spec=json.dumps(spec))
    ids = [
        room.start("twins", environmentVariablesOverride=[{"name": "WHO", "value": who}])
        for who in ("ann", "bob")
    ]
    for build_id, who in zip(ids, ("ann", "bob"), strict=True):
        assert room.ended(build_id)["buildStatus"] == "SUCCEEDED"
        assert f"\n{who}\n" in room.log(build_id)


def test_what_a_build_writes_all_may_read_as_on_codebuilds_machine(room: Room) -> None:
    room.project("umask", "umask")
    assert "\n0022\n" in room.log(room.run("umask")["id"])
