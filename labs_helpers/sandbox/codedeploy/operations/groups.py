"""Deployment groups: made, changed, shown, listed, deleted."""

from __future__ import annotations

import sqlite3
import uuid
from typing import Any

from labs_helpers.sandbox.codedeploy import configs, groups, shown, store
from labs_helpers.sandbox.codedeploy.call import CodeDeployCall
from labs_helpers.sandbox.codedeploy.errors import Refused
from labs_helpers.sandbox.codedeploy.store import Document
from labs_helpers.sandbox.service.service import Members

_SHOWN = (
    *("deploymentGroupId", "deploymentGroupName", "deploymentConfigName", "serviceRoleArn"),
    *("alarmConfiguration", "autoRollbackConfiguration", "deploymentStyle", "ecsServices"),
    *("blueGreenDeploymentConfiguration", "loadBalancerInfo"),
)


def create_deployment_group(call: CodeDeployCall, params: Members) -> Members:
    """One group of a service of ECS; the caller's iam:PassRole was decided before."""
    application, name = params["applicationName"], params["deploymentGroupName"]
    groups.check_name(name, "DeploymentGroup")
    config = params.get("deploymentConfigName") or configs.USUAL
    with call.store.read() as db:
        call.application(db, application)
        call.traffic(db, config)
    call.check_role(params["serviceRoleArn"])
    made: Document = {
        "deploymentGroupId": str(uuid.uuid4()),
        "deploymentGroupName": name,
        "deploymentConfigName": config,
        "serviceRoleArn": params["serviceRoleArn"],
        **groups.check(params, call.place, call.around),
        "tags": {each["Key"]: each.get("Value", "") for each in params.get("tags") or []},
    }
    with call.store.write() as db:
        call.application(db, application)
        if store.group(db, call.place, application, name) is not None:
            raise _taken(name)
        _check_service(call, db, made)
        store.save_group(db, call.place, application, made)
    return {"deploymentGroupId": made["deploymentGroupId"]}


def update_deployment_group(call: CodeDeployCall, params: Members) -> Members:
    """What the request does not name remains."""
    application, name = params["applicationName"], params["currentDeploymentGroupName"]
    new = params.get("newDeploymentGroupName") or name
    groups.check_name(new, "DeploymentGroup")
    with call.store.read() as db:
        before = call.group(db, application, name)
        config = params.get("deploymentConfigName") or before["deploymentConfigName"]
        call.traffic(db, config)
    role = params.get("serviceRoleArn") or before["serviceRoleArn"]
    call.check_role(role)
    changed = {
        **before,
        **groups.check({**before, **params}, call.place, call.around),
        "deploymentGroupName": new,
        "deploymentConfigName": config,
        "serviceRoleArn": role,
    }
    with call.store.write() as db:
        call.group(db, application, name)
        if new != name and store.group(db, call.place, application, new) is not None:
            raise _taken(new)
        _check_service(call, db, changed)
        store.delete_group(db, call.place, application, name)
        store.save_group(db, call.place, application, changed)
    return {"hooksNotCleanedUp": []}


def get_deployment_group(call: CodeDeployCall, params: Members) -> Members:
    application = params["applicationName"]
    with call.store.read() as db:
        found = call.group(db, application, params["deploymentGroupName"])
        return {"deploymentGroupInfo": _shown(call, db, application, found)}


def batch_get_deployment_groups(call: CodeDeployCall, params: Members) -> Members:
    application, found, missing = params["applicationName"], [], []
    with call.store.read() as db:
        call.application(db, application)
        for name in params["deploymentGroupNames"]:
            group = store.group(db, call.place, application, name)
            if group is None:
                missing.append(name)
            else:
                found.append(_shown(call, db, application, group))
    answer: Members = {"deploymentGroupsInfo": found}
    if missing:
        answer["errorMessage"] = f"No Deployment Group found for name: {', '.join(missing)}"
    return answer


def list_deployment_groups(call: CodeDeployCall, params: Members) -> Members:
    application = params["applicationName"]
    with call.store.read() as db:
        call.application(db, application)
        listed = store.groups(db, call.place, application)
    names = [each["deploymentGroupName"] for each in listed]
    page, token = call.page([([name], name) for name in names], params, application)
    return {"applicationName": application, "deploymentGroups": page, "nextToken": token}


def delete_deployment_group(call: CodeDeployCall, params: Members) -> Members:
    """A group that is not there counts as deleted."""
    with call.store.write() as db:
        application, name = params["applicationName"], params["deploymentGroupName"]
        store.delete_group(db, call.place, application, name)
    return {"hooksNotCleanedUp": []}


def _check_service(call: CodeDeployCall, db: sqlite3.Connection, made: Document) -> None:
    """A service belongs to one group.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
    """
    for each in store.all_groups(db, call.place):
        if each["deploymentGroupId"] == made["deploymentGroupId"]:
            continue
        if each["ecsServices"] == made["ecsServices"]:
            raise Refused(
                "ECSServiceMappingLimitExceeded",
                "The Amazon ECS service is associated with more than one deployment groups.",
            )


def _taken(name: str) -> Refused:
    return Refused("DeploymentGroupAlreadyExists", f"A deployment group named {name} exists.")


def _shown(
    call: CodeDeployCall, db: sqlite3.Connection, application: str, found: Document
) -> dict[str, Any]:
    """deploymentGroupInfo, with its last deployments."""
    name = found["deploymentGroupName"]
    info: dict[str, Any] = {
        "applicationName": application,
        "ec2TagFilters": [],
        "onPremisesInstanceTagFilters": [],
        "autoScalingGroups": [],
        "triggerConfigurations": [],
        "computePlatform": "ECS",
        **{member: found[member] for member in _SHOWN},
    }
    attempts = store.deployments(db, call.place, application, name)
    successes = [each for each in attempts if each["status"] == "Succeeded"]
    for member, listed in (
        ("lastAttemptedDeployment", attempts),
        ("lastSuccessfulDeployment", successes),
    ):
        if listed:
            last = listed[0]
            info[member] = {
                "deploymentId": last["id"],
                "status": last["status"],
                "createTime": shown.time(last["created"]),
                **({"endTime": shown.time(last["completed"])} if "completed" in last else {}),
            }
    if successes and successes[0]["revision"]:
        info["targetRevision"] = successes[0]["revision"]
    return info
