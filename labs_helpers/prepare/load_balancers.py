"""Elastic Load Balancing: load balancers with their listeners, and target groups."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from labs_helpers.prepare.step import Place, Step


def no_load_balancer(name: str) -> Step:
    """No load balancer of this name; its listeners go with it."""

    def ensure(place: Place) -> None:
        elb = place.client("elbv2")
        arn = balancer_arn(elb, name)
        if arn:
            elb.delete_load_balancer(LoadBalancerArn=arn)
            place.removed.append(f"load balancer {name}")

    return Step(f"no load balancer {name}", ensure)


def no_target_group(name: str) -> Step:
    """No target group of this name; a listener that uses the group has to go before."""

    def ensure(place: Place) -> None:
        elb = place.client("elbv2")
        arn = target_group_arn(elb, name)
        if arn:
            elb.delete_target_group(TargetGroupArn=arn)
            place.removed.append(f"target group {name}")

    return Step(f"no target group {name}", ensure)


def balancer_arn(elb: Any, name: str) -> str:
    """The ARN of a load balancer; empty without one."""
    with suppress(elb.exceptions.LoadBalancerNotFoundException):
        return str(elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"])
    return ""


def target_group_arn(elb: Any, name: str) -> str:
    """The ARN of a target group; empty without one."""
    with suppress(elb.exceptions.TargetGroupNotFoundException):
        return str(elb.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"])
    return ""
