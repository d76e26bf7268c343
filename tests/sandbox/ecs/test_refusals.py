"""What ECS's operations refuse, without a task that runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies import allow
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.ecs.task_room import NETWORK
from tests.sandbox.sandbox_process import Running

FARGATE = {"launchType": "FARGATE", "networkConfiguration": NETWORK}
SERVICE = {"serviceName": "s", "taskDefinition": "web", "desiredCount": 0, **FARGATE}
LOADED = [{"targetGroupArn": "arn", "containerName": "app", "containerPort": 80}]


@pytest.fixture(scope="module", autouse=True)
def ecs(sandbox: Running) -> Any:
    """ECS with a cluster, a definition for Fargate, one for EC2 and a service of no tasks."""
    found = sandbox.client("ecs")
    found.create_cluster()
    container = {"name": "app", "image": "nginx", "memory": 128}
    found.register_task_definition(family="old", containerDefinitions=[container])
    found.register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )
    found.create_service(**SERVICE | {"serviceName": "there"})
    return found


@pytest.mark.parametrize(
    ("operation", "params", "code", "message"),
    [
        ("run_task", {"taskDefinition": "none"}, "ClientException", "TaskDefinition not found."),
        (
            "run_task",
            {"taskDefinition": "web"},
            "InvalidParameterException",
            "No Container Instances were found in your cluster.",
        ),
        (
            "run_task",
            {"taskDefinition": "old", **FARGATE},
            "InvalidParameterException",
            "Task definition does not support launch_type FARGATE.",
        ),
        (
            "run_task",
            {"taskDefinition": "web", "launchType": "FARGATE"},
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ),
        (
            "run_task",
            {"taskDefinition": "web", "cluster": "none", **FARGATE},
            "ClusterNotFoundException",
            "Cluster not found.",
        ),
        (
            "run_task",
            {"taskDefinition": "web", "count": 11, **FARGATE},
            "InvalidParameterException",
            "Count must be between 1 and 10.",
        ),
        (
            "run_task",
            {
                "taskDefinition": "web",
                "overrides": {"containerOverrides": [{"name": "none"}]},
                **FARGATE,
            },
            "InvalidParameterException",
            "Override for container named none is not a container in the TaskDefinition.",
        ),
        (
            "stop_task",
            {"task": "0" * 32},
            "InvalidParameterException",
            "The referenced task was not found.",
        ),
        (
            "create_service",
            SERVICE | {"serviceName": "there"},
            "InvalidParameterException",
            "Creation of service was not idempotent.",
        ),
        (
            "create_service",
            SERVICE | {"loadBalancers": LOADED},
            "InvalidParameterException",
            "The container app did not have a container port 80 defined.",
        ),
        (
            "create_service",
            SERVICE
            | {"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 100}},
            "InvalidParameterException",
            "Both maximumPercent and minimumHealthyPercent cannot be 100",
        ),
        (
            "create_service",
            SERVICE | {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
            "InvalidParameterException",
            "bakeTimeInMinutes must be specified with the deployment strategy BLUE_GREEN.",
        ),
        ("update_service", {"service": "none"}, "ServiceNotFoundException", "Service not found."),
        ("delete_service", {"service": "none"}, "ServiceNotFoundException", "Service not found."),
        (
            "describe_task_definition",
            {"taskDefinition": "none"},
            "ClientException",
            "Unable to describe task definition.",
        ),
        (
            "delete_cluster",
            {"cluster": "default"},
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        ),
        (
            "execute_command",
            {"task": "t", "command": "sh", "interactive": True},
            "NotInSandbox",
            "The sandbox does not have the operation ecs:ExecuteCommand",
        ),
    ],
)
def test_a_request_is_refused_in_words(
    ecs: Any, operation: str, params: dict[str, Any], code: str, message: str
) -> None:
    found = refusal_of(ecs, operation, **params)
    assert found[1] == code
    assert found[2].startswith(message)


def test_what_is_not_there_is_a_failure_of_the_answer(ecs: Any) -> None:
    begins = "arn:aws:ecs:us-west-2:123456789012:"
    found = ecs.describe_services(services=["there", "none"])
    assert [each["serviceName"] for each in found["services"]] == ["there"]
    assert found["failures"] == [{"arn": f"{begins}service/default/none", "reason": "MISSING"}]
    found = ecs.describe_tasks(tasks=["0" * 32])
    assert found["failures"][0]["reason"] == "MISSING"


def test_a_task_that_nobody_runs_yet_is_stopped_at_once(ecs: Any) -> None:
    task = ecs.run_task(taskDefinition="web", startedBy="me", **FARGATE)["tasks"][0]
    assert (task["lastStatus"], task["group"]) == ("PROVISIONING", "family:web")
    assert ecs.list_tasks(startedBy="me")["taskArns"] == [task["taskArn"]]
    ended = ecs.stop_task(task=task["taskArn"])["task"]
    assert (ended["lastStatus"], ended["stopCode"]) == ("STOPPED", "UserInitiated")


def test_revisions_are_counted_listed_and_retired(ecs: Any) -> None:
    container = {"name": "app", "image": "nginx", "memory": 128}
    for _ in range(3):
        ecs.register_task_definition(family="many", containerDefinitions=[container])
    pages = ecs.get_paginator("list_task_definitions").paginate(
        familyPrefix="many", sort="DESC", PaginationConfig={"PageSize": 2}
    )
    found = [arn.rpartition(":")[2] for page in pages for arn in page["taskDefinitionArns"]]
    assert found == ["3", "2", "1"]
    ecs.deregister_task_definition(taskDefinition="many:3")
    latest = ecs.describe_task_definition(taskDefinition="many")["taskDefinition"]
    assert latest["revision"] == 2
    refused = refusal_of(ecs, "run_task", taskDefinition="many:3", **FARGATE)
    assert refused[1:] == ("ClientException", "TaskDefinition is inactive")
    deleted = ecs.delete_task_definitions(taskDefinitions=["many:3", "many:2"])
    assert [each["status"] for each in deleted["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert "still in ACTIVE status" in deleted["failures"][0]["reason"]


def test_each_resource_has_tags(ecs: Any) -> None:
    arn = ecs.describe_services(services=["there"])["services"][0]["serviceArn"]
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "shop"}])
    assert ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "shop"}]
    ecs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert ecs.list_tags_for_resource(resourceArn=arn)["tags"] == []


def test_who_overrides_a_role_needs_to_pass_the_role(sandbox: Running) -> None:
    role = "arn:aws:iam::123456789012:role/other"
    person = People(sandbox).make("runner", allow("ecs:RunTask"))
    overrides = {"taskRoleArn": role}
    said = person.denied("ecs", "run_task", taskDefinition="web", overrides=overrides, **FARGATE)
    assert "iam:PassRole" in said
    assert role in said
