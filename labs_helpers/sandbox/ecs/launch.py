"""What RunTask, CreateService and UpdateService have in common: where tasks run, and how."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.ecs import store
from labs_helpers.sandbox.ecs.call import EcsCall
from labs_helpers.sandbox.ecs.errors import InvalidParameter
from labs_helpers.sandbox.ecs.naming import Document
from labs_helpers.sandbox.service.errors import not_here

_NO_INSTANCES = "No Container Instances were found in your cluster."
_PROVIDERS = ("FARGATE", "FARGATE_SPOT")


def check_launch(
    call: EcsCall,
    db: sqlite3.Connection,
    cluster: str,
    params: Mapping[str, Any],
    definition: Mapping[str, Any],
) -> None:
    """Raise InvalidParameter or NotHere unless the request can run as on Fargate.

    Without launch type and strategy, the cluster's default strategy decides, and then EC2, as on
    AWS: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
    """
    for name in ("placementConstraints", "placementStrategy"):
        if params.get(name):
            raise InvalidParameter(
                "Placement constraints and strategies are not supported with launch type FARGATE."
            )
    if params.get("volumeConfigurations"):
        raise not_here("volumeConfigurations", "A container has the files of its image.")
    if not _on_fargate(call, db, cluster, params):
        raise InvalidParameter(_NO_INSTANCES)
    if "FARGATE" not in definition["compatibilities"]:
        raise InvalidParameter("Task definition does not support launch_type FARGATE.")
    check_network(params.get("networkConfiguration"))
    version = params.get("platformVersion") or "LATEST"
    if version not in ("LATEST", "1.4.0"):
        raise not_here(f"platformVersion {version}", "Use LATEST, which is 1.4.0.")


def check_network(network: Mapping[str, Any] | None) -> None:
    """Raise InvalidParameter for a network configuration without subnets.

    The subnets, the security groups and the public address change nothing here: a task has ports of
    this machine's loopback address.
    """
    if not network or not network.get("awsvpcConfiguration"):
        raise InvalidParameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    if not network["awsvpcConfiguration"].get("subnets"):
        raise InvalidParameter("subnets can not be empty.")


def _on_fargate(
    call: EcsCall, db: sqlite3.Connection, cluster: str, params: Mapping[str, Any]
) -> bool:
    strategy = params.get("capacityProviderStrategy")
    if params.get("launchType") and strategy:
        raise InvalidParameter(
            "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again."
        )
    if params.get("launchType"):
        return bool(params["launchType"] == "FARGATE")
    document: Document = store.cluster(db, call.place, cluster) or {}
    strategy = strategy or document.get("defaultCapacityProviderStrategy") or []
    return bool(strategy) and all(each["capacityProvider"] in _PROVIDERS for each in strategy)
