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
DEPLOYMENT = "arn:aws:ecs:us-west-2:123456789012:service-deployment/default/there/none"
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
        (
            "create_service",
            SERVICE | {"deploymentConfiguration": {"strategy": "CANARY"}},
            "InvalidParameterException",
            "The deployment strategy CANARY requires a load balancer: give loadBalancers.",
        ),
        (
            "create_service",
            SERVICE | {"healthCheckGracePeriodSeconds": 5},
            "InvalidParameterException",
            "Health check grace period is only valid for services configured to use load balancers",
        ),
        (
            "create_service",
            SERVICE | {"loadBalancers": [{"loadBalancerName": "old"}]},
            "InvalidParameterException",
            "Classic Load Balancers are not supported with launch type FARGATE",
        ),
        (
            "create_service",
            SERVICE | {"loadBalancers": [LOADED[0] | {"containerName": "other"}]},
            "InvalidParameterException",
            "The container other does not exist in the task definition.",
        ),
        (
            "update_service",
            {"service": "there", "loadBalancers": LOADED},
            "NotInSandbox",
            "The sandbox does not have loadBalancers of UpdateService",
        ),
        (
            "stop_service_deployment",
            {"serviceDeploymentArn": DEPLOYMENT},
            "ServiceDeploymentNotFoundException",
            "Service deployment not found.",
        ),
        (
            "stop_service_deployment",
            {"serviceDeploymentArn": DEPLOYMENT, "stopType": "ABORT"},
            "NotInSandbox",
            "The sandbox does not have the stopType ABORT",
        ),
        (
            "list_service_deployments",
            {"service": "none"},
            "ServiceNotFoundException",
            "Service not found.",
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


def test_every_deployment_of_a_service_is_listed(ecs: Any) -> None:
    ecs.create_service(**SERVICE | {"serviceName": "listed"})
    ecs.get_waiter("services_stable").wait(services=["listed"])
    ecs.update_service(service="listed", forceNewDeployment=True)
    ecs.get_waiter("services_stable").wait(services=["listed"])
    pages = (
        ecs.get_paginator("list_service_deployments").paginate(
            service="listed", PaginationConfig={"PageSize": 1}
        )
        if ecs.can_paginate("list_service_deployments")
        else [ecs.list_service_deployments(service="listed")]
    )
    found = [each for page in pages for each in page["serviceDeployments"]]
    assert [each["status"] for each in found] == ["SUCCESSFUL", "SUCCESSFUL"]
    only = ecs.list_service_deployments(service="listed", status=["IN_PROGRESS"])
    assert only["serviceDeployments"] == []
    arns = [found[0]["serviceDeploymentArn"], DEPLOYMENT]
    shown = ecs.describe_service_deployments(serviceDeploymentArns=arns)
    assert len(shown["serviceDeployments"]) == 1
    assert shown["failures"] == [{"arn": DEPLOYMENT, "reason": "MISSING"}]
    code = refusal_of(ecs, "stop_service_deployment", serviceDeploymentArn=arns[0])[1]
    assert code == "ConflictException"


def test_who_may_not_stop_a_deployment(sandbox: Running) -> None:
    service = "arn:aws:ecs:us-west-2:123456789012:service/default/there"
    other = "arn:aws:ecs:us-west-2:123456789012:service-deployment/default/*"
    rights = allow("ecs:StopServiceDeployment")
    for resources, missing in (([service], DEPLOYMENT), ([other], service)):
        name = f"stops{len(resources[0])}"
        person = People(sandbox).make(name, {**rights, "Resource": resources})
        said = person.denied("ecs", "stop_service_deployment", serviceDeploymentArn=DEPLOYMENT)
        assert "ecs:StopServiceDeployment" in said
        assert missing.rpartition(":")[2] in said
    both = {**rights, "Resource": [service, other]}
    person = People(sandbox).make("stopsboth", both)
    found = refusal_of(
        person.client("ecs"), "stop_service_deployment", serviceDeploymentArn=DEPLOYMENT
    )
    assert found[1] == "ServiceDeploymentNotFoundException"


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


@pytest.mark.parametrize("kind", ["executionRoleArn", "taskRoleArn"])
def test_who_runs_a_task_needs_to_pass_the_roles_of_its_definition(
    sandbox: Running, ecs: Any, kind: str
) -> None:
    role = f"arn:aws:iam::123456789012:role/{kind}"
    family = f"with-{kind}"
    ecs.register_task_definition(
        family=family,
        containerDefinitions=[{"name": "app", "image": "box"}],
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        **{kind: role},
    )
    person = People(sandbox).make(f"runs-{kind}", allow("ecs:RunTask"))
    said = person.denied("ecs", "run_task", taskDefinition=family, **FARGATE)
    assert "iam:PassRole" in said
    assert role in said
