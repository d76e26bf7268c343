"""Rows of services (test_public_expectations.py)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.sandbox.ecs.task_room import NETWORK
from tests.sandbox.public_expectations import AWS, FLOCI, MOTO, Step, has, refused, row

SUITE = MOTO + "test_ecs/test_ecs.py"
OPERATIONS = FLOCI + (
    "src/test/java/io/github/hectorvent/floci/services/ecs/EcsIntegrationTest.java"
)

API = AWS + "AmazonECS/latest/APIReference/API_"
ARN = "arn:aws:ecs:us-west-2:123456789012:"
FARGATE = {"launchType": "FARGATE", "networkConfiguration": NETWORK}
NO_CLUSTER = refused("ClusterNotFoundException", "Cluster not found.")
NO_SERVICE = refused("ServiceNotFoundException", "Service not found.")
TAG = {"key": "foo", "value": "bar"}


def service(name: str, expected: Any = None, **changed: Any) -> Step:
    given = {"serviceName": name, "taskDefinition": "web", "desiredCount": 0, **FARGATE, **changed}
    given = {key: value for key, value in given.items() if value is not None}
    return ("create_service", given, expected or {"service": {"serviceName": name}})


def invalid(message: str | re.Pattern[str] = "") -> Any:
    return refused("InvalidParameterException", message)


SERVICES = [
    row(
        "a new service is ACTIVE, its tasks are to come",
        SUITE,
        service(
            "new",
            {
                "service": {
                    "clusterArn": f"{ARN}cluster/default",
                    "serviceArn": f"{ARN}service/default/new",
                    "desiredCount": 2,
                    "runningCount": 0,
                    "status": "ACTIVE",
                    "taskDefinition": f"{ARN}task-definition/web:1",
                    "schedulingStrategy": "REPLICA",
                    "events": [],
                    "loadBalancers": [],
                    "networkConfiguration": NETWORK,
                    "deployments": [
                        {
                            "status": "PRIMARY",
                            "desiredCount": 2,
                            "failedTasks": 0,
                            "rolloutState": "IN_PROGRESS",
                            "rolloutStateReason": re.compile("ECS deployment ecs-svc/.* in progr"),
                            "launchType": "FARGATE",
                            "createdAt": datetime,
                        }
                    ],
                }
            },
            desiredCount=2,
        ),
    ),
    row(
        "a name in use is refused",
        OPERATIONS,
        service("twice"),
        service("twice", invalid("Creation of service was not idempotent.")),
    ),
    row(
        "a service wants no fewer than no tasks",
        OPERATIONS,
        service("fewer", invalid(re.compile("^desiredCount cannot be ")), desiredCount=-5),
        service("none", desiredCount=0),
        ("update_service", {"service": "none", "desiredCount": -3}, invalid()),
    ),
    row(
        "a launch type that is none is refused",
        SUITE,
        service("launched", invalid(), launchType="SOMETHING"),
        aws=API + "CreateService.html#API_CreateService_Errors",
    ),
    row(
        "Fargate has no DAEMON services; moto's are of EC2",
        SUITE,
        service("daemon", invalid(re.compile("DAEMON")), schedulingStrategy="DAEMON"),
        aws=API + "CreateService.html#ECS-CreateService-request-schedulingStrategy",
    ),
    row(
        "a network has subnets",
        SUITE,
        service(
            "netless",
            invalid("subnets can not be empty."),
            networkConfiguration={"awsvpcConfiguration": {"subnets": []}},
        ),
    ),
    row(
        "another controller than ECS and CodeDeploy is refused by name",
        MOTO + "test_ecs/test_ecs_tasksets.py",
        service(
            "external",
            refused("NotInSandbox", re.compile("EXTERNAL")),
            deploymentController={"type": "EXTERNAL"},
        ),
        aws=API + "DeploymentController.html",
    ),
    row(
        "services are listed of a cluster",
        SUITE,
        service("listed"),
        ("list_services", {}, {"serviceArns": has(f"{ARN}service/default/listed")}),
        ("list_services", {"schedulingStrategy": "DAEMON"}, {"serviceArns": []}),
        ("list_services", {"launchType": "EC2"}, {"serviceArns": []}),
        ("list_services", {"cluster": "foo"}, NO_CLUSTER),
    ),
    row(
        "services are described by name and by ARN, with tags where they are asked for",
        SUITE,
        service("described", tags=[TAG]),
        (
            "describe_services",
            {
                "cluster": f"{ARN}cluster/default",
                "services": ["described", f"{ARN}service/default/described", "unknown"],
                "include": ["TAGS"],
            },
            {
                "services": [{"tags": [TAG]}, {"serviceName": "described"}],
                "failures": [{"arn": re.compile("unknown$"), "reason": "MISSING"}],
            },
        ),
        ("describe_services", {"cluster": "unknown", "services": ["s"]}, NO_CLUSTER),
    ),
    row(
        "from one to ten services are described",
        "https://github.com/aws/aws-toolkit-vscode/issues/2362",
        ("describe_services", {"services": []}, invalid("Services cannot be empty.")),
        (
            "describe_services",
            {"services": [f"s{number}" for number in range(11)]},
            invalid("service names can have at most 10 items."),
        ),
    ),
    row(
        "an update changes the number of tasks, and by force begins a deployment",
        SUITE,
        service("updated"),
        (
            "update_service",
            {"service": f"{ARN}service/default/updated", "desiredCount": 1},
            {"service": {"desiredCount": 1, "schedulingStrategy": "REPLICA"}},
        ),
        (
            "update_service",
            {"service": "updated", "forceNewDeployment": True},
            {"service": {"deployments": [{"status": "PRIMARY"}, {"status": "ACTIVE"}]}},
        ),
    ),
    *(
        row(
            f"{operation} needs a cluster and a service that are there",
            SUITE,
            (operation, {"cluster": "none", "service": "s"}, NO_CLUSTER),
            (operation, {"service": "not_a_service"}, NO_SERVICE),
        )
        for operation in ("update_service", "delete_service")
    ),
    row(
        "a service with tasks is deleted by force only",
        SUITE,
        service("kept", desiredCount=1),
        (
            "delete_service",
            {"service": "kept"},
            invalid("The service cannot be stopped while it is scaled above 0."),
        ),
        (
            "delete_service",
            {"service": "kept", "force": True},
            {"service": {"serviceArn": f"{ARN}service/default/kept", "desiredCount": 0}},
        ),
    ),
    row(
        "a deleted service is DRAINING first; moto's is INACTIVE at once",
        SUITE,
        service("drained"),
        ("delete_service", {"service": "drained"}, {"service": {"status": "DRAINING"}}),
        aws=API + "DeleteService.html",
    ),
    row(
        "tags of a service are put anew under their keys, and taken away",
        SUITE,
        service("tagged", tags=[TAG]),
        (
            "tag_resource",
            {
                "resourceArn": f"{ARN}service/default/tagged",
                "tags": [{"key": "a", "value": "1"}, {"key": "foo", "value": "hello"}],
            },
            {},
        ),
        (
            "list_tags_for_resource",
            {"resourceArn": f"{ARN}service/default/tagged"},
            {"tags": has({"key": "a", "value": "1"}, {"key": "foo", "value": "hello"})},
        ),
        (
            "untag_resource",
            {"resourceArn": f"{ARN}service/default/tagged", "tagKeys": ["foo", "a"]},
            {},
        ),
        (
            "list_tags_for_resource",
            {"resourceArn": f"{ARN}service/default/tagged"},
            {"tags": []},
        ),
    ),
    row(
        "tags of what is not there: the page has one code; moto has others by kind",
        SUITE,
        *(
            (
                "list_tags_for_resource",
                {"resourceArn": f"{ARN}{rest}"},
                invalid("The specified resource was not found."),
            )
            for rest in ("service/default/fake", "task-definition/fake_task:1")
        ),
        aws=API + "ListTagsForResource.html#API_ListTagsForResource_Errors",
    ),
]
