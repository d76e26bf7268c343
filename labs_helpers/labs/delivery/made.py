"""The pipeline of lab 09, made for a lab that begins with the pipeline, and one execution of it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labs_helpers.files import LabsError
from labs_helpers.labs.delivery.names import (
    BUCKET,
    CONNECTION,
    GITHUB_REPOSITORY,
    PIPELINE,
    PROJECTS,
    SOURCES,
)
from labs_helpers.prepare.step import Place

_PATIENCE = 180.0
"""Seconds that the first execution may take on a slow machine."""
_PAUSE = 0.3
_SPECS = dict(zip(PROJECTS, ("buildspec.yml", "gate.yml"), strict=True))


def make(place: Place, folder: Path) -> None:
    """A git history in ``folder``, the roles, projects, connection, bucket and the pipeline.

    The first commit has then come to the service, approved here. Raises LabsError where it has not.
    """
    _commit(folder)
    for role in ("build", "pipeline"):
        _role(place, role)
    _projects(place)
    connection = _connection(place, folder)
    place.client("s3").create_bucket(
        Bucket=f"{BUCKET}-{place.account}",
        CreateBucketConfiguration={"LocationConstraint": place.region},
    )
    wanted = _file(place, "pipeline.json", ("CONNECTION", connection))
    pipelines = place.client("codepipeline")
    pipelines.create_pipeline(pipeline=wanted)
    _until(pipelines, "Approve")
    approve(pipelines, "the first release by pipeline")
    _until(pipelines, "")


def approve(pipelines: Any, why: str) -> None:
    """Say yes to the approval that waits."""
    state = pipelines.get_pipeline_state(name=PIPELINE)["stageStates"]
    (action,) = next(one["actionStates"] for one in state if one["stageName"] == "Approve")
    pipelines.put_approval_result(
        pipelineName=PIPELINE,
        stageName="Approve",
        actionName=action["actionName"],
        result={"summary": why, "status": "Approved"},
        token=action["latestExecution"]["token"],
    )


def _commit(folder: Path) -> None:
    def git(*words: str) -> None:
        done = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise LabsError(f"git {words[0]} failed in the lab's folder: {done.stderr.strip()}")

    git("init", "-q", "-b", "main")
    git("config", "user.name", "You")
    git("config", "user.email", "you@example.com")
    # a learner's own configuration may ask for a signature, and the key for a password
    git("config", "commit.gpgsign", "false")
    (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
    git("add", ".gitignore", *SOURCES)
    git("commit", "-q", "-m", "A page that says hello")


IGNORED = "*.bak\n*.ipynb\n.ipynb_checkpoints/\n*.json\nanswer.sh\nlog.sh\npage.sh\nretry.sh\nticket-*.sh\n"  # noqa: E501
"""What is beside the application in the lab's folder."""


def _role(place: Place, what: str) -> None:
    iam, name = place.client("iam"), f"demo-app-{what}"
    service = {"build": "codebuild", "pipeline": "codepipeline"}[what]
    trust = _file(place, f"trust-{service}.json")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    policy = _file(place, f"{what}-policy.json")
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=json.dumps(policy))


def _projects(place: Place) -> None:
    environment = _file(place, "environment.json")
    for name, spec in _SPECS.items():
        place.client("codebuild").create_project(
            name=name,
            source={"type": "CODEPIPELINE", "buildspec": spec},
            artifacts={"type": "CODEPIPELINE"},
            environment=environment,
            serviceRole=f"arn:aws:iam::{place.account}:role/{PROJECTS[0]}",
        )


def _connection(place: Place, folder: Path) -> str:
    made = place.client("codeconnections").create_connection(
        ProviderType="GitHub", ConnectionName=CONNECTION
    )
    arn = str(made["ConnectionArn"])
    sent = {"connection": arn, "repository": GITHUB_REPOSITORY, "folder": str(folder)}
    place.control.ask("POST", "connections", sent)
    return arn


def _file(place: Place, name: str, *changes: tuple[str, str]) -> Any:
    """A JSON file of lab 09, with the learner's account and region."""
    text = place.workspace.own_names.in_file((place.files / "09" / name).read_bytes()).decode()
    for old, new in changes:
        text = text.replace(old, new)
    return json.loads(text)


def _until(pipelines: Any, stage: str) -> None:
    """Wait until the execution is at ``stage``, or has succeeded. Raises LabsError."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        listed = pipelines.list_pipeline_executions(pipelineName=PIPELINE, maxResults=1)
        newest = listed["pipelineExecutionSummaries"]
        status = newest[0]["status"] if newest else "InProgress"
        states = pipelines.get_pipeline_state(name=PIPELINE)["stageStates"]
        if status == "Succeeded" or (stage and _waits(states, stage)):
            return
        if status not in ("InProgress", "Succeeded"):
            raise LabsError(f"The first execution of {PIPELINE}: {status}. {_said(states)}")
        time.sleep(_PAUSE)
    raise LabsError(f"The first execution of {PIPELINE} has not ended in {_PATIENCE:.0f} seconds.")


def _waits(states: list[Mapping[str, Any]], stage: str) -> bool:
    return any(
        action.get("latestExecution", {}).get("token")
        for one in states
        if one["stageName"] == stage
        for action in one["actionStates"]
    )


def _said(states: list[Mapping[str, Any]]) -> str:
    errors = (
        action.get("latestExecution", {}).get("errorDetails", {}).get("message", "")
        for one in states
        for action in one["actionStates"]
    )
    return " ".join(filter(None, errors))
