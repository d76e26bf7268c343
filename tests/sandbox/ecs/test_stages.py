"""The stages of a deployment that shifts traffic, as a function of a service and its tasks."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.ecs import deployments, releases, shares, shifting, strategies, tasks
from labs_helpers.sandbox.service.errors import ServiceError

PLACE = "arn:aws:ecs:us-west-2:123456789012"
BALANCER = {
    "targetGroupArn": "blue",
    "containerName": "app",
    "containerPort": 80,
    "advancedConfiguration": {
        "alternateTargetGroupArn": "green",
        "productionListenerRule": "rule",
        "roleArn": "role",
    },
}


class World:
    """A service whose plans and traffic are carried out at once; every task is up at once."""

    def __init__(self, **config: Any) -> None:
        self.at = 1000.0
        self.fails = False
        self.tasks: list[dict[str, Any]] = []
        self.service: dict[str, Any] = {
            "serviceName": "web",
            "serviceArn": f"{PLACE}:service/default/web",
            "clusterArn": f"{PLACE}:cluster/default",
            "status": "ACTIVE",
            "desiredCount": 2,
            "taskDefinition": "web:1",
            "networkConfiguration": {},
            "loadBalancers": [BALANCER],
            "deploymentConfiguration": strategies.configuration(config, {}),
            "deployments": [],
            "events": [],
            "_steady": False,
        }
        self.deploy("web:1")

    def deploy(self, definition: str, until: float | None = None) -> None:
        self.service["taskDefinition"] = definition
        deployments.deploy(self.service, self.at, shares.groups(self.service))
        self.settle(until)

    def settle(self, until: float | None = None) -> None:
        """Look until nothing changes without time, or until a share for green is seen."""
        for _ in range(20):
            made = shifting.plan(self.service, self.tasks, self.at, self.at)
            for task, code, reason in made.stop:
                tasks.stopped(task, code, reason, self.at)
            for deployment, count in made.starts.items():
                for _ in range(count):
                    self._start(deployment)
            if self.release["_weight"] == until:
                return
            self.service["_applied"] = dict(self.service.get("_traffic", {}))

    def wait(self, minutes: float) -> None:
        self.at += minutes * 60
        self.settle()

    def _start(self, deployment: str) -> None:
        container = {"name": "app", "essential": True}
        task: dict[str, Any] = {
            "_id": f"t{len(self.tasks)}",
            "_deployment": deployment,
            "_definition": {"containerDefinitions": [container]},
            "_target": ["healthy", "", "", 0],
            "lastStatus": "RUNNING",
            "desiredStatus": "RUNNING",
            "healthStatus": "UNKNOWN",
            "containers": [],
            "version": 1,
        }
        if self.fails:
            tasks.stopped(task, "TaskFailedToStart", "no image", self.at)
        self.tasks.append(task)

    @property
    def weights(self) -> dict[str, int]:
        return dict(self.service["_applied"]["rule"])

    @property
    def release(self) -> dict[str, Any]:
        return releases.releases(self.service)[0]

    def running(self) -> list[int]:
        """How many tasks each deployment has, the oldest deployment first."""
        found: dict[str, int] = {}
        for task in self.tasks:
            found.setdefault(task["_deployment"], 0)
            found[task["_deployment"]] += tasks.is_live(task)
        return list(found.values())


def test_the_first_deployment_waits_for_nothing() -> None:
    world = World(strategy="BLUE_GREEN", bakeTimeInMinutes=60)
    assert world.release["status"] == "SUCCESSFUL"
    assert world.weights == {"blue": 100, "green": 0}
    assert world.running() == [2]


def test_blue_green_shifts_all_at_once_and_bakes() -> None:
    world = World(strategy="BLUE_GREEN", bakeTimeInMinutes=60)
    world.deploy("web:2")
    assert (world.release["lifecycleStage"], world.weights["green"]) == ("BAKE_TIME", 100)
    assert world.running() == [2, 2]
    world.wait(59)
    assert world.running() == [2, 2]
    world.wait(1)
    assert world.release["status"] == "SUCCESSFUL"
    assert world.running() == [0, 2]
    assert [each["taskDefinition"] for each in world.service["deployments"]] == ["web:2"]


def test_linear_goes_in_steps_without_a_pause_after_the_last() -> None:
    linear = {"stepPercent": 40.0, "stepBakeTimeInMinutes": 5}
    world = World(strategy="LINEAR", linearConfiguration=linear)
    world.deploy("web:2")
    met = [world.weights["green"]]
    for _ in range(2):
        world.wait(5)
        met.append(world.weights["green"])
    assert met == [40, 80, 100]
    assert world.release["status"] == "SUCCESSFUL"


def test_who_sees_green_s_share_may_move_the_clock_at_once() -> None:
    canary = {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 5}
    world = World(strategy="CANARY", canaryConfiguration=canary, bakeTimeInMinutes=0)
    world.deploy("web:2", until=10.0)
    assert world.weights["green"] == 0  # the load balancer has not heard yet
    world.wait(5)
    assert world.release["status"] == "SUCCESSFUL"


def test_a_canary_of_half_a_percent_has_whole_weights() -> None:
    canary = {"canaryPercent": 0.5, "canaryBakeTimeInMinutes": 5}
    world = World(strategy="CANARY", canaryConfiguration=canary)
    world.deploy("web:2")
    assert world.weights == {"blue": 995, "green": 5}


def test_a_newer_release_replaces_the_one_under_way_and_keeps_blue() -> None:
    world = World(strategy="BLUE_GREEN", bakeTimeInMinutes=60)
    world.deploy("web:2")
    world.deploy("web:3")
    statuses = [each["status"] for each in releases.releases(world.service)]
    assert statuses == ["IN_PROGRESS", "STOPPED", "SUCCESSFUL"]
    assert world.running() == [2, 0, 2]
    world.wait(60)
    assert world.running() == [0, 0, 2]
    assert world.weights == {"blue": 0, "green": 100}


def test_a_stop_in_the_bake_time_leads_every_visitor_back() -> None:
    world = World(strategy="BLUE_GREEN", bakeTimeInMinutes=60)
    world.deploy("web:2")
    world.release["status"] = "ROLLBACK_REQUESTED"
    world.settle()
    assert world.release["status"] == "ROLLBACK_SUCCESSFUL"
    assert world.weights == {"blue": 100, "green": 0}
    assert world.running() == [2, 0]
    assert world.service["taskDefinition"] == "web:1"
    # the next release finds blue as it was
    world.deploy("web:3")
    world.wait(60)
    assert world.running() == [0, 0, 2]


def test_without_a_breaker_a_broken_green_changes_nothing_for_visitors() -> None:
    world = World(strategy="BLUE_GREEN", bakeTimeInMinutes=0)
    world.fails = True
    world.deploy("web:2")
    world.wait(10)
    assert world.release["lifecycleStage"] == "SCALE_UP"
    assert world.weights == {"blue": 100, "green": 0}
    assert world.running()[0] == 2


def test_the_breaker_takes_a_broken_green_back() -> None:
    breaker = {"enable": True, "rollback": True}
    world = World(strategy="BLUE_GREEN", bakeTimeInMinutes=0, deploymentCircuitBreaker=breaker)
    world.fails = True
    world.deploy("web:2")
    for _ in range(5):
        world.wait(10)
    assert world.release["status"] == "ROLLBACK_SUCCESSFUL"
    assert world.running()[0] == 2


def test_a_first_release_that_is_stopped_has_nothing_to_go_back_to() -> None:
    world = World(strategy="BLUE_GREEN", bakeTimeInMinutes=0)
    world.service["deployments"][0].pop("_completed")
    world.service["deployments"][0]["rolloutState"] = "IN_PROGRESS"
    world.release["status"] = "ROLLBACK_REQUESTED"
    world.settle()
    assert world.release["status"] == "ROLLBACK_FAILED"
    assert "no completed service deployment" in world.release["statusReason"]
    assert world.running() == [0]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"strategy": "BLUE_GREEN"}, "bakeTimeInMinutes must be specified"),
        ({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1441}, "from 0 to 1440 minutes"),
        ({"bakeTimeInMinutes": 5}, "not valid with the deployment strategy ROLLING"),
        (
            {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 0.05}},
            "canaryPercent must be a multiple of 0.1 from 0.1 to 100.0: 0.05",
        ),
        (
            {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 2.0}},
            "stepPercent must be a multiple of 0.1 from 3.0 to 100.0: 2.0",
        ),
        (
            {"strategy": "LINEAR", "canaryConfiguration": {"canaryPercent": 5.0}},
            "canaryConfiguration is only valid with the deployment strategy CANARY",
        ),
        ({"lifecycleHooks": [{"hookTargetArn": "f"}]}, "There is no AWS Lambda."),
        ({"alarms": {"enable": True}}, "alarmNames of alarms cannot be empty"),
        (
            {
                "strategy": "BLUE_GREEN",
                "bakeTimeInMinutes": 1,
                "alarms": {"enable": True, "alarmNames": ["a"]},
            },
            "Set rollback to true.",
        ),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ServiceError, match=says):
        strategies.configuration(config, {})


def test_canary_and_linear_have_the_defaults_of_aws() -> None:
    canary = strategies.configuration({"strategy": "CANARY"}, {})["canaryConfiguration"]
    assert canary == {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}
    linear = strategies.configuration({"strategy": "LINEAR"}, {})["linearConfiguration"]
    assert linear == {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}


def test_an_alarm_takes_the_visitors_back_in_the_bake_time() -> None:
    alarms = {"enable": True, "alarmNames": ["errors"], "rollback": True}
    world = World(strategy="BLUE_GREEN", bakeTimeInMinutes=10, alarms=alarms)
    world.deploy("web:2")
    release = world.service["_releases"][0]
    assert release["lifecycleStage"] == "BAKE_TIME"
    release["alarms"] |= {"status": "TRIGGERED", "triggeredAlarmNames": ["errors"]}
    world.settle()
    assert release["status"] == releases.ROLLBACK_SUCCESSFUL
    assert release["statusReason"] == "Service deployment failed: alarm detected."
    assert world.service["taskDefinition"] == "web:1"
    assert world.service["_applied"] == {"rule": {"green": 0, "blue": 100}}
