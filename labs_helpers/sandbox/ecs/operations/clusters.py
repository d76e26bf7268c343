"""Clusters: made, listed, described, deleted."""

from __future__ import annotations

import re
import sqlite3

from labs_helpers.sandbox.ecs import store, tasks
from labs_helpers.sandbox.ecs.call import DEFAULT, EcsCall
from labs_helpers.sandbox.ecs.errors import (
    ClusterHasServices,
    ClusterHasTasks,
    InvalidParameter,
    NoCluster,
)
from labs_helpers.sandbox.ecs.naming import Document, arn, last, shown
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

_NAME = re.compile(r"[\w-]{1,255}", re.ASCII)
_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
_FARGATE_ONLY = "Tasks run as on Fargate: there are no container instances."
NOT_BUILT = {
    **dict.fromkeys(
        (
            *("CreateCapacityProvider", "DeleteCapacityProvider", "DescribeCapacityProviders"),
            *("DeregisterContainerInstance", "DescribeContainerInstances", "UpdateContainerAgent"),
            *("ListContainerInstances", "PutAttributes", "RegisterContainerInstance"),
            *("UpdateCapacityProvider", "UpdateContainerInstancesState"),
        ),
        _FARGATE_ONLY,
    ),
}


def create_cluster(call: EcsCall, params: Members) -> Members:
    """A cluster; creating one that is there answers with the cluster as it is."""
    name = params.get("clusterName") or DEFAULT
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            "Invalid cluster name: use letters, digits, hyphens and underscores, at most 255."
        )
    providers = params.get("capacityProviders") or []
    for each in providers:
        if each not in _PROVIDERS:
            raise not_here(f"the capacity provider {each}", _FARGATE_ONLY)
    if params.get("serviceConnectDefaults"):
        raise not_here("serviceConnectDefaults", "Tasks reach each other at their loopback ports.")
    made: Document = {
        "clusterArn": arn(call.place, f"cluster/{name}"),
        "clusterName": name,
        "status": store.ACTIVE,
        "registeredContainerInstancesCount": 0,
        "statistics": [],
        "settings": params.get("settings") or [{"name": "containerInsights", "value": "disabled"}],
        "capacityProviders": providers,
        "defaultCapacityProviderStrategy": params.get("defaultCapacityProviderStrategy") or [],
        "_tags": list(params.get("tags") or []),
        **{k: params[k] for k in ("configuration",) if k in params},
    }
    with call.store.write() as db:
        there = store.cluster(db, call.place, name)
        if there is None or there["status"] != store.ACTIVE:
            store.save_cluster(db, call.place, made)
            there = made
        return {"cluster": _shown(call, db, there, ["TAGS"])}


def describe_clusters(call: EcsCall, params: Members) -> Members:
    found, failures = [], []
    with call.store.read() as db:
        for each in params.get("clusters") or [DEFAULT]:
            document = store.cluster(db, call.place, last(each))
            if document is None:
                where = arn(call.place, f"cluster/{last(each)}")
                failures.append({"arn": where, "reason": "MISSING"})
            else:
                found.append(_shown(call, db, document, params.get("include") or []))
    return {"clusters": found, "failures": failures}


def list_clusters(call: EcsCall, params: Members) -> Members:
    with call.store.read() as db:
        here = store.clusters(db, call.place)
    keyed = [
        ([each["clusterArn"]], each["clusterArn"])
        for each in here
        if each["status"] == store.ACTIVE
    ]
    arns, token = call.page(sorted(keyed), params)
    return {"clusterArns": arns, "nextToken": token}


def update_cluster(call: EcsCall, params: Members) -> Members:
    return _changed(call, params, ("settings", "configuration"))


def update_cluster_settings(call: EcsCall, params: Members) -> Members:
    return _changed(call, params, ("settings",))


def put_cluster_capacity_providers(call: EcsCall, params: Members) -> Members:
    for each in params["capacityProviders"]:
        if each not in _PROVIDERS:
            raise not_here(f"the capacity provider {each}", _FARGATE_ONLY)
    return _changed(call, params, ("capacityProviders", "defaultCapacityProviderStrategy"))


def delete_cluster(call: EcsCall, params: Members) -> Members:
    """A deleted cluster is INACTIVE, and DescribeClusters still shows the cluster.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html
    """
    with call.store.write() as db:
        name = call.cluster(db, params["cluster"])
        for each in store.in_use(db, call.place, name):
            raise ClusterHasServices() if each == "services" else ClusterHasTasks()
        document = store.cluster(db, call.place, name)
        if document is None:
            raise NoCluster()
        document["status"] = store.INACTIVE
        store.save_cluster(db, call.place, document)
        return {"cluster": _shown(call, db, document, [])}


def _changed(call: EcsCall, params: Members, names: tuple[str, ...]) -> Members:
    with call.store.write() as db:
        document = store.cluster(db, call.place, call.cluster(db, params["cluster"]))
        if document is None:
            raise NoCluster()
        document |= {name: params[name] for name in names if name in params}
        store.save_cluster(db, call.place, document)
        return {"cluster": _shown(call, db, document, [])}


def _shown(
    call: EcsCall, db: sqlite3.Connection, document: Document, include: list[str]
) -> Members:
    name = document["clusterName"]
    states = [each["lastStatus"] for each in store.tasks(db, call.place, name)]
    active = [
        each for each in store.services(db, call.place, name) if each["status"] == store.ACTIVE
    ]
    counts = {
        "runningTasksCount": states.count(tasks.RUNNING),
        "pendingTasksCount": states.count(tasks.PENDING) + states.count(tasks.PROVISIONING),
        "activeServicesCount": len(active),
        "tags": document["_tags"] if "TAGS" in include else [],
    }
    return dict(shown(document | counts))
