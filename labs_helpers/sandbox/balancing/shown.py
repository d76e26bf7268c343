"""What there is to balance, for the runner and for people; and the addresses of load balancers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.balancing import store
from labs_helpers.sandbox.balancing.store import Document
from labs_helpers.sandbox.service.store import Store

LOOPBACK = "127.0.0.1"


def for_runner(state: Store) -> dict[str, Any]:
    """{"listeners": [a listener, with "arn" and "bind"], "groups": {ARN: a group, with "targets"}}.

    bind: the loopback port of the listener.
    """
    with state.read() as db:
        found, ports = store.look(db), store.ports(db)
        rows = store.targets(db)
    groups = {
        arn: {**group, "targets": [], "used": bool(group["balancers"])}
        for arn, group in found["groups"].items()
    }
    for row in rows:
        if row["target_group"] in groups:
            told = {"id": row["id"], "port": row["port"], "state": row["state"]}
            groups[row["target_group"]]["targets"].append(told)
    listeners = [
        {**found["listeners"][arn], "arn": arn, "bind": port}
        for arn, port in ports.items()
        if arn in found["listeners"]
    ]
    return {"listeners": listeners, "groups": groups}


def for_people(state: Store) -> dict[str, Any]:
    """{"balancers": [{"name", "arn", "listeners": [{"port", "address"}]}]}."""
    with state.read() as db:
        found, ports = store.look(db), store.ports(db)
    return {
        "balancers": [
            {
                "name": body["name"],
                "arn": arn,
                "listeners": [
                    {"port": each["port"], "address": f"{LOOPBACK}:{ports[listener]}"}
                    for listener, each in sorted(
                        found["listeners"].items(), key=lambda item: item[1]["port"]
                    )
                    if each["balancer"] == arn and listener in ports
                ],
            }
            for arn, body in found["balancers"].items()
        ]
    }


def addresses(listeners: Mapping[str, Document], ports: Mapping[str, int]) -> dict[str, str]:
    """Load balancer -> the address of its listener with the lowest port."""
    found: dict[str, str] = {}
    for arn, each in sorted(listeners.items(), key=lambda item: item[1]["port"]):
        if arn in ports:
            found.setdefault(each["balancer"], f"{LOOPBACK}:{ports[arn]}")
    return found
