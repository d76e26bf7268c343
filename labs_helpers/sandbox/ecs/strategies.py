"""deploymentConfiguration and advancedConfiguration of a service, validated and completed.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecs import alarms
from labs_helpers.sandbox.ecs.balanced import Balancers, check_group
from labs_helpers.sandbox.ecs.errors import InvalidParameter
from labs_helpers.sandbox.ecs.naming import Document, Place
from labs_helpers.sandbox.ecs.owner import no_role
from labs_helpers.sandbox.ecs.traffic import ECS, keys
from labs_helpers.sandbox.iam.service_roles import RoleRefused, ServiceRoles
from labs_helpers.sandbox.service.errors import not_here

ROLLING, BLUE_GREEN, LINEAR, CANARY = "ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"
_LONGEST = 1440
_OF_A_STRATEGY = {
    LINEAR: ("linearConfiguration", "stepPercent", 10.0, 3.0, "stepBakeTimeInMinutes", 6),
    CANARY: ("canaryConfiguration", "canaryPercent", 5.0, 0.1, "canaryBakeTimeInMinutes", 10),
}
"""Strategy -> (member, its percentage, the default, the least; its pause, the default)."""
_NEEDED = ("alternateTargetGroupArn", "productionListenerRule", "roleArn")


def configuration(given: Mapping[str, Any], before: Mapping[str, Any]) -> Document:
    """deploymentConfiguration with the defaults of a REPLICA service; before: the service's own.

    Raises InvalidParameter, NotHere.
    """
    if given.get("lifecycleHooks"):
        raise not_here("lifecycleHooks of a deployment", "There is no AWS Lambda.")
    if (given.get("earlySuccessCriteria") or {}).get("enable"):
        raise not_here("earlySuccessCriteria", "A deployment ends when its tasks are replaced.")
    breaker = given.get("deploymentCircuitBreaker") or {}
    for name in ("thresholdConfiguration", "resetOnHealthyTask"):
        if breaker.get(name):
            raise not_here(
                f"{name} of a circuit breaker", "The threshold is half of the desired count."
            )
    found: Document = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": ROLLING,
        **before,
        **given,
    }
    least, most = found["minimumHealthyPercent"], found["maximumPercent"]
    if most < 100 or not 0 <= least <= 100 or most <= least:
        raise InvalidParameter(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block "
            "deployments."
            if most == least == 100
            else "Deployment configuration maximumPercent must be at least 100, and greater than "
            "minimumHealthyPercent, which is from 0 to 100."
        )
    _check_strategy(found, given)
    alarms.check(found)
    return found


def _check_strategy(found: Document, given: Mapping[str, Any]) -> None:
    strategy = found["strategy"]
    for name, (member, *_) in _OF_A_STRATEGY.items():
        if given.get(member) and strategy != name:
            raise InvalidParameter(f"{member} is only valid with the deployment strategy {name}.")
        if strategy != name:
            found.pop(member, None)
    if strategy == ROLLING:
        if given.get("bakeTimeInMinutes") is not None:
            raise InvalidParameter(
                "bakeTimeInMinutes is not valid with the deployment strategy ROLLING."
            )
        found.pop("bakeTimeInMinutes", None)
        return
    if found.get("bakeTimeInMinutes") is None:
        if strategy == BLUE_GREEN:
            raise InvalidParameter(
                "bakeTimeInMinutes must be specified with the deployment strategy BLUE_GREEN."
            )
        found["bakeTimeInMinutes"] = 0
    _check_minutes("bakeTimeInMinutes", found["bakeTimeInMinutes"])
    if strategy in _OF_A_STRATEGY:
        member, percent, usual, least, pause, minutes = _OF_A_STRATEGY[strategy]
        config = {percent: usual, pause: minutes, **(found.get(member) or {})}
        value = config[percent]
        if not least <= value <= 100 or abs(value * 10 - round(value * 10)) > 1e-6:
            raise InvalidParameter(
                f"{percent} must be a multiple of 0.1 from {least} to 100.0: {value}"
            )
        _check_minutes(pause, config[pause])
        found[member] = config


def _check_minutes(name: str, value: int) -> None:
    if not 0 <= value <= _LONGEST:
        raise InvalidParameter(f"{name} must be from 0 to {_LONGEST} minutes: {value}")


def check_balancers(
    config: Mapping[str, Any],
    listed: Sequence[Mapping[str, Any]],
    balancers: Balancers,
    roles: ServiceRoles,
    place: Place,
) -> None:
    """Raise InvalidParameter unless the load balancers can shift traffic as the strategy says."""
    strategy = config["strategy"]
    if strategy == ROLLING:
        return
    if not listed and strategy != BLUE_GREEN:
        raise InvalidParameter(
            f"The deployment strategy {strategy} requires a load balancer: give loadBalancers."
        )
    for each in listed:
        advanced = each.get("advancedConfiguration") or {}
        for name in _NEEDED:
            if not advanced.get(name):
                raise InvalidParameter(
                    f"advancedConfiguration.{name} of loadBalancers must be specified with the "
                    f"deployment strategy {strategy}."
                )
        if advanced["alternateTargetGroupArn"] == each["targetGroupArn"]:
            raise InvalidParameter(
                "targetGroupArn and alternateTargetGroupArn must be two target groups."
            )
        check_group(advanced["alternateTargetGroupArn"], balancers, associated=False)
        for name in ("productionListenerRule", "testListenerRule"):
            if advanced.get(name):
                _check_rule(name, advanced[name], each["targetGroupArn"], balancers)
        try:
            roles.check(advanced["roleArn"], ECS, keys(place))
        except RoleRefused as error:
            raise InvalidParameter(no_role(advanced["roleArn"])) from error


def _check_rule(name: str, arn: str, group: str, balancers: Balancers) -> None:
    rule = balancers.rule(arn)
    if rule is None:
        raise InvalidParameter(
            f"The {name} {arn} does not exist: give the ARN of a listener rule, which aws elbv2 "
            "describe-rules shows."
        )
    if not rule["actions"] or rule["actions"][-1]["Type"] != "forward":
        raise InvalidParameter(f"The {name} {arn} must have a forward action to {group}.")
