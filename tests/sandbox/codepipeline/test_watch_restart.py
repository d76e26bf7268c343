"""The watch over a connected folder goes on, whichever way sandbox and runner end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.policies import allow, policy
from tests.sandbox import sandbox_process
from tests.sandbox.codepipeline import pipeline_room
from tests.sandbox.codepipeline.pipeline_room import PipelineRoom, definition, s3_deploy
from tests.sandbox.codepipeline.test_connection import commit, git, source


def _executions(room: PipelineRoom) -> list[dict[str, Any]]:
    found = room.api.list_pipeline_executions(pipelineName="commits")
    return list(found["pipelineExecutionSummaries"])


def _delivered(room: PipelineRoom, number: int, newest: str) -> None:
    """There is that number of executions, and the last has brought the commit to the site."""
    room.wait(lambda: len(_executions(room)) >= number)
    assert room.ended("commits", room.newest("commits")) == "Succeeded"
    found = _executions(room)
    assert len(found) == number
    assert found[0]["sourceRevisions"][0]["revisionId"] == newest
    assert found[0]["trigger"]["triggerType"] == "WebhookV2"


def _kill(process: Any) -> None:
    process.kill()
    process.wait(30)


def _git_that_notes_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a git on the path notes the folder that each of its starts was given."""
    notes, program = tmp_path / "git-folders", tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$GIT_DIR" >> {notes}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return notes


def test_commits_start_the_pipeline_after_every_end_of_sandbox_and_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, home = tmp_path / "app", tmp_path / "labs"
    folder.mkdir()
    git(folder, "init", "-qb", "main")
    commit(folder, "first")
    room = pipeline_room.begin(home)
    builds = room.builds
    try:
        api = room.client("codeconnections")
        arn = api.create_connection(ProviderType="GitHub", ConnectionName="g")["ConnectionArn"]
        use = policy(allow("codeconnections:UseConnection", on=arn))
        room.client("iam").put_role_policy(
            RoleName="pipeline", PolicyName="connection", PolicyDocument=use
        )
        sent = {"connection": "g", "repository": "ada/app", "folder": str(folder)}
        assert builds.sandbox.control("POST", "connections", sent)[0] == 200
        execution = room.create(definition("commits", source(arn), s3_deploy()))
        assert room.ended("commits", execution) == "Succeeded"

        builds.stop_runner()  # as `labs stop` does, and both commits are one push
        builds.sandbox.stop()
        commit(folder, "second")
        newest = commit(folder, "third")
        builds.sandbox = sandbox_process.start(home)
        builds.start_runner()
        _delivered(room, 2, newest)
        _delivered_while_up(room, folder, 3)

        _kill(builds.sandbox.process)  # the runner stays, and watches already
        newest = commit(folder, "fifth")
        builds.sandbox = sandbox_process.start(home)
        _delivered(room, 4, newest)
        _delivered_while_up(room, folder, 5)

        assert builds.runner is not None
        _kill(builds.sandbox.process)
        _kill(builds.runner)
        builds.sandbox = sandbox_process.start(home)
        newest = commit(folder, "seventh")
        builds.start_runner()
        _delivered(room, 6, newest)

        _kill(builds.runner)
        left = home / "runner" / "scratch" / "labs-git-left"
        left.mkdir()
        notes = _git_that_notes_where(tmp_path, monkeypatch)
        builds.start_runner()
        # the same folder once more changes nothing
        assert builds.sandbox.control("POST", "connections", sent)[0] == 200
        _delivered_while_up(room, folder, 7)
        assert not left.exists()
        of_the_runner = {each for each in notes.read_text().split() if "labs-git-" in each}
        assert {str(Path(each).parent) for each in of_the_runner} == {str(left.parent)}
    finally:
        builds.stop_runner()
        builds.sandbox.stop()


def _delivered_while_up(room: PipelineRoom, folder: Path, number: int) -> None:
    _delivered(room, number, commit(folder, f"number {number}"))
