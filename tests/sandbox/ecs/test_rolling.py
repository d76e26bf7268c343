"""The service scheduler's decisions, as a function of a service and its tasks."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.ecs import deployments, rolling, tasks

NOW = 1000.0
NETWORK: dict[str, Any] = {"awsvpcConfiguration": {"subnets": ["s"]}}


class World:
    """A service whose plans are carried out at once; tasks run when the test says so."""

    def __init__(self, desired: int, least: int = 100, most: int = 200, **breaker: bool) -> None:
        self.real = 0.0
        self.tasks: list[dict[str, Any]] = []
        self.service: dict[str, Any] = {
            "serviceName": "web",
            "serviceArn": "arn:aws:ecs:us-west-2:123456789012:service/default/web",
            "clusterArn": "arn:aws:ecs:us-west-2:123456789012:cluster/default",
            "loadBalancers": [],
            "status": "ACTIVE",
            "desiredCount": desired,
            "taskDefinition": "web:1",
            "networkConfiguration": NETWORK,
            "deploymentConfiguration": {
                "strategy": "ROLLING",
                "minimumHealthyPercent": least,
                "maximumPercent": most,
                "deploymentCircuitBreaker": breaker,
            },
            "deployments": [],
            "events": [],
            "_steady": False,
        }
        deployments.deploy(self.service, NOW)

    def look(self, checked: bool = False) -> rolling.Plan:
        """One look of the scheduler, a minute after the last."""
        self.real += 60
        made = rolling.plan(self.service, self.tasks, NOW, self.real)
        for task, code, reason in made.stop:
            tasks.stopped(task, code, reason, NOW)
        for _ in range(sum(made.starts.values())):
            self._start(checked)
        return made

    def _start(self, checked: bool) -> None:
        container: dict[str, Any] = {"name": "app", "essential": True}
        if checked:
            container["healthCheck"] = {"command": ["CMD", "true"]}
        self.tasks.append(
            {
                "_id": f"t{len(self.tasks)}",
                "_deployment": deployments.primary(self.service)["id"],
                "_definition": {"containerDefinitions": [container]},
                "lastStatus": "PENDING",
                "desiredStatus": "RUNNING",
                "healthStatus": "UNKNOWN",
                "containers": [{"name": "app", "healthStatus": "UNKNOWN"}],
                "version": 1,
            }
        )

    def run(self) -> None:
        """Every task that waits runs now."""
        for task in self.waiting:
            task |= {"lastStatus": "RUNNING", "_running_since": self.real}

    def fail(self) -> None:
        """Every task that waits stops."""
        for task in self.waiting:
            tasks.stopped(task, "TaskFailedToStart", "CannotPullContainerError", NOW)

    def settle(self) -> None:
        """Look and run until the deployment is complete."""
        for _ in range(20):
            self.look()
            self.run()
        assert self.states == ["COMPLETED"]

    @property
    def waiting(self) -> list[dict[str, Any]]:
        return [each for each in self.tasks if each["lastStatus"] == "PENDING"]

    @property
    def live(self) -> int:
        return sum(tasks.is_live(each) for each in self.tasks)

    @property
    def states(self) -> list[str]:
        return [each["rolloutState"] for each in self.service["deployments"]]

    @property
    def said(self) -> list[str]:
        """The events, the oldest first, without the name of the service."""
        found = [each["message"] for each in reversed(self.service["events"])]
        return [each.removeprefix("(service web) ") for each in found]


def test_the_desired_count_is_kept() -> None:
    world = World(2)
    world.settle()
    assert world.live == 2
    tasks.stopped(world.tasks[0], "EssentialContainerExited", "it ended", NOW)
    world.settle()
    assert world.live == 2
    world.service["desiredCount"] = 1
    world.settle()
    assert world.live == 1
    assert world.said[-1] == "has reached a steady state."


@pytest.mark.parametrize(
    ("least", "most", "fewest", "greatest"),
    [(100, 200, 4, 8), (50, 100, 2, 4), (100, 150, 4, 6), (0, 100, 0, 4), (75, 125, 3, 5)],
)
def test_a_deployment_stays_between_the_percents(
    least: int, most: int, fewest: int, greatest: int
) -> None:
    world = World(4, least, most)
    world.settle()
    world.service["taskDefinition"] = "web:2"
    new = deployments.deploy(world.service, NOW)["id"]
    up, live = [], []
    for _ in range(20):
        world.look()
        live.append(world.live)
        running = [t for t in world.tasks if t["lastStatus"] == "RUNNING" and tasks.is_live(t)]
        up.append(len(running))
        world.run()
    assert world.states == ["COMPLETED"]
    assert (min(up), max(live)) == (fewest, greatest)
    assert {each["_deployment"] for each in world.tasks if tasks.is_live(each)} == {new}


@pytest.mark.parametrize(("desired", "failures"), [(1, 3), (4, 3), (10, 5)])
def test_the_circuit_breaker_trips_at_half_of_the_desired_count(
    desired: int, failures: int
) -> None:
    world = World(desired, enable=True, rollback=True)
    world.look()
    while world.states == ["IN_PROGRESS"]:
        world.fail()
        world.look()
    assert world.states == ["FAILED"]
    failed = world.service["deployments"][0]
    assert failed["failedTasks"] >= failures
    assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    world.look()
    assert world.waiting == []


def test_a_failed_release_is_taken_back_to_the_one_before() -> None:
    world = World(2, enable=True, rollback=True)
    world.settle()
    old = world.service["deployments"][0]["id"]
    world.service["taskDefinition"] = "web:2"
    bad = deployments.deploy(world.service, NOW)["id"]
    for _ in range(6):
        world.look()
        world.fail()
    world.settle()
    assert world.service["taskDefinition"] == "web:1"
    assert world.service["deployments"][0]["id"] == old
    assert world.live == 2
    assert f"(deployment {bad}) deployment failed: tasks failed to start." in world.said
    assert f"rolling back to deployment {old}." in world.said


def test_without_a_breaker_the_scheduler_goes_on_and_the_old_tasks_stay() -> None:
    world = World(2)
    world.settle()
    deployments.deploy(world.service, NOW)
    for _ in range(10):
        world.look()
        world.fail()
    assert world.states == ["IN_PROGRESS", "COMPLETED"]
    assert world.live == 2
    assert any("unable to consistently start tasks" in each for each in world.said)


def test_failures_make_the_scheduler_wait() -> None:
    world = World(1)
    world.look()
    world.fail()
    made = rolling.plan(world.service, world.tasks, NOW, world.real)
    assert (sum(made.starts.values()), made.again) == (0, True)
    assert sum(world.look().starts.values()) == 1


def test_an_unhealthy_task_is_replaced_and_counts_as_a_failure() -> None:
    world = World(1)
    world.look(checked=True)
    world.run()
    world.look()
    assert world.states == ["IN_PROGRESS"]
    tasks.healthy(world.tasks[0], "app", "UNHEALTHY")
    made = world.look(checked=True)
    assert [reason for _, _, reason in made.stop] == ["Task failed container health checks"]
    world.look(checked=True)
    world.run()
    tasks.healthy(world.tasks[1], "app", "HEALTHY")
    world.look()
    assert world.states == ["COMPLETED"]
    assert "(task t0) failed container health checks." in world.said


def test_a_task_that_somebody_stopped_or_a_restart_ended_is_no_failure() -> None:
    world = World(2, enable=True)
    world.look()
    tasks.stopped(world.tasks[0], "UserInitiated", "", NOW)
    world.tasks[1]["_lost"] = True
    tasks.stopped(world.tasks[1], "", "The sandbox was restarted while this ran.", NOW)
    world.settle()
    assert world.service["deployments"][0]["failedTasks"] == 0


def test_a_deleted_service_ends_once_its_tasks_have() -> None:
    world = World(2)
    world.settle()
    world.service |= {"status": "DRAINING", "desiredCount": 0}
    world.look()
    world.look()
    assert world.service["status"] == "INACTIVE"
    assert world.live == 0
