"""Rows of tasks (test_public_expectations.py). No task runs: it stays PROVISIONING."""

from __future__ import annotations

import re
from typing import Any

from tests.sandbox.ecs.expected_services import ARN, FARGATE, NO_CLUSTER, SUITE, TAG, invalid
from tests.sandbox.public_expectations import ABSENT, AWS, Step, Told, row


def run(expected: Any = None, **changed: Any) -> Step:
    given = {"taskDefinition": "web", **FARGATE, **changed}
    given = {key: value for key, value in given.items() if value is not None}
    return ("run_task", given, expected or {"failures": []})


TASKS = [
    row(
        "each task of a run has an ARN, its family as group, and is PROVISIONING; moto's run",
        SUITE,
        run(
            {
                "tasks": [
                    {
                        "taskArn": re.compile(f"^{ARN}task/default/[0-9a-f]{{32}}$"),
                        "clusterArn": f"{ARN}cluster/default",
                        "taskDefinitionArn": f"{ARN}task-definition/web:1",
                        "lastStatus": "PROVISIONING",
                        "desiredStatus": "RUNNING",
                        "startedBy": "moto",
                        "group": "family:web",
                        "launchType": "FARGATE",
                        "containers": [{"name": "app", "lastStatus": "PENDING"}],
                        "tags": [TAG],
                    },
                    {},
                ]
            },
            count=2,
            startedBy="moto",
            tags=[TAG],
        ),
        aws=AWS + "AmazonECS/latest/developerguide/task-lifecycle-explanation.html",
    ),
    row(
        "a run may name a group",
        SUITE,
        run({"tasks": [{"group": "test_group"}]}, group="test_group"),
    ),
    row(
        "a strategy puts a task on Fargate, without an instance",
        SUITE,
        run(
            {"tasks": [{"containerInstanceArn": ABSENT}]},
            launchType=None,
            capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],
        ),
    ),
    row(
        "a cluster's strategy puts a task on Fargate",
        SUITE,
        (
            "create_cluster",
            {
                "clusterName": "strategic",
                "capacityProviders": ["FARGATE"],
                "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}],
            },
            {},
        ),
        run({"tasks": [{}], "failures": []}, cluster="strategic", launchType=None),
    ),
    row(
        "a launch type and a strategy are refused together",
        SUITE,
        run(
            invalid(re.compile("launch type and capacity provider strategy")),
            capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],
        ),
    ),
    row(
        "awsvpc needs a network",
        SUITE,
        run(
            invalid(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified."
            ),
            networkConfiguration=None,
        ),
    ),
    row("a run needs a cluster", SUITE, run(NO_CLUSTER, cluster="not_a_cluster")),
    row("a launch type of another case is none", SUITE, run(invalid(), launchType="Fargate")),
    row(
        "tasks are listed by who started them",
        SUITE,
        run(startedBy="foo"),
        run(startedBy="bar"),
        ("list_tasks", {"startedBy": "foo"}, {"taskArns": [Told(0, "tasks[0].taskArn")]}),
        ("list_tasks", {"cluster": "not_a_cluster"}, NO_CLUSTER),
    ),
    row(
        "tasks are described by ARN, with tags where they are asked for",
        SUITE,
        run(tags=[TAG]),
        (
            "describe_tasks",
            {"tasks": [Told(0, "tasks[0].taskArn")], "include": ["TAGS"]},
            {"tasks": [{"tags": [TAG]}], "failures": []},
        ),
        (
            "describe_tasks",
            {"tasks": [Told(0, "tasks[0].taskArn")]},
            {"tasks": [{"tags": []}]},
        ),
        ("describe_tasks", {"cluster": "none", "tasks": ["t"]}, NO_CLUSTER),
        ("describe_tasks", {"tasks": []}, invalid("Tasks cannot be empty.")),
    ),
    row(
        "a stopped task is to be STOPPED, for the reason that was given",
        SUITE,
        run(),
        (
            "stop_task",
            {"task": Told(0, "tasks[0].taskArn"), "reason": "testing"},
            {
                "task": {
                    "taskArn": Told(0, "tasks[0].taskArn"),
                    "desiredStatus": "STOPPED",
                    "stoppedReason": "testing",
                    "stopCode": "UserInitiated",
                }
            },
        ),
        ("stop_task", {"cluster": "none", "task": "fake_task"}, NO_CLUSTER),
    ),
]
