"""The service of ECS that a lab begins with: made, waited for and removed; a failure in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labs_helpers.control_client import Control
from labs_helpers.files import LabsError
from labs_helpers.prepare import Place, ecs_service
from labs_helpers.prepare.ecs import no_cluster, services
from labs_helpers.prepare.people import MANAGED, no_role
from tests.sandbox.ecs import task_room
from tests.sandbox.ecs.task_room import ACCOUNT, REGION, REGISTRY, Room

ROLE = "service-of-a-lab"
POLICY = f"{MANAGED}service-role/AmazonECSTaskExecutionRolePolicy"


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with task_room.running() as made:
        yield made


@pytest.fixture
def place(room: Room) -> Iterator[Place]:
    """A place that no cluster and no role of a test is left in."""
    made = Place(room.workspace, "sandbox", ACCOUNT, REGION, Control(room.workspace))
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{room.port}")
        yield made
        no_cluster("labs").ensure(made)
        no_role(ROLE).ensure(made)


def test_it_runs_a_task_until_it_is_removed(place: Place, room: Room) -> None:
    role = ecs_service.execution_role(place, ROLE)
    definition = ecs_service.define(place, "of-a-lab", "web", f"{REGISTRY}/web:one", role)
    ecs_service.serve(place, "labs", "web", definition)
    found = room.ecs.describe_services(cluster="labs", services=["web"])["services"][0]
    assert (found["status"], found["runningCount"]) == ("ACTIVE", 1)
    assert found["taskDefinition"] == definition

    ecs_service.remove(place, "labs", "web")
    assert services(place, "labs") == []
    assert place.removed == ["service labs/web"]
    assert room.ecs.list_tasks(cluster="labs")["taskArns"] == []


def test_what_is_not_there_is_not_removed(place: Place) -> None:
    ecs_service.remove(place, "no-such-cluster", "web")
    ecs_service.remove(place, "default", "no-such-service")
    assert place.removed == []


def test_the_role_is_a_new_one_that_pulls_images_and_nothing_else(place: Place) -> None:
    iam = place.client("iam")
    ecs_service.execution_role(place, ROLE)
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=f"{MANAGED}AdministratorAccess")
    arn = ecs_service.execution_role(place, ROLE)
    assert arn == f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    attached = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [POLICY]


def test_a_service_whose_task_cannot_run_is_told_with_the_reason(place: Place) -> None:
    role = ecs_service.execution_role(place, ROLE)
    missing = ecs_service.define(place, "of-a-lab", "web", f"{REGISTRY}/web:no-such-tag", role)
    with pytest.raises(LabsError, match=r"The service web does not run its first tasks: \(service"):
        ecs_service.serve(place, "labs", "web", missing, seconds=3)
