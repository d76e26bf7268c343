"""What ran and what runs: the pipeline's executions, ECS's task definitions and the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labs_helpers.checks.world import World
from labs_helpers.labs.delivery.names import CLUSTER, FAMILY, PIPELINE, SERVICE
from labs_helpers.prepare.ecs import newest_reason, tasks_of

Actions = Sequence[Any]
_MOST_REVISIONS = 20
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceRevisions.html"""


@dataclass(frozen=True)
class Definition:
    """A task definition: its ARN, the image of its first container, and whether it is ACTIVE."""

    arn: str
    image: str
    active: bool

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    def digest(self, tags: Mapping[str, str]) -> str:
        """The digest that the image stands for now; "" for a tag that is gone."""
        if "@" in self.image:
            return self.image.rpartition("@")[2]
        return tags.get(self.image.rpartition(":")[2], "")


@dataclass(frozen=True)
class Service:
    """The service: its task definition, deployments, and the digests that its tasks run.

    wanted: how many tasks the service is to have.
    """

    definition: str
    deployments: int
    running: list[str]
    wanted: int

    @property
    def starts(self) -> bool:
        """Whether no task runs yet that is to run, as in the first seconds of a sandbox."""
        return self.wanted > 0 and not self.running


@dataclass(frozen=True)
class Deployment:
    """A deployment of the service: its task definition's ARN, and when the deployment was made."""

    definition: str
    made: datetime


def definitions(world: World) -> list[Definition]:
    """The task definitions of the lab's family, deregistered ones too, the newest first."""
    ecs = world.client("ecs")
    arns = [
        arn
        for status in ("ACTIVE", "INACTIVE")
        for arn in ecs.list_task_definitions(familyPrefix=FAMILY, status=status)[
            "taskDefinitionArns"
        ]
    ]
    arns.sort(key=lambda arn: int(arn.rpartition(":")[2]), reverse=True)
    found = (
        ecs.describe_task_definition(taskDefinition=one)["taskDefinition"]
        for one in arns
        if one.rpartition("/")[2].rpartition(":")[0] == FAMILY
    )
    return [
        Definition(
            one["taskDefinitionArn"],
            str(one["containerDefinitions"][0]["image"]),
            one["status"] == "ACTIVE",
        )
        for one in found
    ]


def service(world: World) -> Service | None:
    """The service as it is; None where there is none."""
    ecs = world.client("ecs")
    try:
        found = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    except ecs.exceptions.ClusterNotFoundException:
        return None
    active = [one for one in found if one["status"] == "ACTIVE"]
    if not active:
        return None
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
    running = [
        str(container.get("imageDigest", ""))
        for task in tasks
        if task["lastStatus"] == "RUNNING"
        for container in task["containers"]
    ]
    (one,) = active
    return Service(one["taskDefinition"], len(one["deployments"]), running, one["desiredCount"])


def deployments(world: World) -> list[Deployment]:
    """The deployments of the service, the newest first, as far as ECS tells."""
    ecs = world.client("ecs")
    made = ecs.list_service_deployments(cluster=CLUSTER, service=SERVICE)["serviceDeployments"]
    made = made[:_MOST_REVISIONS]
    arns = [one["targetServiceRevisionArn"] for one in made]
    found = ecs.describe_service_revisions(serviceRevisionArns=arns)["serviceRevisions"]
    definitions = {one["serviceRevisionArn"]: str(one["taskDefinition"]) for one in found}
    return [
        Deployment(definitions[arn], one["createdAt"])
        for arn, one in zip(arns, made, strict=True)
        if arn in definitions
    ]


def executions(world: World) -> list[Mapping[str, Any]] | None:
    """The executions of the pipeline, the newest first; None where there is no pipeline."""
    client = world.client("codepipeline")
    try:
        pages = client.get_paginator("list_pipeline_executions").paginate(pipelineName=PIPELINE)
        return [one for page in pages for one in page["pipelineExecutionSummaries"]]
    except client.exceptions.PipelineNotFoundException:
        return None


def of_commit(listed: list[Mapping[str, Any]], commit: str) -> Mapping[str, Any] | None:
    """The newest execution of a commit."""
    for one in listed:
        if any(each["revisionId"] == commit for each in one.get("sourceRevisions", [])):
            return one
    return None


def held_before(
    world: World, made: Actions, listed: list[Mapping[str, Any]], stages: list[str]
) -> tuple[str, str]:
    """(stage that an execution waits to enter, the commit that is in this stage or "").

    made: the execution's actions; listed: the executions; stages: the names of the stages.
    """
    passed = {one["stageName"] for one in made}
    stage = next((name for name in stages if name not in passed), stages[-1])
    state = world.client("codepipeline").get_pipeline_state(name=PIPELINE)["stageStates"]
    there = [
        one["latestExecution"]["pipelineExecutionId"]
        for one in state
        if one["stageName"] == stage
        and one.get("latestExecution", {}).get("status") == "InProgress"
    ]
    commits = [
        each["revisionId"]
        for one in listed
        if one["pipelineExecutionId"] in there
        for each in one.get("sourceRevisions", [])
    ]
    return stage, next(iter(commits), "")


def does_not_start(world: World) -> str:
    """Why the newest task of the service that failed has stopped, as ECS says; empty for none."""
    ecs = world.client("ecs")
    found = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    active = [one for one in found if one["status"] == "ACTIVE"]
    if not active or not any(each.get("failedTasks") for each in active[0]["deployments"]):
        return ""
    newest = active[0]["deployments"][0]["id"]
    tasks = [each for each in tasks_of(ecs, active[0], CLUSTER) if each.get("startedBy") == newest]
    return newest_reason(tasks)


def actions(world: World, execution: str) -> Actions:
    """The actions of an execution, the newest first."""
    found: Actions = world.client("codepipeline").list_action_executions(
        pipelineName=PIPELINE, filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    return found


def actions_of_commit(
    world: World, listed: list[Mapping[str, Any]], commit: str
) -> Iterator[Mapping[str, Any]]:
    """The actions of all executions of a commit; listed: the executions."""
    for execution in listed:
        if of_commit([execution], commit) is not None:
            yield from actions(world, execution["pipelineExecutionId"])


def why(made: Actions) -> tuple[str, str]:
    """(stage, sentence) of the newest of an execution's actions that failed, or still runs."""
    for one in made:
        if one["status"] != "Succeeded":
            error = one.get("output", {}).get("executionResult", {}).get("errorDetails") or {}
            return one["stageName"], error.get("message", one["status"])
    return "", ""
