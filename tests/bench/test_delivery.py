"""From `git push` to the new page in a visitor's hands, beside the sum of the parts.

The pipeline: CodeCommit, a build that builds an image and pushes the image to ECR, and a rolling
deployment of a service of ECS behind a load balancer.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, cast

import pytest

from tests.labs.commands import Commands
from tests.policies import allow
from tests.sandbox.codebuild.build_room import LINUX, LOGS
from tests.sandbox.codebuild.build_room import TRUST as OF_BUILDS
from tests.sandbox.codecommit import git_room
from tests.sandbox.codecommit.git_room import URL, Person
from tests.sandbox.codepipeline.pipeline_room import ROLE, STORE, TRUST, action
from tests.sandbox.ecs import task_room
from tests.sandbox.ecs.front import Front
from tests.sandbox.ecs.task_room import REGISTRY, Room
from tests.sandbox.ecs.test_services import PORTS, create, delete
from tests.sandbox.sandbox_process import Running

pytestmark = pytest.mark.bench

SPEC = json.dumps(
    {
        "version": 0.2,
        "phases": {
            "build": {
                "commands": [
                    "tag=$(cat page)",
                    f"aws ecr get-login-password | docker login -u AWS --password-stdin {REGISTRY}",
                    f"docker build -q -t {REGISTRY}/web:$tag --build-arg WORDS=$tag .",
                    f"docker push -q {REGISTRY}/web:$tag",
                    f'echo "[{{\\"name\\":\\"app\\",\\"imageUri\\":\\"{REGISTRY}/web:$tag\\"}}]" '
                    "> imagedefinitions.json",
                ]
            }
        },
        "artifacts": {"files": ["imagedefinitions.json"]},
    }
)
DOCKERFILE = f"FROM {REGISTRY}/web:one\nARG WORDS\nENV PAGE=$WORDS\n"


def test_a_commit_is_a_page_within_twelve_seconds(tmp_path: Path, commands: Commands) -> None:
    with task_room.running() as room:
        ada = set_up(room, tmp_path, commands)
        service = room.define("shop", f"{REGISTRY}/web:one", portMappings=PORTS)
        front = Front(room, "shop")
        create(room, "shop", service, loadBalancers=front.balancers(), desiredCount=1)
        room.settled("shop")
        pipeline(room)
        took = [shipped(room, ada, front, f"page-{number}") for number in range(3)]
        for one in took:
            whole = sum(one.values())
            parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in one.items())
            print(f"\ncommit to page {whole:.2f} s: {parts}")
        assert min(sum(one.values()) for one in took) < 12
        delete(room, "shop")


def set_up(room: Room, folder: Path, commands: Commands) -> Person:
    """Roles, a repository, a project; ada has a clone."""
    s3, where = room.client("s3"), {"LocationConstraint": "us-west-2"}
    s3.create_bucket(Bucket=STORE, CreateBucketConfiguration=where)
    more = ("codecommit:*", "codebuild:*", "ecs:*", "iam:PassRole")
    room.role("pipeline", allow("s3:*", *more), trust=TRUST)
    builder = room.role("builder", LOGS, allow("s3:*", "ecr:*"), trust=OF_BUILDS)
    room.client("codecommit").create_repository(repositoryName="shop")
    room.client("codebuild").create_project(
        name="shop",
        source={"type": "CODEPIPELINE", "buildspec": SPEC},
        artifacts={"type": "CODEPIPELINE"},
        environment={**LINUX, "privilegedMode": True},
        serviceRole=builder,
    )
    sandbox = Running(cast(Any, None), room.workspace.home, room.port)
    ada = git_room.learner(sandbox, folder / "ada", commands.folder)
    ada.git("init", "-qb", "main", "shop")
    (ada.home / "shop" / "Dockerfile").write_text(DOCKERFILE)
    ada.commit(ada.home / "shop", "page", "zero")
    ada.git("push", "-q", f"{URL}/shop", "main", cwd=ada.home / "shop")
    return ada


def pipeline(room: Room) -> None:
    """The pipeline "shop", after its first execution."""
    given = {"RepositoryName": "shop", "BranchName": "main"}
    target = {"ClusterName": "default", "ServiceName": "shop"}
    stages = [
        action("Source", "CodeCommit", given, outputs=["Source"]),
        action("Build", "CodeBuild", {"ProjectName": "shop"}, inputs=["Source"], outputs=["Built"]),
        action("Deploy", "ECS", target, inputs=["Built"]),
    ]
    room.client("codepipeline").create_pipeline(
        pipeline={
            "name": "shop",
            "roleArn": ROLE,
            "artifactStore": {"type": "S3", "location": STORE},
            "stages": [{"name": each["name"], "actions": [each]} for each in stages],
        }
    )
    room.once(lambda: newest(room), lambda one: one["status"] == "Succeeded")


def newest(room: Room) -> dict[str, Any]:
    found = room.client("codepipeline").list_pipeline_executions(pipelineName="shop")
    one: dict[str, Any] = found["pipelineExecutionSummaries"][0]
    assert one["status"] != "Failed", details(room)
    return one


def details(room: Room) -> list[dict[str, Any]]:
    found = room.client("codepipeline").list_action_executions(pipelineName="shop")
    listed: list[dict[str, Any]] = found["actionExecutionDetails"]
    return listed


def shipped(room: Room, ada: Person, front: Front, page: str) -> dict[str, float]:
    """Push a commit and wait for its page; seconds by part, which follow one another."""
    before = newest(room)["pipelineExecutionId"]
    ada.commit(ada.home / "shop", "page", page)
    began = time.time()
    ada.git("push", "-q", f"{URL}/shop", "main", cwd=ada.home / "shop")
    pushed = time.time()
    front.once_met(page)
    met = time.time()
    last = room.once(
        lambda: newest(room),
        lambda one: one["pipelineExecutionId"] != before and one["status"] == "Succeeded",
    )
    made = [
        each for each in details(room) if each["pipelineExecutionId"] == last["pipelineExecutionId"]
    ]
    built = max(each["lastUpdateTime"].timestamp() for each in made if each["stageName"] == "Build")
    return {
        "git push": pushed - began,
        "source and build": built - pushed,
        "deployment until the page": met - built,
    }
