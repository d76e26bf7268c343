"""Deployments: made, shown, listed, stopped, continued; and their targets."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.codedeploy import appspec, deployments, groups, shown, store
from labs_helpers.sandbox.codedeploy.call import CodeDeployCall
from labs_helpers.sandbox.codedeploy.deployments import ENDED, ON_REQUEST, READY, STOPPED
from labs_helpers.sandbox.codedeploy.errors import Completed, Refused
from labs_helpers.sandbox.codedeploy.store import Document
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

_STOPPED = "No more commands will be scheduled for execution in the deployment instances"
_MEMBERS = {"S3": "s3Location", "AppSpecContent": "appSpecContent", "String": "string"}
_MOST = 25
_OF_SERVERS = ("targetInstances", "updateOutdatedInstancesOnly", "ec2DeploymentOptions")


def create_deployment(call: CodeDeployCall, params: Members) -> Members:
    """One deployment at a time in a group.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeployment.html
    https://github.com/CircleCI-Public/aws-ecs-orb/issues/181 (the group has an active deployment)
    AWS asks for the rights to the configuration and to register the revision, too:
    https://github.com/sourcetoad/aws-codedeploy-action/issues/32
    """
    application, name = params["applicationName"], params.get("deploymentGroupName")
    if not name:
        raise Refused("DeploymentGroupNameRequired", "Deployment Group name is missing")
    for member in _OF_SERVERS:
        if params.get(member):
            raise Refused("InvalidInput", f"For ECS deployment, {member} can not be specified")
    revision = _revision(params.get("revision"))
    with call.store.read() as db:
        found = call.group(db, application, name)
        config = params.get("deploymentConfigName") or found["deploymentConfigName"]
        traffic = call.traffic(db, config)
    call.require("codedeploy:GetDeploymentConfig", call.arn(f"deploymentconfig:{config}"))
    call.require("codedeploy:RegisterApplicationRevision", call.arn(f"application:{application}"))
    more: dict[str, Any] = {}
    if params.get("description"):
        more["description"] = params["description"]
    if params.get("autoRollbackConfiguration"):
        more["autoRollback"] = groups.rollback(params["autoRollbackConfiguration"])
    if params.get("overrideAlarmConfiguration"):
        override = groups.alarms(params["overrideAlarmConfiguration"])
        more |= {"override": override, "alarms": override}
    with call.store.write() as db:
        found = call.group(db, application, name)
        before = store.deployments(db, call.place, application, name)
        for each in before:
            if each["status"] not in ENDED:
                raise Refused(
                    "DeploymentLimitExceeded",
                    f"The Deployment Group '{name}' already has an active Deployment "
                    f"'{each['id']}'",
                )
        good = [each for each in before if each["status"] == "Succeeded" and each["revision"]]
        more["previous"] = good[0]["revision"] if good else None
        made = deployments.new(application, found, revision, config, traffic, call.now, **more)
        store.add_deployment(db, call.place, made)
        call.store.notify(store.TOPIC)
    return {"deploymentId": made["id"]}


def get_deployment(call: CodeDeployCall, params: Members) -> Members:
    with call.store.read() as db:
        found, _ = call.deployment(db, params["deploymentId"])
    return {"deploymentInfo": shown.deployment(found)}


def batch_get_deployments(call: CodeDeployCall, params: Members) -> Members:
    if len(params["deploymentIds"]) > _MOST:
        raise Refused("BatchLimitExceeded", f"At most {_MOST} deployments may be named.")
    with call.store.read() as db:
        found = [call.deployment(db, each)[0] for each in params["deploymentIds"]]
    return {"deploymentsInfo": [shown.deployment(each) for each in found]}


def list_deployments(call: CodeDeployCall, params: Members) -> Members:
    """The newest first, of everything or of one group.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html
    """
    application, name = params.get("applicationName"), params.get("deploymentGroupName")
    if name and not application:
        raise Refused("ApplicationNameRequired", "Application name is missing")
    if application and not name:
        raise Refused("DeploymentGroupNameRequired", "Deployment Group name is missing")
    wanted = params.get("includeOnlyStatuses") or []
    within = params.get("createTimeRange") or {}
    with call.store.read() as db:
        if application and name:
            call.group(db, application, name)
        found = store.deployments(db, call.place, application or "", name or "")
    listed = [
        each["id"]
        for each in found
        if (not wanted or each["status"] in wanted) and _is_within(each["created"], within)
    ]
    keyed = [([f"{at:09d}"], each) for at, each in enumerate(listed)]
    page, token = call.page(keyed, params, application or "", name or "", *wanted)
    return {"deployments": page, "nextToken": token}


def stop_deployment(call: CodeDeployCall, params: Members) -> Members:
    """Whether AWS rolls back is autoRollbackEnabled, or else what the deployment is set to.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
    """
    with call.store.write() as db:
        found, version = call.deployment(db, params["deploymentId"])
        if found["status"] in ENDED or found["terminating"]:
            raise Completed(id=found["id"])
        back = params.get("autoRollbackEnabled")
        rollback = deployments.end(
            found,
            STOPPED,
            call.now,
            "MANUAL_STOP",
            "The deployment was stopped by a request.",
            ON_REQUEST,
            back,
        )
        store.save_deployment(db, found, version)
        if rollback is not None:
            store.add_deployment(db, call.place, rollback)
        call.driver.announce(call.place, found)
        call.store.notify(store.TOPIC)
    return {"status": "Succeeded", "statusMessage": _STOPPED}


def continue_deployment(call: CodeDeployCall, params: Members) -> Members:
    """READY_WAIT: move the traffic now; TERMINATION_WAIT: delete the original task set now."""
    wait = params.get("deploymentWaitType") or "READY_WAIT"
    with call.store.write() as db:
        found, version = call.deployment(db, params.get("deploymentId") or "")
        if found["status"] in ENDED:
            raise Completed(id=found["id"])
        if wait == "READY_WAIT":
            if found["status"] != READY:
                raise _not_waiting(found)
            found |= {"rerouted": True, "status": deployments.IN_PROGRESS, "until": 0.0}
        elif all(each["status"] == "Succeeded" for each in found["events"]):
            found["terminating"] = True
        else:
            raise _not_waiting(found)
        store.save_deployment(db, found, version)
        call.store.notify(store.TOPIC)
    return {}


def list_deployment_targets(call: CodeDeployCall, params: Members) -> Members:
    """The one target of a deployment to ECS: cluster:service."""
    filters = params.get("targetFilters") or {}
    with call.store.read() as db:
        found, _ = call.deployment(db, params["deploymentId"])
    status = shown.target(found, call.place)["ecsTarget"]["status"]
    kept = all(status in values for name, values in filters.items() if name == "TargetStatus")
    return {"targetIds": [shown.target_id(found)] if kept else []}


def get_deployment_target(call: CodeDeployCall, params: Members) -> Members:
    with call.store.read() as db:
        found, _ = call.deployment(db, params["deploymentId"])
    return {"deploymentTarget": _target(call, found, params["targetId"])}


def batch_get_deployment_targets(call: CodeDeployCall, params: Members) -> Members:
    with call.store.read() as db:
        found, _ = call.deployment(db, params["deploymentId"])
    return {"deploymentTargets": [_target(call, found, each) for each in params["targetIds"]]}


def _target(call: CodeDeployCall, found: Document, wanted: str) -> Document:
    if wanted != shown.target_id(found):
        raise Refused(
            "DeploymentTargetDoesNotExist",
            f"The deployment {found['id']} does not have a target with the ID {wanted}.",
        )
    return shown.target(found, call.place)


def _not_waiting(found: Document) -> Refused:
    return Refused(
        "DeploymentIsNotInReadyState", f"The deployment {found['id']} does not wait for this."
    )


def _revision(given: Mapping[str, Any] | None) -> Document:
    """The revision with the SHA-256 of its content; raises Refused, NotHere."""
    if not given:
        raise Refused("RevisionRequired", "RevisionLocation must be specified")
    kind = given.get("revisionType", "")
    if kind == "GitHub":
        raise not_here("revisions on GitHub", "Give the AppSpec file as AppSpecContent.")
    if kind not in _MEMBERS or not given.get(_MEMBERS[kind]):
        raise Refused(
            "InvalidRevision", "A revision has a revisionType, and the member of this type."
        )
    place = dict(given[_MEMBERS[kind]])
    if kind == "S3":
        if place.get("bundleType", "YAML") not in ("YAML", "JSON"):
            raise Refused("InvalidRevision", "BundleType must be either YAML or JSON")
        if not place.get("bucket") or not place.get("key"):
            raise Refused("InvalidRevision", "s3Location must have bucket and key.")
    else:
        content = place.get("content") or ""
        digest = hashlib.sha256(content.encode()).hexdigest()
        if place.get("sha256") and place["sha256"].lower() != digest:
            raise Refused(
                "InvalidRevision", "The SHA-256 of the content is not the one that is given."
            )
        # hooks are refused at once; what is invalid fails the deployment, as on AWS
        with contextlib.suppress(appspec.Invalid):
            appspec.read(content)
        place["sha256"] = digest
    return {"revisionType": kind, _MEMBERS[kind]: place}


def _is_within(created: float, within: Mapping[str, Any]) -> bool:
    start, end = within.get("start"), within.get("end")
    return not ((start and created < start.timestamp()) or (end and created > end.timestamp()))
