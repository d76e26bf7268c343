"""Blue/green, canary and linear deployments: whom the visitors meet, and when."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from labs_helpers import servers
from labs_helpers.control_client import Control
from tests.policies import allow, policy
from tests.sandbox.ecs.front import Front, is_open
from tests.sandbox.ecs.task_room import REGISTRY, Room
from tests.sandbox.ecs.test_services import PORTS, create, delete, messages

ECS_TRUST = policy(
    {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}
)
SHIFTS = allow(
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyRule",
)
"""What the managed policy for load balancers has, as far as traffic is concerned."""


@pytest.fixture(scope="module", autouse=True)
def prepared(room: Room) -> None:
    room.push_page("two")
    room.role("shifts", SHIFTS, trust=ECS_TRUST)


@pytest.fixture
def front(room: Room, request: pytest.FixtureRequest) -> Front:
    return Front(room, f"front{len(request.node.name)}")


def advanced(room: Room, front: Front, **more: str) -> list[dict[str, Any]]:
    role = f"arn:aws:iam::123456789012:role/{more.pop('role', 'shifts')}"
    return front.balancers(
        alternateTargetGroupArn=front.green,
        productionListenerRule=front.rule,
        roleArn=role,
        **more,
    )


def release(room: Room, name: str) -> dict[str, Any]:
    """The newest service deployment."""
    listed = room.ecs.list_service_deployments(service=name)["serviceDeployments"]
    arn = listed[0]["serviceDeploymentArn"]
    found = room.ecs.describe_service_deployments(serviceDeploymentArns=[arn])
    return dict(found["serviceDeployments"][0])


def at(room: Room, name: str, stage: str, weight: float) -> dict[str, Any]:
    """The newest service deployment, once it waits in a stage with a weight in the rules."""
    return room.once(
        lambda: release(room, name),
        lambda found: (
            found["lifecycleStage"] == stage
            and found["targetServiceRevision"]["requestedProductionTrafficWeight"] == weight
        ),
    )


def ended(room: Room, name: str, status: str) -> dict[str, Any]:
    return room.once(lambda: release(room, name), lambda found: found["status"] == status)


def wait(room: Room, **by: float) -> None:
    """Move the sandbox clock."""
    control = Control(room.workspace)
    control.ask("POST", "clock", {"advance_seconds": timedelta(**by).total_seconds()})


def test_a_tenth_of_the_visitors_meet_green_before_all_do(room: Room, front: Front) -> None:
    first = room.define("canary", f"{REGISTRY}/web:one", portMappings=PORTS)
    second = room.define("canary", f"{REGISTRY}/web:two", portMappings=PORTS)
    config = {
        "strategy": "CANARY",
        "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 5},
        "bakeTimeInMinutes": 10,
    }
    made = create(
        room,
        "canary",
        first,
        loadBalancers=advanced(room, front),
        deploymentConfiguration=config,
    )
    assert made["deploymentConfiguration"]["strategy"] == "CANARY"
    room.settled("canary")
    assert ended(room, "canary", "SUCCESSFUL")["finishedAt"]
    front.once_met("one")

    room.ecs.update_service(service="canary", taskDefinition=second)
    shown = at(room, "canary", "PRODUCTION_TRAFFIC_SHIFT", 10.0)
    room.once(front.weights, lambda found: found == {front.blue: 90, front.green: 10})
    assert front.visit(20) == {"one": 18, "two": 2}
    assert front.health(front.blue) == front.health(front.green) == ["healthy"]
    sources = shown["sourceServiceRevisions"]
    assert [each["requestedProductionTrafficWeight"] for each in sources] == [90.0]
    assert shown["targetServiceRevision"]["runningTaskCount"] == 1
    assert len(room.service("canary")["deployments"]) == 2

    wait(room, minutes=5)
    at(room, "canary", "BAKE_TIME", 100.0)
    assert front.visit(5) == {"two": 5}
    # blue is there until the bake time is over
    assert front.health(front.blue) == ["healthy"]
    wait(room, minutes=10)
    done = ended(room, "canary", "SUCCESSFUL")
    assert room.settled("canary")["taskDefinition"].endswith(second)
    assert front.health(front.blue) == []
    assert front.visit(5) == {"two": 5}
    revisions = room.ecs.describe_service_revisions(
        serviceRevisionArns=[done["targetServiceRevision"]["arn"]]
    )["serviceRevisions"]
    assert revisions[0]["taskDefinition"].endswith(second)
    assert revisions[0]["containerImages"][0]["imageDigest"].startswith("sha256:")

    # the next release is blue's target group's again, and a stop takes it back
    room.ecs.update_service(service="canary", taskDefinition=first)
    shown = at(room, "canary", "PRODUCTION_TRAFFIC_SHIFT", 10.0)
    room.once(front.weights, lambda found: found == {front.blue: 10, front.green: 90})
    room.ecs.stop_service_deployment(serviceDeploymentArn=shown["serviceDeploymentArn"])
    back = ended(room, "canary", "ROLLBACK_SUCCESSFUL")
    assert back["rollback"]["serviceRevisionArn"] == done["targetServiceRevision"]["arn"]
    assert room.settled("canary")["taskDefinition"].endswith(second)
    assert front.weights() == {front.blue: 0, front.green: 100}
    assert front.visit(5) == {"two": 5}
    told = [each.partition(" deployment ")[0] for each in messages(room, "canary")]
    assert "(service canary) rolling back to" in told

    listed = room.ecs.list_service_deployments(service="canary")["serviceDeployments"]
    assert [each["status"] for each in listed] == [
        "ROLLBACK_SUCCESSFUL",
        "SUCCESSFUL",
        "SUCCESSFUL",
    ]
    delete(room, "canary")


def test_a_green_whose_tasks_fail_is_taken_back_and_a_test_listener_shows_green_first(
    room: Room, front: Front
) -> None:
    listener = front.listen(8081, front.blue)
    rules = front.elb.describe_rules(ListenerArn=listener)["Rules"]
    first = room.define("green", f"{REGISTRY}/web:one", portMappings=PORTS)
    second = room.define("green", f"{REGISTRY}/web:two", portMappings=PORTS)
    broken = room.define("green", f"{REGISTRY}/web:none", portMappings=PORTS)
    create(
        room,
        "green",
        first,
        loadBalancers=advanced(room, front, testListenerRule=rules[0]["RuleArn"]),
        deploymentConfiguration={
            "strategy": "BLUE_GREEN",
            "bakeTimeInMinutes": 30,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
    )
    room.settled("green")

    room.ecs.update_service(service="green", taskDefinition=broken)
    failed = ended(room, "green", "ROLLBACK_SUCCESSFUL")
    assert failed["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert failed["statusReason"] == "Service deployment failed: tasks failed to start."
    assert room.settled("green")["taskDefinition"].endswith(first)
    assert front.visit(4) == {"one": 4}

    # green waits for the role's rights with the visitors on blue
    iam = room.client("iam")
    document = iam.get_role_policy(RoleName="shifts", PolicyName="rights")["PolicyDocument"]
    iam.delete_role_policy(RoleName="shifts", PolicyName="rights")
    room.ecs.update_service(service="green", taskDefinition=second)
    told = room.once(
        lambda: room.service("green"),
        lambda found: "was unable to shift traffic" in found["events"][0]["message"],
    )["events"][0]["message"]
    assert "AccessDenied" in told
    assert "elasticloadbalancing:ModifyListener" in told
    assert front.visit(4) == {"one": 4}
    iam.put_role_policy(RoleName="shifts", PolicyName="rights", PolicyDocument=json.dumps(document))
    at(room, "green", "BAKE_TIME", 100.0)
    assert front.visit(4) == {"two": 4}
    places = Control(room.workspace).ask("GET", "balancing")["balancers"]
    tests = next(each for each in places if each["arn"] == front.arn)["listeners"][1]
    assert tests["port"] == 8081
    assert front.visit(4, address=tests["address"]) == {"two": 4}

    # both are there again after a restart in the middle of the bake time
    before = front.address
    servers.stop(room.workspace)
    room.port = servers.start(room.workspace).sandbox.port
    assert front.address == before
    front.once_met("two")
    room.once(
        lambda: {"found": front.health(front.blue) + front.health(front.green)},
        lambda found: found["found"] == ["healthy", "healthy"],
    )
    wait(room, minutes=30)
    ended(room, "green", "SUCCESSFUL")
    room.settled("green")
    front.once_met("two")
    delete(room, "green")

    address = front.address
    front.elb.delete_load_balancer(LoadBalancerArn=front.arn)
    for group in (front.blue, front.green):
        front.elb.delete_target_group(TargetGroupArn=group)
    room.once(lambda: {"open": is_open(address)}, lambda found: not found["open"])
