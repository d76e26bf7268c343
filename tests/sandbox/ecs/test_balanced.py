"""Services behind a load balancer: visitors meet the tasks that are healthy, and nothing else."""

from __future__ import annotations

import pytest

from tests.sandbox.ecs.front import Front
from tests.sandbox.ecs.task_room import REGISTRY, Room
from tests.sandbox.ecs.test_services import BREAKER, PORTS, create, delete, messages, tasks_of


@pytest.fixture(scope="module")
def front(room: Room) -> Front:
    return Front(room, "front")


def test_visitors_meet_every_task_of_a_service_and_a_new_release(room: Room, front: Front) -> None:
    room.push_page("two")
    first = room.define("behind", f"{REGISTRY}/web:one", portMappings=PORTS)
    assert front.visit() == {"503": 1}
    create(
        room,
        "behind",
        first,
        desiredCount=2,
        loadBalancers=front.balancers(),
        deploymentConfiguration=BREAKER,
    )
    room.settled("behind")
    assert front.health(front.blue) == ["healthy", "healthy"]
    assert front.visit(4) == {"one": 4}
    targets = front.elb.describe_target_health(TargetGroupArn=front.blue)
    ports = {each["Target"]["Port"] for each in targets["TargetHealthDescriptions"]}
    assert ports == {
        each["containers"][0]["networkBindings"][0]["hostPort"] for each in tasks_of(room, "behind")
    }
    told = messages(room, "behind")
    assert f"(service behind) registered 2 targets in (target-group {front.blue})" in told or (
        told.count(f"(service behind) registered 1 targets in (target-group {front.blue})") == 2
    )

    second = room.define("behind", f"{REGISTRY}/web:two", portMappings=PORTS)
    room.ecs.update_service(service="behind", taskDefinition=second)
    met: set[str] = set()
    room.once(
        lambda: {"service": room.service("behind"), "met": met.update(front.visit())},
        lambda found: len(found["service"]["deployments"]) == 1,
    )
    assert met == {"one", "two"}
    front.once_met("two")

    # what answers otherwise than with 200 is no task of a good release
    broken = room.define(
        "behind",
        f"{REGISTRY}/web:two",
        portMappings=PORTS,
        command=[
            "sh",
            "-c",
            "trap 'exit 0' TERM; mkdir /www; httpd -p 8080 -h /www; sleep 99 & wait",
        ],
    )
    room.ecs.update_service(service="behind", taskDefinition=broken)
    room.once(
        lambda: room.service("behind"),
        lambda found: any("is unhealthy in" in each["message"] for each in found["events"]),
    )
    assert front.visit(4) == {"two": 4}
    stopped = room.ecs.list_tasks(serviceName="behind", desiredStatus="STOPPED")["taskArns"]
    reasons = {each["stoppedReason"] for each in room.ecs.describe_tasks(tasks=stopped)["tasks"]}
    assert f"Task failed ELB health checks in (target-group {front.blue})" in reasons
    room.ecs.update_service(service="behind", taskDefinition=second)
    room.settled("behind")

    delete(room, "behind")
    assert front.health(front.blue) == []
    assert front.visit() == {"503": 1}
