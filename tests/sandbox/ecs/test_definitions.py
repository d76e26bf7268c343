"""Task definitions: what ECS takes, completes and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.ecs import definitions
from labs_helpers.sandbox.ecs.errors import Refused
from labs_helpers.sandbox.service.errors import NotHere

PLACE = ("123456789012", "us-west-2")
IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/web:1"
ROLE = "arn:aws:iam::123456789012:role/execution"


def register(container: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """A Fargate definition of one container; a value of None takes a parameter away."""
    params = {
        "family": "web",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "containerDefinitions": [{"name": "app", "image": IMAGE, **(container or {})}],
        **changed,
    }
    given = {name: value for name, value in params.items() if value is not None}
    return definitions.register(given, 1, PLACE, ROLE, 0.0)


def test_a_definition_is_completed() -> None:
    found = register({"portMappings": [{"containerPort": 80}]})
    assert found["taskDefinitionArn"] == "arn:aws:ecs:us-west-2:123456789012:task-definition/web:1"
    assert found["compatibilities"] == ["EC2", "FARGATE"]
    container = found["containerDefinitions"][0]
    assert container["essential"] is True
    assert container["portMappings"] == [{"containerPort": 80, "protocol": "tcp"}]
    assert (container["cpu"], container["environment"]) == (0, [])


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [
        *(("256", "512"), ("256", "2048"), ("512", "4096"), ("1024", "2048"), ("4096", "30720")),
        *((".25 vCPU", "0.5 GB"), ("1 vCPU", "3GB"), ("8192", "20480"), ("16384", "122880")),
    ],
)
def test_fargate_has_these_sizes(cpu: str, memory: str) -> None:
    assert "FARGATE" in register(cpu=cpu, memory=memory)["compatibilities"]


NO_PAIR = "No Fargate configuration exists for given values."
NO_ROLE = "Fargate requires task definition to have execution role ARN to support "


@pytest.mark.parametrize(
    ("container", "changed", "message"),
    [
        ({}, {"memory": "4096"}, NO_PAIR),
        ({}, {"cpu": "1024", "memory": "1024"}, NO_PAIR),
        ({}, {"cpu": "300"}, "Invalid 'cpu' setting for task. For more information, see the"),
        ({}, {"cpu": "much"}, "Invalid 'cpu' setting for task."),
        ({}, {"cpu": None}, "Fargate requires that 'cpu' be defined at the task level."),
        ({}, {"memory": None}, "Fargate requires that 'memory' be defined at the task level."),
        ({}, {"networkMode": "bridge"}, "Fargate only supports network mode"),
        ({}, {"executionRoleArn": None}, f"{NO_ROLE}ECR images."),
        (
            {
                "image": "nginx",
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": "g", "awslogs-region": "us-west-2"},
                },
            },
            {"executionRoleArn": None},
            f"{NO_ROLE}log driver awslogs.",
        ),
        ({"name": ""}, {}, "Container.name should not be null or empty."),
        ({"image": ""}, {}, "Container.image should not be null or empty."),
        ({"image": "app@$digest"}, {}, "Container.image contains invalid characters."),
        ({"image": "app:1 "}, {}, "Container.image contains invalid characters."),
        ({"image": "a" * 256}, {}, "Container.image contains invalid characters."),
        ({"essential": False}, {}, "No essential container was specified"),
        (
            {"portMappings": [{"containerPort": 80, "hostPort": 8080}]},
            {},
            "When networkMode=awsvpc, the host ports and container ports in port mappings must",
        ),
        (
            {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}}},
            {},
            "Log driver awslogs requires options: awslogs-region",
        ),
        (
            {"dependsOn": [{"containerName": "none", "condition": "START"}]},
            {},
            "Invalid dependsOn of the container app: there is no other container none.",
        ),
        ({}, {"family": "a b"}, "Family contains invalid characters"),
        (
            {},
            {"requiresCompatibilities": ["EC2"], "cpu": None, "memory": None},
            "Invalid setting for container 'app'. At least one of 'memory' or",
        ),
    ],
)
def test_what_ecs_refuses(container: dict[str, Any], changed: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refused:
        register(container, **changed)
    assert str(refused.value).startswith(message)


def test_thirty_containers_are_too_many() -> None:
    containers = [{"name": f"c{at}", "image": IMAGE} for at in range(30)]
    with pytest.raises(Refused, match="at most 10"):
        register(containerDefinitions=containers)


def test_containers_that_wait_for_each_other_are_refused() -> None:
    def waits(name: str, other: str) -> dict[str, Any]:
        needs = [{"containerName": other, "condition": "START"}]
        return {"name": name, "image": IMAGE, "dependsOn": needs}

    with pytest.raises(Refused, match="circular"):
        register(containerDefinitions=[waits("a", "b"), waits("b", "a")])


@pytest.mark.parametrize(
    ("container", "changed", "name"),
    [
        ({"privileged": True}, {}, "privileged"),
        ({"mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]}, {}, "mountPoints"),
        ({"logConfiguration": {"logDriver": "splunk"}}, {}, "the log driver splunk"),
        ({}, {"volumes": [{"name": "v"}]}, "volumes"),
        ({}, {"pidMode": "task"}, "pidMode"),
        ({"hostname": "web"}, {}, "hostname"),
        ({"disableNetworking": True}, {}, "disableNetworking"),
        ({"extraHosts": [{"hostname": "a", "ipAddress": "127.0.0.1"}]}, {}, "extraHosts"),
        ({"linuxParameters": {"capabilities": {"add": ["SYS_ADMIN"]}}}, {}, "capabilities"),
        ({"linuxParameters": {"devices": [{"hostPath": "/dev/sda"}]}}, {}, "devices"),
        ({"linuxParameters": {"tmpfs": [{"containerPath": "/t", "size": 1}]}}, {}, "tmpfs"),
        ({"linuxParameters": {"sharedMemorySize": 128}}, {}, "linuxParameters.sharedMemorySize"),
    ],
)
def test_what_would_have_no_effect_is_refused_by_name(
    container: dict[str, Any], changed: dict[str, Any], name: str
) -> None:
    with pytest.raises(NotHere) as refused:
        register(container, **changed)
    assert name in str(refused.value)
