"""Services: made, changed, described, listed, deleted."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecs import (
    balanced,
    controllers,
    deployments,
    shares,
    store,
    strategies,
    task_sets,
)
from labs_helpers.sandbox.ecs.call import EcsCall
from labs_helpers.sandbox.ecs.errors import InvalidParameter, NoService, ServiceNotActive
from labs_helpers.sandbox.ecs.launch import check_launch, check_network
from labs_helpers.sandbox.ecs.naming import Document, arn, last
from labs_helpers.sandbox.ecs.owner import TOPIC
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

_NAME = re.compile(r"[\w-]{1,255}", re.ASCII)
_LOOPBACK = "Each task has a port of 127.0.0.1: DescribeTasks shows it in networkBindings."
_MOST_DESCRIBED = 10
_REFUSED: Mapping[str, str] = {
    "serviceRegistries": _LOOPBACK,
    "serviceConnectConfiguration": _LOOPBACK,
    "vpcLatticeConfigurations": _LOOPBACK,
    "gatewayConnectors": _LOOPBACK,
    "enableExecuteCommand": "Use `docker exec` on the task's container: `docker ps` lists it.",
    "monitoring": "There are no metrics of a service.",
}
NOT_BUILT = {
    "ContinueServiceDeployment": "There are no lifecycle hooks to wait for.",
    "ListServicesByNamespace": "There is no Cloud Map.",
}


def create_service(call: EcsCall, params: Members) -> Members:
    name = params["serviceName"]
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            "Invalid service name: use letters, digits, hyphens and underscores, at most 255."
        )
    if not params.get("taskDefinition"):
        raise InvalidParameter("TaskDefinition cannot be null or empty.")
    _check(params)
    if params.get("schedulingStrategy", "REPLICA") != "REPLICA":
        raise InvalidParameter("The DAEMON scheduling strategy is not supported on Fargate.")
    with call.store.write() as db:
        cluster = call.cluster(db, params.get("cluster"))
        there = store.service(db, call.place, cluster, name)
        if there is not None and there["status"] == store.ACTIVE:
            raise InvalidParameter("Creation of service was not idempotent.")
        if there is not None and there["status"] == store.DRAINING:
            raise InvalidParameter("Unable to Start a service that is still Draining.")
        definition = call.definition(db, params["taskDefinition"])
        check_launch(call, db, cluster, params, definition)
        listed = list(params.get("loadBalancers") or [])
        balanced.check(listed, definition, call.balancers)
        config = strategies.configuration(params.get("deploymentConfiguration") or {}, {})
        strategies.check_balancers(config, listed, call.balancers, call.roles, call.place)
        controller = controllers.of(params)
        if controller == task_sets.CODE_DEPLOY:
            controllers.check_service(config, listed)
        made: Document = {
            "serviceArn": arn(call.place, f"service/{cluster}/{name}"),
            "serviceName": name,
            "clusterArn": arn(call.place, f"cluster/{cluster}"),
            "loadBalancers": listed,
            "serviceRegistries": [],
            "status": store.ACTIVE,
            "desiredCount": _count(params.get("desiredCount", 1)),
            "runningCount": 0,
            "pendingCount": 0,
            "launchType": "FARGATE",
            "platformVersion": "LATEST",
            "platformFamily": "Linux",
            "taskDefinition": definition["taskDefinitionArn"],
            "deploymentConfiguration": config,
            "deployments": [],
            "events": [],
            "createdAt": call.now,
            "placementConstraints": [],
            "placementStrategy": [],
            "networkConfiguration": params["networkConfiguration"],
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": controller},
            "createdBy": call.principal.arn,
            "enableECSManagedTags": bool(params.get("enableECSManagedTags")),
            "propagateTags": params.get("propagateTags") or "NONE",
            "enableExecuteCommand": False,
            **_grace(params, listed),
            "_tags": list(params.get("tags") or []),
            "_steady": False,
            "_images": _images(definition),
        }
        if task_sets.has(made):
            task_sets.add(made, listed, call.now)
        else:
            deployments.deploy(made, call.now)
        store.save_service(db, call.place, cluster, made)
        call.store.notify(TOPIC)
    return {"service": task_sets.answered(made)}


def update_service(call: EcsCall, params: Members) -> Members:
    """Another task definition, network or `forceNewDeployment` begins a deployment."""
    _check(params)
    with call.store.write() as db:
        cluster = call.cluster(db, params.get("cluster"))
        service = _service(call, db, cluster, params["service"])
        if service["status"] != store.ACTIVE:
            raise ServiceNotActive()
        controllers.check_update(params, service)
        before = service["taskDefinition"], service["networkConfiguration"]
        if params.get("taskDefinition"):
            definition = call.definition(db, params["taskDefinition"])
            network = params.get("networkConfiguration") or service["networkConfiguration"]
            asked = {**params, "launchType": "FARGATE", "networkConfiguration": network}
            check_launch(call, db, cluster, asked, definition)
            for each in service["loadBalancers"]:
                balanced.check_container(each, definition)
            service["taskDefinition"] = definition["taskDefinitionArn"]
            service["_images"] = _images(definition)
        if params.get("networkConfiguration"):
            check_network(params["networkConfiguration"])
            service["networkConfiguration"] = params["networkConfiguration"]
        if params.get("desiredCount") is not None:
            service["desiredCount"] = _count(params["desiredCount"])
            if not task_sets.has(service):
                deployments.primary(service)["desiredCount"] = service["desiredCount"]
            service["_steady"] = False
        if params.get("healthCheckGracePeriodSeconds") is not None:
            service |= _grace(params, service["loadBalancers"])
        if params.get("propagateTags"):
            service["propagateTags"] = params["propagateTags"]
        given = params.get("deploymentConfiguration") or {}
        config = strategies.configuration(given, service["deploymentConfiguration"])
        if given and task_sets.has(service):
            controllers.check_service(config, service["loadBalancers"])
        if given:
            listed = service["loadBalancers"]
            strategies.check_balancers(config, listed, call.balancers, call.roles, call.place)
        service["deploymentConfiguration"] = config
        after = service["taskDefinition"], service["networkConfiguration"]
        if after != before or params.get("forceNewDeployment"):
            deployments.deploy(service, call.now, shares.groups(service))
        store.save_service(db, call.place, cluster, service)
        call.store.notify(TOPIC)
        deployments.count(service, store.tasks(db, call.place, cluster, service["serviceName"]))
    return {"service": task_sets.answered(service)}


def describe_services(call: EcsCall, params: Members) -> Members:
    found, failures = [], []
    with call.store.read() as db:
        cluster = call.cluster(db, params.get("cluster"))
        if not params["services"]:
            raise InvalidParameter("Services cannot be empty.")
        if len(params["services"]) > _MOST_DESCRIBED:
            raise InvalidParameter(f"service names can have at most {_MOST_DESCRIBED} items.")
        for each in params["services"]:
            service = store.service(db, call.place, cluster, last(each))
            if service is None:
                where = arn(call.place, f"service/{cluster}/{last(each)}")
                failures.append({"arn": where, "reason": "MISSING"})
                continue
            deployments.count(service, store.tasks(db, call.place, cluster, last(each)))
            document = task_sets.answered(service)
            if "TAGS" in (params.get("include") or []):
                document["tags"] = service["_tags"]
            found.append(document)
    return {"services": found, "failures": failures}


def list_services(call: EcsCall, params: Members) -> Members:
    with call.store.read() as db:
        cluster = call.cluster(db, params.get("cluster"))
        here = store.services(db, call.place, cluster)
    keyed = [
        ([each["serviceArn"]], each["serviceArn"])
        for each in here
        if each["status"] != store.INACTIVE
        and params.get("launchType", "FARGATE") == "FARGATE"
        and params.get("schedulingStrategy", "REPLICA") == "REPLICA"
    ]
    arns, token = call.page(sorted(keyed), params, cluster, size=10)
    return {"serviceArns": arns, "nextToken": token}


def delete_service(call: EcsCall, params: Members) -> Members:
    """A service without tasks, or any with `force`: DRAINING until its tasks have stopped.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html
    """
    with call.store.write() as db:
        cluster = call.cluster(db, params.get("cluster"))
        service = _service(call, db, cluster, params["service"])
        if service["status"] == store.INACTIVE:
            raise ServiceNotActive()
        if service["desiredCount"] > 0 and not params.get("force"):
            raise InvalidParameter("The service cannot be stopped while it is scaled above 0.")
        service |= {"status": store.DRAINING, "desiredCount": 0}
        store.save_service(db, call.place, cluster, service)
        call.store.notify(TOPIC)
        deployments.count(service, store.tasks(db, call.place, cluster, service["serviceName"]))
    return {"service": task_sets.answered(service)}


def _service(call: EcsCall, db: sqlite3.Connection, cluster: str, given: str) -> Document:
    found = store.service(db, call.place, cluster, last(given))
    if found is None:
        raise NoService()
    return found


def _images(definition: Mapping[str, Any]) -> list[Document]:
    """containerImages of a service revision, before a task has found the digests."""
    return [
        {"containerName": each["name"], "image": each["image"]}
        for each in definition["containerDefinitions"]
    ]


def _grace(params: Mapping[str, Any], listed: Sequence[Any]) -> Document:
    """healthCheckGracePeriodSeconds, which only a service behind a load balancer has."""
    seconds = params.get("healthCheckGracePeriodSeconds")
    if seconds is None:
        return {"healthCheckGracePeriodSeconds": 0} if listed else {}
    if not listed:
        raise InvalidParameter(
            "Health check grace period is only valid for services configured to use load balancers"
        )
    return {"healthCheckGracePeriodSeconds": seconds}


def _count(number: int) -> int:
    if number < 0:
        raise InvalidParameter("desiredCount cannot be negative.")
    return number


def _check(params: Mapping[str, Any]) -> None:
    for name, why in _REFUSED.items():
        if params.get(name):
            raise not_here(f"{name} of a service", why)
