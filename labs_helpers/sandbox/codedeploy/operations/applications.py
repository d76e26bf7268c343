"""Applications: made, renamed, shown, listed, deleted; and tags."""

from __future__ import annotations

import re
import uuid
from typing import Any

from labs_helpers.sandbox.codedeploy import shown, store
from labs_helpers.sandbox.codedeploy.call import CodeDeployCall
from labs_helpers.sandbox.codedeploy.errors import NoApplication, NoGroup, Refused
from labs_helpers.sandbox.codedeploy.groups import check_name
from labs_helpers.sandbox.codedeploy.store import Document
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

_ARN = re.compile(
    r"arn:aws[\w-]*:codedeploy:[\w-]+:\d{12}:"
    r"(?:application:(?P<app>[^/:]+)|deploymentgroup:(?P<of>[^/:]+)/(?P<group>[^/:]+))"
)
_ANY = re.compile(r"arn:aws[\w-]*:codedeploy:[\w-]+:\d{12}:[\w-]+:.+")
"""An ARN of CodeDeploy, tags or none:
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListTagsForResource.html#API_ListTagsForResource_Errors"""
_SERVERS = (
    "There are no instances here, and no agent of CodeDeploy runs: use the compute platform ECS."
)
_REVISIONS = "Name the revision in CreateDeployment, which keeps it with the deployment."
NOT_BUILT = {
    **dict.fromkeys(
        (
            *("AddTagsToOnPremisesInstances", "BatchGetDeploymentInstances"),
            *("BatchGetOnPremisesInstances", "DeregisterOnPremisesInstance"),
            *("GetDeploymentInstance", "GetOnPremisesInstance", "ListDeploymentInstances"),
            *("ListOnPremisesInstances", "RegisterOnPremisesInstance"),
            "RemoveTagsFromOnPremisesInstances",
        ),
        _SERVERS,
    ),
    **dict.fromkeys(
        (
            *("BatchGetApplicationRevisions", "GetApplicationRevision"),
            *("ListApplicationRevisions", "RegisterApplicationRevision"),
        ),
        _REVISIONS,
    ),
    **dict.fromkeys(
        ("DeleteGitHubAccountToken", "ListGitHubAccountTokenNames"),
        "The sandbox reaches no GitHub.",
    ),
    "PutLifecycleEventHookExecutionStatus": "Hooks are AWS Lambda functions, which the sandbox "
    "does not run: no deployment waits for the status of a hook.",
    "SkipWaitTimeForInstanceTermination": "AWS has put ContinueDeployment in its place: use "
    "--deployment-wait-type TERMINATION_WAIT.",
    "DeleteResourcesByExternalId": "AWS CloudFormation calls this, and the sandbox's does not.",
}


def create_application(call: CodeDeployCall, params: Members) -> Members:
    name, platform = params["applicationName"], params.get("computePlatform", "Server")
    check_name(name, "Application")
    if platform != "ECS":
        raise not_here(
            f"applications for the compute platform {platform}",
            _SERVERS if platform == "Server" else "There is no AWS Lambda: use ECS.",
        )
    made: Document = {
        "applicationId": str(uuid.uuid4()),
        "applicationName": name,
        "computePlatform": platform,
        "created": call.now,
        "tags": _tags(params.get("tags")),
    }
    with call.store.write() as db:
        if store.application(db, call.place, name) is not None:
            raise _taken(name)
        store.save_application(db, call.place, made)
    return {"applicationId": made["applicationId"]}


def get_application(call: CodeDeployCall, params: Members) -> Members:
    with call.store.read() as db:
        return {"application": _shown(call.application(db, params["applicationName"]))}


def batch_get_applications(call: CodeDeployCall, params: Members) -> Members:
    with call.store.read() as db:
        found = [call.application(db, name) for name in params["applicationNames"]]
    return {"applicationsInfo": [_shown(each) for each in found]}


def list_applications(call: CodeDeployCall, params: Members) -> Members:
    with call.store.read() as db:
        keyed = [([name], name) for name in store.applications(db, call.place)]
    listed, token = call.page(keyed, params)
    return {"applications": listed, "nextToken": token}


def update_application(call: CodeDeployCall, params: Members) -> Members:
    """Another name."""
    old, new = params.get("applicationName", ""), params.get("newApplicationName") or ""
    if not new:
        return {}
    check_name(new, "Application")
    with call.store.write() as db:
        found = call.application(db, old)
        if store.application(db, call.place, new) is not None:
            raise _taken(new)
        store.rename_application(db, call.place, old, new)
        store.save_application(db, call.place, {**found, "applicationName": new})
    return {}


def delete_application(call: CodeDeployCall, params: Members) -> Members:
    """An application that is not there counts as deleted, as on AWS."""
    with call.store.write() as db:
        store.delete_application(db, call.place, params["applicationName"])
    return {}


def tag_resource(call: CodeDeployCall, params: Members) -> Members:
    def change(tags: dict[str, str]) -> None:
        tags.update(_tags(params["Tags"]))

    return _change_tags(call, params["ResourceArn"], change)


def untag_resource(call: CodeDeployCall, params: Members) -> Members:
    def change(tags: dict[str, str]) -> None:
        for key in params["TagKeys"]:
            tags.pop(key, None)

    return _change_tags(call, params["ResourceArn"], change)


def list_tags_for_resource(call: CodeDeployCall, params: Members) -> Members:
    with call.store.read() as db:
        _, found = _tagged(call, db, params["ResourceArn"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in found["tags"].items()]}


def _change_tags(call: CodeDeployCall, arn: str, change: Any) -> Members:
    with call.store.write() as db:
        application, found = _tagged(call, db, arn)
        change(found["tags"])
        if application:
            store.save_group(db, call.place, application, found)
        else:
            store.save_application(db, call.place, found)
    return {}


def _tagged(call: CodeDeployCall, db: Any, arn: str) -> tuple[str, Document]:
    """(application of a deployment group, or empty; document) of an ARN."""
    named = _ARN.fullmatch(arn)
    if named is None and _ANY.fullmatch(arn):
        raise Refused("ArnNotSupported", f"{arn}: an application or a deployment group has tags.")
    if named is None:
        raise Refused("InvalidArn", f"{arn} is the ARN of no application or deployment group.")
    if named["app"]:
        found = store.application(db, call.place, named["app"])
        if found is None:
            raise NoApplication(name=named["app"])
        return "", found
    found = store.group(db, call.place, named["of"], named["group"])
    if found is None:
        raise NoGroup(name=named["group"])
    return named["of"], found


def _tags(given: Any) -> dict[str, str]:
    return {each["Key"]: each.get("Value", "") for each in given or []}


def _taken(name: str) -> Refused:
    return Refused("ApplicationAlreadyExists", f"An application with the name {name} exists.")


def _shown(found: Document) -> Document:
    return {
        **{name: found[name] for name in ("applicationId", "applicationName", "computePlatform")},
        "createTime": shown.time(found["created"]),
        "linkedToGitHub": False,
    }
