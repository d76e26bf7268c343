"""Pipelines: made, changed, shown, deleted, tagged."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.codepipeline import definition, machine, shown, store
from labs_helpers.sandbox.codepipeline.call import PipelineCall
from labs_helpers.sandbox.codepipeline.errors import (
    InvalidStructure,
    NameInUse,
    ResourceNotFound,
    SystemTag,
    TooManyTags,
    VersionNotFound,
)
from labs_helpers.sandbox.codepipeline.sessions import CODEPIPELINE, keys
from labs_helpers.sandbox.iam.service_roles import RoleRefused
from labs_helpers.sandbox.service.service import Members

_JOBS = "The sandbox has AWS's own action types only, which need no worker of yours."
_HOOKS = "Nothing on the internet can call the sandbox."
NOT_BUILT = {
    **dict.fromkeys(
        (
            *("AcknowledgeJob", "AcknowledgeThirdPartyJob", "CreateCustomActionType"),
            *("DeleteCustomActionType", "GetJobDetails", "GetThirdPartyJobDetails", "PollForJobs"),
            *("PollForThirdPartyJobs", "PutJobFailureResult", "PutJobSuccessResult"),
            *("PutThirdPartyJobFailureResult", "PutThirdPartyJobSuccessResult"),
            *("GetActionType", "UpdateActionType"),
        ),
        _JOBS,
    ),
    **dict.fromkeys(
        (
            *("DeleteWebhook", "DeregisterWebhookWithThirdParty", "ListWebhooks", "PutWebhook"),
            "RegisterWebhookWithThirdParty",
        ),
        _HOOKS,
    ),
}


_TAGS = 50
"""Tags of a pipeline: https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-tag.html"""


def create_pipeline(call: PipelineCall, params: Members) -> Members:
    """Make a pipeline, whose first execution starts at once.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create.html
    """
    made = definition.with_defaults(params["pipeline"], 1)
    _check(call, made)
    now = call.now
    tags = _with_tags({}, params.get("tags", []), shown.arn(call.place, made["name"]))
    document = {
        "declaration": made,
        "created": now,
        "updated": now,
        "transitions": {},
        "seen": {},
        "tags": tags,
    }
    with call.store.write() as db:
        if store.pipeline(db, call.place, made["name"]) is not None:
            raise NameInUse(name=made["name"], account=call.account)
        store.save_pipeline(db, call.place, document)
        trigger = {"triggerType": "CreatePipeline", "triggerDetail": call.principal.arn}
        call.pipelines.start(db, call.place, document, trigger)
    return {"pipeline": made, "tags": params.get("tags", [])}


def update_pipeline(call: PipelineCall, params: Members) -> Members:
    """A new version of a pipeline. Executions that run keep the version they began with."""
    given = params["pipeline"]
    with call.store.read() as db:
        before = _found(call, db, given["name"])
    made = definition.with_defaults(given, before["declaration"]["version"] + 1)
    _check(call, made)
    with call.store.write() as db:
        fresh = _found(call, db, given["name"])
        made["version"] = fresh["declaration"]["version"] + 1
        fresh |= {"declaration": made, "updated": call.now}
        store.save_pipeline(db, call.place, fresh)
    return {"pipeline": made}


def get_pipeline(call: PipelineCall, params: Members) -> Members:
    name = params["name"]
    with call.store.read() as db:
        found = call.pipeline(db, name)
        made = found["declaration"]
        if number := params.get("version"):
            made = store.version(db, call.place, name, number)
            if made is None:
                raise VersionNotFound(name=name, version=number)
    metadata = {
        "pipelineArn": shown.arn(call.place, name),
        "created": store.at(found["created"]),
        "updated": store.at(found["updated"]),
    }
    return {"pipeline": made, "metadata": metadata}


def list_pipelines(call: PipelineCall, params: Members) -> Members:
    with call.store.read() as db:
        found = store.pipelines(db, call.place)
    keyed = [([each["declaration"]["name"]], each) for each in found]
    part, token = call.page(keyed, params)
    summaries = [
        {
            **{
                name: each["declaration"][name]
                for name in ("name", "version", "pipelineType", "executionMode")
            },
            "created": store.at(each["created"]),
            "updated": store.at(each["updated"]),
        }
        for each in part
    ]
    return {"pipelines": summaries, "nextToken": token}


def delete_pipeline(call: PipelineCall, params: Members) -> Members:
    """Remove a pipeline and its executions. A name without a pipeline is no error.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DeletePipeline.html lists no
    error for a missing pipeline. Actions that run are left to themselves.
    """
    name, at = params["name"], call.now
    with call.store.write() as db:
        for execution in store.executions(db, call.place, name, only_active=True):
            call.pipelines.tell(call.place, machine.abandon(execution, at))
        store.delete_pipeline(db, call.place, name)
    return {}


def list_tags_for_resource(call: PipelineCall, params: Members) -> Members:
    with call.store.read() as db:
        tags = _tagged(call, db, params["resourceArn"])["tags"]
    keyed = [([key], {"key": key, "value": value}) for key, value in sorted(tags.items())]
    part, token = call.page(keyed, params, params["resourceArn"])
    return {"tags": part, "nextToken": token}


def tag_resource(call: PipelineCall, params: Members) -> Members:
    with call.store.write() as db:
        found = _tagged(call, db, params["resourceArn"])
        found["tags"] = _with_tags(found["tags"], params["tags"], params["resourceArn"])
        store.save_pipeline(db, call.place, found)
    return {}


def untag_resource(call: PipelineCall, params: Members) -> Members:
    with call.store.write() as db:
        found = _tagged(call, db, params["resourceArn"])
        for key in params["tagKeys"]:
            found["tags"].pop(key, None)
        store.save_pipeline(db, call.place, found)
    return {}


def _tagged(call: PipelineCall, db: Any, arn: str) -> store.Document:
    name = arn.rpartition(":")[2]
    if arn != shown.arn(call.place, name):
        raise ResourceNotFound(account=call.account, name=name)
    return _found(call, db, name)


def _found(call: PipelineCall, db: Any, name: str) -> store.Document:
    """A pipeline to update or to tag; raises ResourceNotFound."""
    found = store.pipeline(db, call.place, name)
    if found is None:
        raise ResourceNotFound(account=call.account, name=name)
    return found


def _with_tags(before: dict[str, str], given: list[dict[str, str]], arn: str) -> dict[str, str]:
    """The tags of a pipeline with those of a request; raises SystemTag, TooManyTags."""
    if any(each["key"].startswith("aws:") for each in given):
        raise SystemTag
    tags = before | {each["key"]: each["value"] for each in given}
    if len(tags) > _TAGS:
        raise TooManyTags(arn=arn)
    return tags


def _check(call: PipelineCall, made: dict[str, Any]) -> None:
    """Raise for a definition that is none, and for a role that CodePipeline may not take."""
    definition.check(made, call.account, call.region)
    try:
        call.roles.check(made["roleArn"], CODEPIPELINE, keys(made["name"], call.place))
    except RoleRefused as error:
        raise InvalidStructure(
            f"CodePipeline is not authorized to perform AssumeRole on role {made['roleArn']}"
        ) from error
