"""Service deployments and service revisions: listed, described, stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.ecs import releases, store
from labs_helpers.sandbox.ecs.call import EcsCall
from labs_helpers.sandbox.ecs.errors import InvalidParameter, NoService, NoServiceDeployment
from labs_helpers.sandbox.ecs.naming import Document, last, shown
from labs_helpers.sandbox.ecs.owner import TOPIC
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

_ARN = re.compile(
    r"arn:aws[\w-]*:ecs:[\w-]+:\d{12}:service-(?:deployment|revision)/([^/]+)/([^/]+)/[\w-]+"
)


def list_service_deployments(call: EcsCall, params: Members) -> Members:
    """The newest first, up to a hundred of a service."""
    with call.store.read() as db:
        cluster = call.cluster(db, params.get("cluster"))
        service = store.service(db, call.place, cluster, last(params["service"]))
    if service is None:
        raise NoService()
    wanted, created = params.get("status") or [], params.get("createdAt") or {}
    found = [
        each
        for each in releases.releases(service)
        if (not wanted or each["status"] in wanted) and _is_within(each["createdAt"], created)
    ]
    keyed = [([f"{at:09d}"], shown(releases.brief(each))) for at, each in enumerate(found)]
    listed, token = call.page(keyed, params, cluster, service["serviceName"], *wanted)
    return {"serviceDeployments": listed, "nextToken": token}


def describe_service_deployments(call: EcsCall, params: Members) -> Members:
    found, failures = [], []
    for arn in params["serviceDeploymentArns"]:
        service = _service(call, arn)
        release = None if service is None else _release(service, arn)
        if service is None or release is None:
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        with call.store.read() as db:
            cluster = last(service["clusterArn"])
            all_tasks = store.tasks(db, call.place, cluster, service["serviceName"])
        found.append(shown(releases.described(service, release, all_tasks)))
    return {"serviceDeployments": found, "failures": failures}


def describe_service_revisions(call: EcsCall, params: Members) -> Members:
    found, failures = [], []
    for arn in params["serviceRevisionArns"]:
        service = _service(call, arn)
        revision = None if service is None else releases.revision(service, arn)
        if revision is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(shown(revision))
    return {"serviceRevisions": found, "failures": failures}


def stop_service_deployment(call: EcsCall, params: Members) -> Members:
    """Roll a deployment back that is under way.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopServiceDeployment.html
    """
    arn = params["serviceDeploymentArn"]
    if params.get("stopType", "ROLLBACK") != "ROLLBACK":
        raise not_here("the stopType ABORT", "A deployment that is stopped is rolled back.")
    with call.store.write() as db:
        place = _named(arn)
        service = None if place is None else store.service(db, call.place, *place)
        release = None if service is None else _release(service, arn)
        if place is None or service is None or release is None:
            raise NoServiceDeployment()
        releases.stop(release, call.now)
        store.save_service(db, call.place, place[0], service)
        call.store.notify(TOPIC)
    return {"serviceDeploymentArn": arn}


def _service(call: EcsCall, arn: str) -> Document | None:
    place = _named(arn)
    if place is None:
        raise InvalidParameter(f"Invalid ARN: {arn}")
    with call.store.read() as db:
        return store.service(db, call.place, *place)


def _named(arn: str) -> tuple[str, str] | None:
    """(cluster, service) of the ARN of a service deployment or a service revision."""
    found = _ARN.fullmatch(arn)
    return None if found is None else (found[1], found[2])


def _release(service: Mapping[str, Any], arn: str) -> Document | None:
    return next(
        (each for each in releases.releases(service) if each["serviceDeploymentArn"] == arn), None
    )


def _is_within(at: float, created: Mapping[str, Any]) -> bool:
    after, before = created.get("after"), created.get("before")
    return (after is None or at > after.timestamp()) and (before is None or at < before.timestamp())
