"""Executions: started, stopped, looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.codepipeline import machine, shown, store
from labs_helpers.sandbox.codepipeline.call import PipelineCall
from labs_helpers.sandbox.codepipeline.errors import (
    DuplicatedStop,
    Invalid,
    NotFoundAtStart,
    NotStoppable,
)
from labs_helpers.sandbox.service.service import Members

NOT_BUILT = {
    "PutActionRevision": "A source says by itself when it has changed.",
    "ListDeployActionExecutionTargets": "The sandbox does not deploy to instances.",
    "ListActionTypes": "The definition of a pipeline names the types that the sandbox has.",
}


def start_pipeline_execution(call: PipelineCall, params: Members) -> Members:
    """Start an execution with variables and with revisions of its sources.

    A token that was used before gets the execution that it started.
    """
    name, token = params["name"], params.get("clientRequestToken")
    with call.store.write() as db:
        pipeline = store.pipeline(db, call.place, name)
        if pipeline is None:
            raise NotFoundAtStart(name=name, account=call.account)
        for each in store.executions(db, call.place, name) if token else ():
            if each.get("token") == token:
                return {"pipelineExecutionId": each["id"]}
        variables = _variables(pipeline["declaration"], params.get("variables", []))
        overrides = params.get("sourceRevisions", [])
        _check_revisions(pipeline["declaration"], overrides)
        trigger = {
            "triggerType": "StartPipelineExecution",
            "triggerDetail": call.principal.arn,
        }
        made = call.pipelines.start(db, call.place, pipeline, trigger, variables, overrides)
        if token:
            fresh = store.execution(db, made["id"])
            if fresh is not None:
                store.save_execution(db, {**fresh, "token": token})
    return {"pipelineExecutionId": made["id"]}


def stop_pipeline_execution(call: PipelineCall, params: Members) -> Members:
    """Stop after the actions that run (wait), or leave the actions to themselves (abandon).

    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html
    """
    name, wanted = params["pipelineName"], params["pipelineExecutionId"]
    abandon = params.get("abandon", False)
    with call.store.write() as db:
        found = call.execution(db, name, wanted)
        if found["status"] not in store.ACTIVE:
            raise NotStoppable(
                f"Pipeline execution {wanted} cannot be stopped: it has the status "
                f"{found['status']}"
            )
        before = found.get("stop")
        if before and (before["abandon"] or not abandon):
            raise DuplicatedStop(f"Pipeline execution {wanted} is being stopped already")
        reason = params.get("reason") or (before or {}).get("reason", "")
        found["stop"] = {"abandon": abandon, "reason": reason}
        found["status"] = "Stopping"
        changes = [machine.Change(found, "STOPPING")]
        if abandon:
            changes += machine.abandon(found, call.now)
        store.save_execution(db, found)
        call.pipelines.tell(call.place, changes)
        call.pipelines.advance(db, call.place, name)
    return {"pipelineExecutionId": wanted}


def get_pipeline_execution(call: PipelineCall, params: Members) -> Members:
    with call.store.read() as db:
        found = call.execution(db, params["pipelineName"], params["pipelineExecutionId"])
    return {"pipelineExecution": shown.execution(found)}


def get_pipeline_state(call: PipelineCall, params: Members) -> Members:
    with call.store.read() as db:
        pipeline = call.pipeline(db, params["name"])
        found = store.executions(db, call.place, params["name"])
    return shown.state(pipeline, found)


def list_pipeline_executions(call: PipelineCall, params: Members) -> Members:
    """The newest first."""
    name = params["pipelineName"]
    stage = params.get("filter", {}).get("succeededInStage", {}).get("stageName", "")
    with call.store.read() as db:
        pipeline = call.pipeline(db, name)
        if stage:
            call.stage(pipeline, stage)
        found = store.executions(db, call.place, name)
    kept = [
        (place, each)
        for place, each in enumerate(found)
        if not stage or each["stages"].get(stage) == "Succeeded"
    ]
    keyed = [([f"{10**9 - place:010d}"], each) for place, each in reversed(kept)]
    part, token = call.page(keyed, params, name, stage)
    return {
        "pipelineExecutionSummaries": [shown.summary(each) for each in part],
        "nextToken": token,
    }


def list_action_executions(call: PipelineCall, params: Members) -> Members:
    """The newest first."""
    part, token = call.held(
        params, lambda execution: ((made["current"], made) for made in execution["actions"])
    )
    details = [shown.action(execution, made, call.region) for execution, made in part]
    return {"actionExecutionDetails": details, "nextToken": token}


def _variables(declaration: Mapping[str, Any], given: list[dict[str, str]]) -> dict[str, str]:
    """Each variable of the pipeline with its value; raises Invalid."""
    values = {each["name"]: each["value"] for each in given}
    declared = {each["name"]: each.get("defaultValue") for each in declaration.get("variables", [])}
    for name in values:
        if name not in declared:
            raise Invalid(
                f"The variable {name} is not declared in the pipeline {declaration['name']}"
            )
    found = {name: values.get(name, default) for name, default in declared.items()}
    for name, value in found.items():
        if value is None:
            raise Invalid(f"The variable {name} has no default value: give it a value")
    return {name: str(value) for name, value in found.items()}


_REVISIONS = {
    "COMMIT_ID": ("CodeStarSourceConnection", "CodeCommit"),
    "IMAGE_DIGEST": ("ECR",),
    "S3_OBJECT_VERSION_ID": ("S3",),
    "S3_OBJECT_KEY": ("S3",),
}


def _check_revisions(declaration: Mapping[str, Any], given: list[dict[str, str]]) -> None:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides.html"""
    sources = {each["name"]: each for each in declaration["stages"][0]["actions"]}
    for each in given:
        action = sources.get(each["actionName"])
        if action is None:
            raise Invalid(f"The pipeline has no source action {each['actionName']}")
        provider, kind = action["actionTypeId"]["provider"], each["revisionType"]
        if provider not in _REVISIONS[kind]:
            raise Invalid(f"A source of {provider} does not take a revision of type {kind}")
        allowed = action["configuration"].get("AllowOverrideForS3ObjectKey", "false").lower()
        if kind == "S3_OBJECT_KEY" and allowed != "true":
            raise Invalid(
                f"The source action {each['actionName']} takes another key only with "
                "AllowOverrideForS3ObjectKey=true"
            )
