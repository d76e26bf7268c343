"""Rows of task definitions that are registered (test_public_expectations.py)."""

from __future__ import annotations

import re
from typing import Any

from tests.sandbox.ecs.expected_clusters import API, ARN, FARGATE_ROWS, SUITE
from tests.sandbox.public_expectations import ABSENT, Step, refused, row

BOX = {"name": "app", "image": "hello-world", "memory": 400}
ON_FARGATE = {
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
}


def defined(family: str, expected: Any = None, **changed: Any) -> Step:
    given = {"family": family, "containerDefinitions": [BOX], **changed}
    return ("register_task_definition", given, expected or {"taskDefinition": {"family": family}})


def not_defined(message: str | re.Pattern[str], **changed: Any) -> Step:
    return defined("refused", refused("ClientException", message), **changed)


DEFINITIONS = [
    row(
        "a definition is completed, and the next of its family has the next revision",
        SUITE,
        defined(
            "plain",
            {
                "taskDefinition": {
                    "taskDefinitionArn": f"{ARN}task-definition/plain:1",
                    "revision": 1,
                    "status": "ACTIVE",
                    "volumes": [],
                    "placementConstraints": [],
                    "compatibilities": ["EC2"],
                    "requiresCompatibilities": ABSENT,
                    "cpu": ABSENT,
                    "memory": ABSENT,
                    "containerDefinitions": [
                        {
                            **BOX,
                            "cpu": 0,
                            "portMappings": [],
                            "essential": True,
                            "environment": [],
                            "mountPoints": [],
                            "volumesFrom": [],
                        }
                    ],
                }
            },
        ),
        defined("plain", {"taskDefinition": {"revision": 2}}),
    ),
    row(
        "a definition for Fargate suits EC2, too",
        FARGATE_ROWS,
        defined(
            "both",
            {
                "taskDefinition": {
                    "requiresCompatibilities": ["FARGATE"],
                    "compatibilities": ["EC2", "FARGATE"],
                    "networkMode": "awsvpc",
                    "cpu": "256",
                }
            },
            **ON_FARGATE,
        ),
    ),
    row(
        "Fargate's network mode is named; moto puts awsvpc",
        SUITE,
        not_defined(
            re.compile("^Fargate only supports network mode"),
            **{**ON_FARGATE, "networkMode": None},
        ),
        not_defined(
            re.compile("^Fargate only supports network mode"),
            **{**ON_FARGATE, "networkMode": "bridge"},
        ),
        aws=API + "RegisterTaskDefinition.html#ECS-RegisterTaskDefinition-request-networkMode",
    ),
    *(
        row(
            f"Fargate needs {name} of the task",
            FARGATE_ROWS,
            not_defined(
                f"Fargate requires that '{name}' be defined at the task level.",
                **{**ON_FARGATE, name: None},
            ),
        )
        for name in ("cpu", "memory")
    ),
    row(
        "Fargate has pairs of CPU and memory",
        FARGATE_ROWS,
        not_defined(
            "No Fargate configuration exists for given values.", **{**ON_FARGATE, "memory": "1000"}
        ),
    ),
    row(
        "on Fargate no task sees the host's processes",
        SUITE,
        not_defined(
            "Tasks using the Fargate launch type do not support pidMode 'host'. "
            "The supported value for pidMode is 'task'.",
            pidMode="host",
            **ON_FARGATE,
        ),
    ),
    row(
        "a container has memory where the task has none; Floci's need none",
        SUITE,
        not_defined(
            "Invalid setting for container 'app'. "
            "At least one of 'memory' or 'memoryReservation' must be specified.",
            containerDefinitions=[{"name": "app", "image": "hello-world"}],
        ),
        defined("shared", memory="1024", containerDefinitions=[{"name": "a", "image": "i"}]),
    ),
    *(
        row(
            f"a container has {'an image' if name == 'image' else 'a name'}",
            SUITE,
            not_defined(
                f"Container.{name} should not be null or empty.",
                containerDefinitions=[{k: v for k, v in BOX.items() if k != name}],
            ),
        )
        for name in ("name", "image")
    ),
    row(
        "a list of no containers is refused; Floci refuses the task of it",
        FARGATE_ROWS,
        not_defined("Container list cannot be empty.", containerDefinitions=[]),
        aws=API + "RegisterTaskDefinition.html",
    ),
    row(
        "the platform and the references of secrets come back",
        FARGATE_ROWS,
        defined(
            "secrets",
            runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            containerDefinitions=[
                {**BOX, "secrets": [{"name": "TOKEN", "valueFrom": "/app/config"}]}
            ],
        ),
        (
            "describe_task_definition",
            {"taskDefinition": "secrets:1"},
            {
                "taskDefinition": {
                    "runtimePlatform": {"cpuArchitecture": "ARM64"},
                    "containerDefinitions": [
                        {
                            "secrets": [{"name": "TOKEN", "valueFrom": "/app/config"}],
                            "logConfiguration": ABSENT,
                        }
                    ],
                }
            },
        ),
    ),
]
