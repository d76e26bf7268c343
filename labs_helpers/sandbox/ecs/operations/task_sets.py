"""Task sets of a service that CodeDeploy deploys: made, scaled, made primary, deleted.

CodeDeploy calls these with its service role, and people may:
https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.ecs import balanced, deployments, store, task_sets
from labs_helpers.sandbox.ecs.call import EcsCall
from labs_helpers.sandbox.ecs.errors import InvalidParameter, NoService, NoTaskSet, ServiceNotActive
from labs_helpers.sandbox.ecs.launch import check_launch
from labs_helpers.sandbox.ecs.naming import Document, last, shown
from labs_helpers.sandbox.ecs.owner import TOPIC
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

_MOST = 5
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""


def create_task_set(call: EcsCall, params: Members) -> Members:
    """Without a network configuration, the set has the service's.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateTaskSet.html
    """
    if params.get("serviceRegistries"):
        raise not_here("serviceRegistries of a task set", "There is no Cloud Map.")
    with call.store.write() as db:
        cluster, service = _service(call, db, params)
        if len(service["deployments"]) >= _MOST:
            raise InvalidParameter(f"A service has at most {_MOST} task sets.")
        definition = call.definition(db, params["taskDefinition"])
        network = params.get("networkConfiguration") or service["networkConfiguration"]
        launch = params.get("launchType") or "FARGATE"
        asked = {**params, "launchType": launch, "networkConfiguration": network}
        if params.get("capacityProviderStrategy"):
            asked["launchType"] = params.get("launchType")
        check_launch(call, db, cluster, asked, definition)
        listed = list(params.get("loadBalancers") or service["loadBalancers"])
        balanced.check(listed, definition, call.balancers)
        made = task_sets.add(
            service,
            listed,
            call.now,
            external=params.get("externalId") or "",
            taskDefinition=definition["taskDefinitionArn"],
            networkConfiguration=network,
            scale=_scale(params.get("scale") or task_sets.WHOLE),
        )
        made["_tags"] = list(params.get("tags") or [])
        found = _saved(call, db, cluster, service, made)
    return {"taskSet": found}


def describe_task_sets(call: EcsCall, params: Members) -> Members:
    with call.store.read() as db:
        cluster, service = _service(call, db, params)
        deployments.count(service, store.tasks(db, call.place, cluster, service["serviceName"]))
    wanted = [_id(each) for each in params.get("taskSets") or []]
    there = {each["id"]: each for each in service["deployments"]}
    tagged = "TAGS" in (params.get("include") or [])
    found = []
    for number in wanted or list(there):
        if number in there:
            document = task_sets.described(service, there[number])
            found.append(shown(document if tagged else {**document, "tags": []}))
    failures = [
        {"arn": task_sets.arn(service, number), "reason": "MISSING"}
        for number in wanted
        if number not in there
    ]
    return {"taskSets": found, "failures": failures}


def update_task_set(call: EcsCall, params: Members) -> Members:
    """Another scale."""
    with call.store.write() as db:
        cluster, service = _service(call, db, params)
        chosen = _set(service, params["taskSet"])
        if chosen["status"] == task_sets.DRAINING:
            raise InvalidParameter("The task set is DRAINING and cannot be updated.")
        chosen |= {"scale": _scale(params["scale"]), "updatedAt": call.now}
        return {"taskSet": _saved(call, db, cluster, service, chosen)}


def update_service_primary_task_set(call: EcsCall, params: Members) -> Members:
    with call.store.write() as db:
        cluster, service = _service(call, db, params)
        chosen = _set(service, params["primaryTaskSet"])
        if chosen["status"] == task_sets.DRAINING:
            raise InvalidParameter("A task set that is DRAINING cannot be the primary task set.")
        task_sets.make_primary(service, chosen, call.now)
        return {"taskSet": _saved(call, db, cluster, service, chosen)}


def delete_task_set(call: EcsCall, params: Members) -> Members:
    """A set that is scaled to nothing, or any with `force`: DRAINING until its tasks have stopped.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteTaskSet.html
    """
    with call.store.write() as db:
        cluster, service = _service(call, db, params)
        chosen = _set(service, params["taskSet"])
        if not params.get("force"):
            if chosen["status"] == deployments.PRIMARY:
                raise InvalidParameter("The primary task set cannot be deleted without force.")
            if chosen["desiredCount"]:
                raise InvalidParameter(
                    "The task set cannot be deleted while it is scaled above 0: use force."
                )
        task_sets.drain(chosen, call.now)
        return {"taskSet": _saved(call, db, cluster, service, chosen)}


def _service(call: EcsCall, db: sqlite3.Connection, params: Members) -> tuple[str, Document]:
    cluster = call.cluster(db, params["cluster"])
    found = store.service(db, call.place, cluster, last(params["service"]))
    if found is None:
        raise NoService()
    if found["status"] != store.ACTIVE:
        raise ServiceNotActive()
    if not task_sets.has(found):
        raise InvalidParameter(
            "Task sets are of services with a CODE_DEPLOY or an EXTERNAL deployment controller."
        )
    return cluster, found


def _saved(
    call: EcsCall, db: sqlite3.Connection, cluster: str, service: Document, chosen: Document
) -> Any:
    """Keep the service, wake the scheduler, and show the set."""
    chosen["desiredCount"] = task_sets.computed(service, chosen)
    service["_steady"] = False
    store.save_service(db, call.place, cluster, service)
    call.store.notify(TOPIC)
    deployments.count(service, store.tasks(db, call.place, cluster, service["serviceName"]))
    return shown(task_sets.described(service, chosen))


def _set(service: Mapping[str, Any], given: str) -> Document:
    for each in service["deployments"]:
        if each["id"] == _id(given):
            found: Document = each
            return found
    raise NoTaskSet()


def _id(given: str) -> str:
    """ "ecs-svc/123" of an ID or an ARN."""
    return f"ecs-svc/{last(given).rpartition('/')[2]}"


def _scale(given: Mapping[str, Any]) -> Document:
    value = given.get("value", 0.0)
    if given.get("unit", "PERCENT") != "PERCENT" or not 0 <= value <= 100:
        raise InvalidParameter(f"scale must be a percentage from 0 to 100: {value}")
    return {"value": float(value), "unit": "PERCENT"}
