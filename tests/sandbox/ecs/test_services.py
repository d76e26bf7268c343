"""Services: the number of tasks, rolling deployments, the circuit breaker, and the end."""

from __future__ import annotations

from typing import Any

from tests.sandbox.ecs.task_room import NETWORK, REGISTRY, Room
from tests.sandbox.ecs.test_tasks import page

PORTS = [{"containerPort": 8080}]
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def create(room: Room, name: str, definition: str, **changed: Any) -> dict[str, Any]:
    settings = {
        "serviceName": name,
        "taskDefinition": definition,
        "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        **changed,
    }
    return dict(room.ecs.create_service(**settings)["service"])


def tasks_of(room: Room, name: str) -> list[dict[str, Any]]:
    arns = room.ecs.list_tasks(serviceName=name)["taskArns"]
    return list(room.ecs.describe_tasks(tasks=arns)["tasks"]) if arns else []


def messages(room: Room, name: str) -> list[str]:
    """The events of a service, the oldest first, without IDs of tasks and deployments."""
    return [each["message"] for each in reversed(room.service(name)["events"])]


def delete(room: Room, name: str) -> None:
    room.ecs.delete_service(service=name, force=True)
    room.once(lambda: room.service(name), lambda service: service["status"] == "INACTIVE")
    assert tasks_of(room, name) == []


def test_a_service_replaces_tasks_and_takes_a_release_back(room: Room) -> None:
    room.push_page("two")
    first = room.define("shop", f"{REGISTRY}/web:one", portMappings=PORTS)
    create(room, "shop", first, deploymentConfiguration=BREAKER)
    before = room.settled("shop")
    assert [page(task) for task in tasks_of(room, "shop")] == ["one"]
    deployment = before["deployments"][0]["id"]
    task = tasks_of(room, "shop")[0]["taskArn"].rpartition("/")[2]
    assert messages(room, "shop") == [
        f"(service shop) has started 1 tasks: (task {task}).",
        f"(service shop) (deployment {deployment}) deployment completed.",
        "(service shop) has reached a steady state.",
    ]

    second = room.define("shop", f"{REGISTRY}/web:two", portMappings=PORTS)
    room.ecs.update_service(service="shop", taskDefinition=second)
    after = room.settled("shop")
    assert after["taskDefinition"].endswith(second)
    assert [page(task) for task in tasks_of(room, "shop")] == ["two"]

    # a tag that moves changes no task of the deployment, until a new deployment is forced
    room.push_page("three")
    name = f"{REGISTRY}/web"
    manifest = room.client("ecr").batch_get_image(
        repositoryName="web", imageIds=[{"imageTag": "three"}]
    )["images"][0]["imageManifest"]
    room.client("ecr").put_image(repositoryName="web", imageTag="two", imageManifest=manifest)
    room.ecs.stop_task(task=tasks_of(room, "shop")[0]["taskArn"])
    room.once(
        lambda: {"pages": [page(task) for task in tasks_of(room, "shop") if task.get("startedAt")]},
        lambda found: found["pages"] == ["two"],
    )
    room.settled("shop")
    room.ecs.update_service(service="shop", forceNewDeployment=True)
    room.settled("shop")
    assert [page(task) for task in tasks_of(room, "shop")] == ["three"]

    broken = room.define("shop", f"{name}:none", portMappings=PORTS)
    bad = room.ecs.update_service(service="shop", taskDefinition=broken)["service"]
    failed = bad["deployments"][0]["id"]
    back = bad["deployments"][1]["id"]
    room.once(
        lambda: room.service("shop"),
        lambda service: (
            service["deployments"][0]["id"] == back
            and service["deployments"][0]["rolloutState"] == "COMPLETED"
        ),
    )
    told = messages(room, "shop")
    assert f"(service shop) (deployment {failed}) deployment failed: tasks failed to start." in told
    assert f"(service shop) rolling back to deployment {back}." in told
    assert room.service("shop")["taskDefinition"].endswith(second)
    assert [page(task) for task in tasks_of(room, "shop")] == ["three"]

    room.ecs.update_service(service="shop", desiredCount=0)
    room.settled("shop")
    delete(room, "shop")
    assert not [name for name in room.containers() if name.startswith("ecs-shop")]
