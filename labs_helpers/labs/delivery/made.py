"""The pipeline of lab 09, made for a lab that begins with the pipeline, and one execution of it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.files import LabsError
from labs_helpers.labs.delivery.names import (
    BUCKET,
    CONNECTION,
    GITHUB_REPOSITORY,
    ON_AWS,
    PIPELINE,
    PROJECTS,
    SOURCE_REPOSITORY,
    SOURCES,
)
from labs_helpers.prepare import files, source_repository
from labs_helpers.prepare.step import Place

_PATIENCE, _PATIENCE_ON_AWS = 180.0, 1800.0
"""Seconds that the first execution may take: on a slow machine; on AWS, where machines start."""
_PAUSE, _PAUSE_ON_AWS = 0.3, 3.0
_SEEN, _ATTEMPTS = 5.0, 12
"""Seconds until a new role is tried again, and how often: IAM's changes are seen late.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""
_SPECS = dict(zip(PROJECTS, ("buildspec.yml", "gate.yml"), strict=True))


def make(place: Place, folder: Path) -> None:
    """A git history in ``folder``, the roles, projects, source, bucket and the pipeline.

    The first commit has then come to the service, approved here. Raises LabsError where it has not.
    """
    _commit(folder)
    for role in ("build", "pipeline"):
        _role(place, role)
    _projects(place)
    source = _source(place, folder)
    _bucket(place, f"{BUCKET}-{place.account}")
    wanted = _file(place, "pipeline.json", ("CONNECTION", source))
    pipelines = place.client("codepipeline")
    _once_seen(lambda: pipelines.create_pipeline(pipeline=wanted))
    _until(place, "Approve")
    approve(pipelines, "the first release by pipeline")
    _until(place, "")


def _once_seen(make: Callable[[], object]) -> None:
    """Make something with a new role, again while AWS does not see the role yet."""
    for attempt in range(_ATTEMPTS):
        try:
            make()
            return
        except ClientError as error:
            said = str(error)
            if attempt + 1 == _ATTEMPTS or not re.search(r"assume|role|authorized", said, re.I):
                raise
        time.sleep(_SEEN)


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


IGNORED = (
    "*.bak\n*.ipynb\n.ipynb_checkpoints/\n*.json\n"
    "answer.sh\nlog.sh\npage.sh\nretry.sh\ntag.sh\nticket.sh\n"
)
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
        project = {
            "name": name,
            "source": {"type": "CODEPIPELINE", "buildspec": spec},
            "artifacts": {"type": "CODEPIPELINE"},
            "environment": environment,
            "serviceRole": f"arn:aws:iam::{place.account}:role/{PROJECTS[0]}",
        }
        _once_seen(partial(place.client("codebuild").create_project, **project))


def _bucket(place: Place, name: str) -> None:
    # S3 takes no LocationConstraint of us-east-1:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    where = {"CreateBucketConfiguration": {"LocationConstraint": place.region}}
    place.client("s3").create_bucket(Bucket=name, **({} if place.region == "us-east-1" else where))


def _source(place: Place, folder: Path) -> str:
    """What the pipeline fetches commits of the folder from: a connection's ARN; on AWS, a URL."""
    if place.mode != "sandbox":
        return source_repository.connect(place, folder, SOURCE_REPOSITORY)
    made = place.client("codeconnections").create_connection(
        ProviderType="GitHub", ConnectionName=CONNECTION
    )
    arn = str(made["ConnectionArn"])
    sent = {"connection": arn, "repository": GITHUB_REPOSITORY, "folder": str(folder)}
    place.control.ask("POST", "connections", sent)
    return arn


def _file(place: Place, name: str, *changes: tuple[str, str]) -> Any:
    """A JSON file of lab 09, with the learner's account and region."""
    file = files.other_on_aws(place, place.files / "09" / name, ON_AWS)
    text = place.workspace.own_names.in_file(file.read_bytes()).decode()
    for old, new in changes:
        text = text.replace(old, new)
    return json.loads(text)


def _until(place: Place, stage: str) -> None:
    """Wait until the execution is at ``stage``, or has succeeded. Raises LabsError."""
    pipelines, on_aws = place.client("codepipeline"), place.mode != "sandbox"
    patience, pause = (_PATIENCE_ON_AWS, _PAUSE_ON_AWS) if on_aws else (_PATIENCE, _PAUSE)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        listed = pipelines.list_pipeline_executions(pipelineName=PIPELINE, maxResults=1)
        newest = listed["pipelineExecutionSummaries"]
        status = newest[0]["status"] if newest else "InProgress"
        states = pipelines.get_pipeline_state(name=PIPELINE)["stageStates"]
        if status == "Succeeded" or (stage and _waits(states, stage)):
            return
        if status not in ("InProgress", "Succeeded"):
            raise LabsError(f"The first execution of {PIPELINE}: {status}. {_said(states)}")
        time.sleep(pause)
    raise LabsError(f"The first execution of {PIPELINE} has not ended in {patience:.0f} seconds.")


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
