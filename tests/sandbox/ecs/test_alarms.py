"""Alarms that fail a rolling deployment, while the deployment runs and while it bakes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from labs_helpers.control_client import Control
from labs_helpers.sandbox.ecs import alarms
from tests.sandbox.ecs.task_room import REGISTRY, Room
from tests.sandbox.ecs.test_services import create, delete, messages

ALARMS = {"alarms": {"enable": True, "rollback": True, "alarmNames": ["slow"]}}


def release(room: Room) -> dict[str, Any]:
    """The newest service deployment."""
    listed = room.ecs.list_service_deployments(service="watched")["serviceDeployments"]
    found = room.ecs.describe_service_deployments(
        serviceDeploymentArns=[listed[0]["serviceDeploymentArn"]]
    )
    return dict(found["serviceDeployments"][0])


def set_alarm(room: Room, state: str) -> None:
    room.client("cloudwatch").set_alarm_state(
        AlarmName="slow", StateValue=state, StateReason="by hand"
    )


def baked(room: Room) -> None:
    """Move the sandbox clock until the deployment has completed."""

    def look() -> dict[str, Any]:
        control = Control(room.workspace)
        control.ask("POST", "clock", {"advance_seconds": timedelta(minutes=2).total_seconds()})
        return release(room)

    room.once(look, lambda found: found["status"] == "SUCCESSFUL")
    room.settled("watched")


def test_a_deployment_bakes_as_long_as_its_slowest_alarm_takes_to_judge() -> None:
    service: dict[str, Any] = {
        "_releases": [
            {
                "status": "IN_PROGRESS",
                "deploymentConfiguration": ALARMS,
                "alarms": {"status": "DISABLED"},
                "_until": 0.0,
            }
        ]
    }
    alarms.watch(
        service, ("123456789012", "us-west-2"), lambda place, names: {"slow": (False, 120)}
    )
    assert alarms.has_baked(service, 1000.0) == (False, 1120.0)
    assert alarms.has_baked(service, 1119.0) == (False, 1120.0)
    assert alarms.has_baked(service, 1120.0) == (True, 1120.0)


def test_a_release_that_rings_an_alarm_is_taken_back(room: Room) -> None:
    room.client("cloudwatch").put_metric_alarm(
        AlarmName="slow",
        Namespace="shop",
        MetricName="Latency",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    first = room.define("watched", f"{REGISTRY}/web:one")
    second = room.define("watched", f"{REGISTRY}/web:one")
    create(room, "watched", first, deploymentConfiguration=ALARMS)
    watched = room.once(
        lambda: release(room), lambda found: found["alarms"]["status"] == "MONITORING"
    )
    assert watched["alarms"]["alarmNames"] == ["slow"]
    baked(room)
    assert release(room)["alarms"]["status"] == "MONITORING_COMPLETE"

    room.ecs.update_service(service="watched", taskDefinition=second)
    room.once(lambda: release(room), lambda found: found["alarms"]["status"] == "MONITORING")
    set_alarm(room, "ALARM")
    back = room.once(lambda: release(room), lambda found: found["status"] == "ROLLBACK_SUCCESSFUL")
    assert back["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": ["slow"],
        "triggeredAlarmNames": ["slow"],
    }
    assert room.settled("watched")["taskDefinition"].endswith(first)
    told = " ".join(messages(room, "watched"))
    assert "deployment failed: alarm detected." in told
    assert "rolling back to deployment" in told

    # an alarm that rings before a deployment begins is of something else, and is not watched
    room.ecs.update_service(service="watched", taskDefinition=second)
    assert room.settled("watched")["taskDefinition"].endswith(second)
    assert release(room)["alarms"]["status"] == "DISABLED"
    delete(room, "watched")
