"""What CreateDeploymentGroup and UpdateDeploymentGroup may say.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-create-ecs.html
The sentences that begin "For ECS deployment" and "Deployment group's" are those that users quote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from labs_helpers.sandbox.codedeploy.deployments import ON_ALARM, ON_FAILURE, ON_REQUEST
from labs_helpers.sandbox.codedeploy.errors import Refused
from labs_helpers.sandbox.codedeploy.store import Document, Place
from labs_helpers.sandbox.service.errors import not_here

_NAME = re.compile(r"[\w+=,.@-]{1,100}", re.ASCII)
_STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
_LONGEST = 2880
"""Minutes of a wait: two days. https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html"""
_MOST_ALARMS = 10
_OF_SERVERS = {
    "ec2TagFilters": "InvalidEC2Tag",
    "ec2TagSet": "InvalidEC2Tag",
    "onPremisesInstanceTagFilters": "InvalidTag",
    "onPremisesTagSet": "InvalidOnPremisesTagCombination",
    "autoScalingGroups": "InvalidAutoScalingGroup",
    "ec2DeploymentOptions": "InvalidInput",
}
"""Members of groups of servers, and the code of their refusal here."""


class Surroundings(Protocol):
    """What CodeDeploy asks of ECS and of Elastic Load Balancing."""

    def controller(self, place: Place, cluster: str, service: str) -> str:
        """The deployment controller of an active service of ECS; empty for no such service."""

    def group(self, place: Place, name: str) -> str:
        """The ARN of a target group; empty for no such group."""

    def listener(self, arn: str) -> str:
        """The protocol of a listener; empty for no such listener."""


def check_name(name: str, kind: str) -> None:
    """kind: "Application" or "DeploymentGroup"; raises Refused."""
    if not _NAME.fullmatch(name):
        raise Refused(
            f"Invalid{kind}Name",
            f"The name {name} may have letters, digits and + = , . @ - _, at most 100.",
        )


def check(group: Mapping[str, Any], place: Place, around: Surroundings) -> Document:
    """The members of a group, completed; raises Refused, NotHere."""
    for name, code in _OF_SERVERS.items():
        if group.get(name):
            raise Refused(code, f"For ECS deployment group, {name} can not be specified")
    if group.get("triggerConfigurations"):
        raise not_here(
            "triggerConfigurations", "A rule of EventBridge can tell a topic of a deployment."
        )
    style = group.get("deploymentStyle") or {}
    if {**_STYLE, **style} != _STYLE or not style:
        raise Refused(
            "InvalidDeploymentStyle",
            "For ECS deployment, the deployment type must be BLUE_GREEN, and deployment option "
            "must be WITH_TRAFFIC_CONTROL.",
        )
    return {
        "deploymentStyle": dict(_STYLE),
        "blueGreenDeploymentConfiguration": _blue_green(group),
        "loadBalancerInfo": _balancers(group, place, around),
        "ecsServices": _services(group, place, around),
        "alarmConfiguration": alarms(group.get("alarmConfiguration")),
        "autoRollbackConfiguration": rollback(group.get("autoRollbackConfiguration")),
    }


def rollback(given: Mapping[str, Any] | None) -> Document:
    """autoRollbackConfiguration; raises Refused."""
    if not given:
        return {"enabled": False, "events": []}
    events = list(given.get("events") or [])
    unknown = set(events) - {ON_FAILURE, ON_ALARM, ON_REQUEST}
    if unknown or (given.get("enabled") and not events):
        raise Refused(
            "InvalidAutoRollbackConfig",
            f"An automatic rollback that is enabled has events, of {ON_FAILURE}, {ON_ALARM} and "
            f"{ON_REQUEST}.",
        )
    return {"enabled": bool(given.get("enabled")), "events": events}


def alarms(given: Mapping[str, Any] | None) -> Document:
    """alarmConfiguration; raises Refused."""
    if not given:
        return {"enabled": False, "ignorePollAlarmFailure": False, "alarms": []}
    listed = [dict(each) for each in given.get("alarms") or []]
    if len(listed) > _MOST_ALARMS:
        raise Refused("AlarmsLimitExceeded", f"A group has at most {_MOST_ALARMS} alarms.")
    if given.get("enabled") and not listed:
        raise Refused("InvalidAlarmConfig", "Alarms that are enabled have names.")
    if any(not each.get("name") for each in listed):
        raise Refused("InvalidAlarmConfig", "Each alarm has a name.")
    return {
        "enabled": bool(given.get("enabled")),
        "ignorePollAlarmFailure": bool(given.get("ignorePollAlarmFailure")),
        "alarms": listed,
    }


def _blue_green(group: Mapping[str, Any]) -> Document:
    code = "InvalidBlueGreenDeploymentConfiguration"
    given = group.get("blueGreenDeploymentConfiguration")
    if not given:
        raise Refused(
            code, "For ECS deployment group, blueGreenDeploymentConfiguration must be specified"
        )
    if given.get("greenFleetProvisioningOption"):
        raise Refused(
            code, "For ECS deployment group, greenFleetProvisioningOption can not be specified"
        )
    ending = given.get("terminateBlueInstancesOnDeploymentSuccess") or {}
    if ending.get("action", "TERMINATE") != "TERMINATE":
        raise Refused(
            code,
            "For ECS deployment group, terminateBlueInstancesOnDeploymentSuccess must be TERMINATE",
        )
    ready = given.get("deploymentReadyOption") or {}
    action = ready.get("actionOnTimeout", "CONTINUE_DEPLOYMENT")
    waits = (
        ending.get("terminationWaitTimeInMinutes") or 0,
        ready.get("waitTimeInMinutes") or 0,
    )
    if not all(0 <= minutes <= _LONGEST for minutes in waits):
        raise Refused(code, f"A wait takes from 0 to {_LONGEST} minutes.")
    return {
        "terminateBlueInstancesOnDeploymentSuccess": {
            "action": "TERMINATE",
            "terminationWaitTimeInMinutes": waits[0],
        },
        "deploymentReadyOption": {"actionOnTimeout": action, "waitTimeInMinutes": waits[1]},
    }


def _balancers(group: Mapping[str, Any], place: Place, around: Surroundings) -> Document:
    code = "InvalidLoadBalancerInfo"
    given = group.get("loadBalancerInfo")
    if not given:
        raise Refused(code, "For ECS deployment group, loadBalancerInfo must be specified")
    pairs = given.get("targetGroupPairInfoList") or []
    if given.get("elbInfoList") or given.get("targetGroupInfoList") or len(pairs) != 1:
        raise Refused(
            code, "For ECS deployment group, loadBalancerInfo must have one targetGroupPairInfo"
        )
    pair = pairs[0]
    names = [each.get("name", "") for each in pair.get("targetGroups") or []]
    if len(set(names)) != 2 or len(names) != 2:
        raise Refused("InvalidTargetGroupPair", "A target group pair has two target groups.")
    for name in names:
        if not around.group(place, name):
            raise Refused("InvalidTargetGroupPair", f"The target group {name} does not exist.")
    production = (pair.get("prodTrafficRoute") or {}).get("listenerArns") or []
    tests = (pair.get("testTrafficRoute") or {}).get("listenerArns") or []
    if len(production) != 1 or len(tests) > 1:
        raise Refused(
            "InvalidTargetGroupPair",
            "A target group pair has one listener for production, and one for tests at most.",
        )
    if production == tests:
        raise Refused(
            "InvalidTargetGroupPair", "The listeners for production and for tests are two."
        )
    for arn in (*production, *tests):
        protocol = around.listener(arn)
        if not protocol:
            raise Refused("InvalidTargetGroupPair", f"The listener {arn} does not exist.")
        if protocol != "HTTP":
            raise not_here(f"listeners of the protocol {protocol}", "Use a listener of HTTP.")
    return dict(given)


def _services(group: Mapping[str, Any], place: Place, around: Surroundings) -> list[dict[str, str]]:
    listed = group.get("ecsServices") or []
    if len(listed) != 1 or not listed[0].get("serviceName"):
        raise Refused("InvalidECSService", "For ECS deployment group, one ECS service is specified")
    service = listed[0]["serviceName"].rpartition("/")[2]
    cluster = (listed[0].get("clusterName") or "default").rpartition("/")[2]
    controller = around.controller(place, cluster, service)
    if not controller:
        raise Refused(
            "InvalidECSService", f"The ECS service {service} in the cluster {cluster} is not there."
        )
    if controller != "CODE_DEPLOY":
        raise Refused(
            "InvalidECSService",
            "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment "
            "controller.",
        )
    return [{"serviceName": service, "clusterName": cluster}]
