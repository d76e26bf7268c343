"""RegisterTargets, DeregisterTargets and DescribeTargetHealth: moto's groups, targets of ours.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.balancing import store
from labs_helpers.sandbox.balancing.balancing import Balancing
from labs_helpers.sandbox.balancing.store import Document, Target
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

Operation = Callable[[Principal, Mapping[str, Any], str], dict[str, Any]]

_NOT_USED = (
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
_NOT_REGISTERED = ("Target.NotRegistered", "Target is not registered to the target group")


def operations(balancing: Balancing) -> dict[str, Operation]:
    """By name: (caller, parameters, source IP) -> output."""
    ours = _Targets(balancing)
    return {
        "RegisterTargets": lambda caller, params, ip: ours.register(params),
        "DeregisterTargets": lambda caller, params, ip: ours.deregister(params),
        "DescribeTargetHealth": lambda caller, params, ip: ours.describe(params),
    }


class _Targets:
    def __init__(self, balancing: Balancing) -> None:
        self._balancing = balancing

    def register(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Refusal: TargetGroupNotFound, InvalidTarget, NotInSandbox."""
        arn, group = self._group(params)
        wanted = [_target(arn, group, each) for each in params["Targets"]]
        for each in wanted:
            _check(group, each)
        with self._balancing.store.write() as db:
            there = {(row["id"], row["port"], row["state"]) for row in store.targets(db, group=arn)}
            for each in wanted:
                if not {(each.id, each.port, state) for state in _STANDING} & there:
                    store.register(db, each, "")
            self._balancing.changed(db)
        return {}

    def deregister(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Without a port, every target with the address. Raises Refusal."""
        arn, _ = self._group(params)
        with self._balancing.store.write() as db:
            rows = store.targets(db, group=arn)
            for given in params["Targets"]:
                meant = [
                    row
                    for row in rows
                    if row["id"] == given["Id"] and given.get("Port") in (None, row["port"])
                ]
                if not meant:
                    raise Refusal(
                        "InvalidTarget",
                        "The specified target does not exist or is not in the "
                        "same VPC as the target group",
                    )
                for row in meant:
                    store.drain(db, Target(arn, row["id"], row["port"]))
            self._balancing.changed(db)
        return {}

    def describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Refusal: TargetGroupNotFound."""
        arn, group = self._group(params)
        with self._balancing.store.read() as db:
            rows = store.targets(db, group=arn)
        told = [_told(group, row["id"], row["port"], *_health(group, row)) for row in rows]
        given = params.get("Targets") or []
        if not given:
            return {"TargetHealthDescriptions": told}
        found = []
        for each in given:
            wanted = _target(arn, group, each)
            same = [one for one in told if one["Target"] == {"Id": wanted.id, "Port": wanted.port}]
            found += same or [_told(group, wanted.id, wanted.port, "unused", *_NOT_REGISTERED)]
        return {"TargetHealthDescriptions": found}

    def _group(self, params: Mapping[str, Any]) -> tuple[str, Document]:
        arn = params["TargetGroupArn"]
        found = self._balancing.group(arn)
        if found is None:
            raise Refusal("TargetGroupNotFound", "One or more target groups not found")
        return arn, found


_STANDING = (store.INITIAL, store.HEALTHY, store.UNHEALTHY)


def _target(arn: str, group: Document, given: Mapping[str, Any]) -> Target:
    return Target(arn, given["Id"], int(given.get("Port") or group["port"]))


def _check(group: Document, target: Target) -> None:
    """Only what is on this machine can be reached: no packet of a load balancer leaves it."""
    if group["type"] != "ip":
        raise not_implemented(
            f"targets of the type {group['type']}",
            "A load balancer of the sandbox reaches addresses: make the target group with "
            "--target-type ip.",
        )
    try:
        address = ipaddress.ip_address(target.id)
    except ValueError:
        raise Refusal(
            "ValidationError", f"The IP address '{target.id}' is not a valid IPv4 address"
        ) from None
    if str(address) != "127.0.0.1":
        raise not_implemented(
            f"the target {target.id}",
            "A load balancer of the sandbox reaches ports of 127.0.0.1 only; a service of ECS "
            "registers its tasks there itself.",
        )


def _health(group: Document, row: Any) -> tuple[str, str, str]:
    if not group["balancers"] and row["state"] != store.DRAINING:
        return "unused", *_NOT_USED
    return row["state"], row["reason"], row["description"]


def _told(
    group: Document, id: str, port: int, state: str, reason: str, description: str
) -> dict[str, Any]:
    health = {"State": state}
    if reason:
        health |= {"Reason": reason, "Description": description}
    check = group["check"]["port"]
    return {
        "Target": {"Id": id, "Port": port},
        "HealthCheckPort": str(port) if check == "traffic-port" else check,
        "TargetHealth": health,
    }
