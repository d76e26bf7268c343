"""Load balancers, listeners, rules and target groups of moto's, as documents; and their DNS names.

tests/sandbox/balancing holds each thing used here true for the pinned version. Nothing of moto is
imported where nobody has called Elastic Load Balancing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.moto.backends import backend
from labs_helpers.sandbox.moto.kept.state import changing, current

_CHECK = {
    "path": ("health_check_path", "/"),
    "port": ("health_check_port", "traffic-port"),
    "protocol": ("health_check_protocol", "HTTP"),
    "interval": ("health_check_interval_seconds", 30),
    "timeout": ("health_check_timeout_seconds", 5),
    "healthy": ("healthy_threshold_count", 5),
    "unhealthy": ("unhealthy_threshold_count", 2),
}
"""moto's names of a health check's settings, and AWS's defaults:
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"""
_NUMBERS = {"interval", "timeout", "healthy", "unhealthy"}
_DELAY = "deregistration_delay.timeout_seconds"


def look() -> dict[str, Any]:
    """What load balancing needs of every account and region.

    {"balancers": {ARN: {"name", "type", "account", "region"}},
    "listeners": {ARN: {"balancer", "port", "protocol", "rules": [{"arn", "priority", "conditions",
    "actions"}]}}, the rules in the order of their priority,
    "groups": {ARN: {"name", "type", "protocol", "version", "port", "delay", "check", "balancers"}}}
    """
    found: dict[str, Any] = {"balancers": {}, "listeners": {}, "groups": {}}
    for account, region, state in _backends():
        for arn, each in list(state.load_balancers.items()):
            found["balancers"][arn] = {
                "name": each.name,
                "type": each.type,
                "account": account,
                "region": region,
            }
            for listener in list(each.listeners.values()):
                found["listeners"][listener.arn] = _listener(arn, listener)
        for arn, each in list(state.target_groups.items()):
            found["groups"][arn] = _group(each)
    for listener in found["listeners"].values():
        for arn in forwarded(listener):
            balancers = found["groups"].get(arn, {}).get("balancers", [])
            if listener["balancer"] not in balancers:
                balancers.append(listener["balancer"])
    return found


def forwarded(listener: Mapping[str, Any]) -> set[str]:
    """The target groups to which any rule of a listener forwards, with whichever weight."""
    return {
        each["TargetGroupArn"]
        for rule in listener["rules"]
        for action in rule["actions"]
        for each in groups_of(action)
    }


def groups_of(action: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """[{"TargetGroupArn", "Weight"}] of a forward action; nothing of any other action."""
    if action.get("Type") != "forward":
        return []
    listed: list[Mapping[str, Any]] = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if listed:
        return listed
    return [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]


def name_all(addresses: Mapping[str, str]) -> None:
    """Give each load balancer its loopback address as DNS name, or moto's name without one.

    addresses: load balancer -> "127.0.0.1:PORT".
    """
    for _, region, state in list(_backends()):
        for arn, each in list(state.load_balancers.items()):
            name = addresses.get(arn) or f"{each.name}-1.{region}.elb.amazonaws.com"
            if each.dns_name != name:
                with changing():
                    backend("elbv2", arn.split(":")[4], region)
                    each.dns_name = name


def _backends() -> Iterator[tuple[str, str, Any]]:
    state = current()
    if state is not None:
        state.ready_if_stored("elbv2")
    models = sys.modules.get("moto.elbv2.models")
    # missing while another thread is importing the module
    backends = getattr(models, "elbv2_backends", {})
    for account in list(dict.keys(backends)):
        for region, found in list(dict.items(dict.__getitem__(backends, account))):
            yield account, region, found


def _listener(balancer: str, listener: Any) -> dict[str, Any]:
    rules = list(listener.rules.values())
    rules.sort(key=lambda rule: 10**6 if rule.priority == "default" else int(rule.priority))
    return {
        "balancer": balancer,
        "port": int(listener.port),
        "protocol": listener.protocol,
        "rules": [
            {
                "arn": rule.arn,
                "priority": str(rule.priority),
                "conditions": [dict(each) for each in rule.conditions],
                "actions": [_action(each.data) for each in rule.actions],
            }
            for rule in rules
        ],
    }


def _action(data: Mapping[str, Any]) -> dict[str, Any]:
    """An action with numbers as numbers: a form of the Query protocol has texts."""
    made = dict(data)
    forward = made.get("ForwardConfig")
    if forward:
        groups = [
            {**each, "Weight": int(each.get("Weight", 1))} for each in forward["TargetGroups"]
        ]
        made["ForwardConfig"] = {**forward, "TargetGroups": groups}
    return made


def _group(group: Any) -> dict[str, Any]:
    check: dict[str, Any] = {
        name: getattr(group, ours) or usual for name, (ours, usual) in _CHECK.items()
    }
    check |= {name: int(check[name]) for name in _NUMBERS}
    matcher = getattr(group, "matcher", None) or {}
    return {
        "name": group.name,
        "type": group.target_type,
        "protocol": group.protocol,
        "version": group.protocol_version or "HTTP1",
        "port": int(group.port or 0),
        "delay": int(group.attributes.get(_DELAY, 300)),
        "check": {**check, "codes": matcher.get("HttpCode") or "200"},
        "balancers": [],
    }
