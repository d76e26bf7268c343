"""Stages: transitions into them, retry, rollback; and the approvals in them."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.codepipeline import (
    conditions,
    executions,
    machine,
    shown_conditions,
    store,
)
from labs_helpers.sandbox.codepipeline.call import PipelineCall
from labs_helpers.sandbox.codepipeline.errors import (
    ActionNotFound,
    AlreadyCompleted,
    CannotRollback,
    Conflict,
    InvalidToken,
    NotLatest,
    NotOverridable,
    NotRetryable,
    Outdated,
)
from labs_helpers.sandbox.codepipeline.machine import Change
from labs_helpers.sandbox.service.service import Members

_CONDITIONS = {"BEFORE_ENTRY": conditions.ENTRY, "ON_SUCCESS": conditions.SUCCESS}


def disable_stage_transition(call: PipelineCall, params: Members) -> Members:
    """Let no execution enter a stage. The sandbox disables inbound transitions only."""
    return _set_transition(call, params, enabled=False)


def enable_stage_transition(call: PipelineCall, params: Members) -> Members:
    """Let executions enter again; the newest that waits goes first in the mode SUPERSEDED."""
    return _set_transition(call, params, enabled=True)


def retry_stage_execution(call: PipelineCall, params: Members) -> Members:
    """Run the failed actions of a stage again, or all of them.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html
    """
    name, stage = params["pipelineName"], params["stageName"]
    wanted = params["pipelineExecutionId"]
    with call.store.write() as db:
        pipeline = call.pipeline(db, name)
        call.stage(pipeline, stage)
        found = call.execution(db, name, wanted)
        status = found["stages"].get(stage)
        if status not in ("Failed", "Stopped") or found["status"] in store.ACTIVE:
            raise NotRetryable(
                f"Stage {stage} cannot be retried: in the pipeline execution {wanted} it has the "
                f"status {status or 'not entered'}"
            )
        if found["version"] != pipeline["declaration"]["version"]:
            raise NotRetryable(
                f"Stage {stage} cannot be retried: the pipeline was changed after the execution "
                f"{wanted} (version {found['version']})"
            )
        _check_latest(call, db, name, found, stage)
        executions.retried(found, stage, params["retryMode"], automatic=False)
        _resume(call, db, found, stage)
    return {"pipelineExecutionId": wanted}


def _resume(call: PipelineCall, db: Any, found: store.Document, stage: str) -> None:
    """In a transaction: an execution that has ended goes on in a stage; raises TooMany."""
    if found["status"] not in store.ACTIVE:
        call.pipelines.check_room(db, call.place, found["pipeline"])
    found |= {"status": executions.IN_PROGRESS, "updated": call.now}
    found["stages"][stage] = executions.IN_PROGRESS
    for key in ("stop", "summary"):
        found.pop(key, None)
    store.save_execution(db, found)
    call.pipelines.tell(call.place, [Change(found, "RESUMED"), Change(found, "RESUMED", stage)])
    call.pipelines.advance(db, call.place, found["pipeline"])


def override_stage_condition(call: PipelineCall, params: Members) -> Members:
    """Let a stage go on although a condition is not met, or not yet.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_OverrideStageCondition.html
    """
    name, stage = params["pipelineName"], params["stageName"]
    wanted = params["pipelineExecutionId"]
    kind = _CONDITIONS[params["conditionType"]]
    with call.store.write() as db:
        pipeline = call.pipeline(db, name)
        call.stage(pipeline, stage)
        found = call.execution(db, name, wanted)
        _check_overridable(pipeline, found, stage, kind)
        run = conditions.current(found, stage, kind)
        status = found["stages"].get(stage)
        waits = status == executions.IN_PROGRESS and found["status"] == executions.IN_PROGRESS
        failed = status == "Failed" and found["status"] == "Failed"
        if run is None or run["status"] not in ("InProgress", "Failed") or not (waits or failed):
            raise NotOverridable(
                f"The condition {kind} of the stage {stage} cannot be overridden: in the pipeline "
                f"execution {wanted} it has the status {run['status'] if run else 'not begun'}"
            )
        if failed:
            _check_latest(call, db, name, found, stage)
        conditions.override(run, call.principal.arn, call.now)
        _resume(call, db, found, stage)
    return {}


def _check_overridable(
    pipeline: store.Document, found: store.Document, stage: str, kind: str
) -> None:
    """Raise NotOverridable for a condition that nobody can override.

    SKIP: https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html#stage-conditions-considerations.
    A stage of a changed pipeline is not retried either, and an override lets the execution go on
    like a retry: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RetryStageExecution.html
    """
    cannot = f"The condition {kind} of the stage {stage} cannot be overridden: "
    if found["version"] != pipeline["declaration"]["version"]:
        raise NotOverridable(
            f"{cannot}the pipeline was changed after the execution {found['id']} "
            f"(version {found['version']})"
        )
    declared = next(each for each in found["declaration"]["stages"] if each["name"] == stage)
    if conditions.result_of(declared, kind) == "SKIP":
        raise NotOverridable(f"{cannot}its result is SKIP")


def list_rule_executions(call: PipelineCall, params: Members) -> Members:
    """The newest first."""
    part, token = call.held(
        params,
        lambda execution: (
            (run["current"], (run, rule))
            for run in execution.get("conditions", ())
            for rule in run["rules"]
        ),
    )
    details = [
        shown_conditions.detail(execution, run, rule, call.region)
        for execution, (run, rule) in part
    ]
    return {"ruleExecutionDetails": details, "nextToken": token}


def list_rule_types(call: PipelineCall, params: Members) -> Members:
    """The rules that the sandbox runs."""
    return {"ruleTypes": shown_conditions.types()}


def rollback_stage(call: PipelineCall, params: Members) -> Members:
    """Run a stage again with the artifacts of an execution that succeeded there.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html; not in the mode
    PARALLEL: https://docs.aws.amazon.com/codepipeline/latest/userguide/execution-modes.html; not a
    stage that is running: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RollbackStage.html
    """
    name, stage = params["pipelineName"], params["stageName"]
    wanted = params["targetPipelineExecutionId"]
    with call.store.write() as db:
        pipeline = call.pipeline(db, name)
        call.stage(pipeline, stage)
        target = call.execution(db, name, wanted)
        declared = pipeline["declaration"]
        place = [each["name"] for each in declared["stages"]].index(stage)
        if declared["pipelineType"] != "V2":
            raise CannotRollback("Only a stage of a pipeline of type V2 can be rolled back")
        if place == 0:
            raise CannotRollback(f"The source stage {stage} cannot be rolled back")
        if declared["executionMode"] == "PARALLEL":
            raise CannotRollback(
                f"The stage {stage} cannot be rolled back: stage rollback is not available in the "
                "execution mode PARALLEL"
            )
        for each in store.executions(db, call.place, name, only_active=True):
            if each["inside"] and executions.stage_of(each)["name"] == stage:
                raise CannotRollback(
                    f"The stage {stage} cannot be rolled back while it is running: the execution "
                    f"{each['id']} is in it"
                )
        if target["version"] != declared["version"]:
            raise Outdated(
                f"The pipeline was changed after the execution {wanted} (version "
                f"{target['version']}, now {declared['version']})"
            )
        if target["stages"].get(stage) != "Succeeded" or target["type"] != "STANDARD":
            raise CannotRollback(f"The execution {wanted} did not succeed in the stage {stage}")
        at = call.now
        trigger = {"triggerType": "ManualRollback", "triggerDetail": call.principal.arn}
        made = call.pipelines.add(db, call.place, executions.rollback(target, place, trigger, at))
    return {"pipelineExecutionId": made["id"]}


def put_approval_result(call: PipelineCall, params: Members) -> Members:
    """Approve or reject; the token is of GetPipelineState, or of the message to the topic.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutApprovalResult.html
    """
    name, stage, action = (params[key] for key in ("pipelineName", "stageName", "actionName"))
    result, at = params["result"], call.now
    with call.store.write() as db:
        pipeline = call.pipeline(db, name)
        declared = {each["name"]: each for each in call.stage(pipeline, stage)["actions"]}
        if declared.get(action, {}).get("actionTypeId", {}).get("category") != "Approval":
            raise ActionNotFound(stage=stage, action=action)
        execution, made = _by_token(call, db, name, (stage, action), params["token"])
        if made["status"] != executions.IN_PROGRESS:
            raise AlreadyCompleted("The approval action has already been approved or rejected.")
        status = "Succeeded" if result["status"] == "Approved" else "Failed"
        facts: dict[str, Any] = {"by": call.principal.arn, "summary": result["summary"]}
        if status == "Failed":
            said = f": {result['summary']}" if result["summary"] else ""
            facts["error"] = {
                "code": "JobFailed",
                "message": f"Rejected by {call.principal.arn}{said}",
            }
        machine.end_attempt(made, status, at, **facts)
        store.save_execution(db, execution)
        call.pipelines.tell(call.place, [Change(execution, status.upper(), stage, made)])
        call.pipelines.advance(db, call.place, name)
    return {"approvedAt": store.at(call.now)}


def _by_token(
    call: PipelineCall, db: Any, name: str, where: tuple[str, str], token: str
) -> tuple[store.Document, store.Document]:
    for execution in store.executions(db, call.place, name):
        for made in execution["actions"]:
            if (made["stage"], made["action"]) == where and made.get("token") == token:
                return execution, made
    raise InvalidToken(f"The token {token} is not that of an approval of {where[1]} that waits")


def _set_transition(call: PipelineCall, params: Members, enabled: bool) -> Members:
    if params["transitionType"] != "Inbound":
        # AWS has the value; what it does to executions is on no page
        raise Conflict("The sandbox has transitions into a stage only: transitionType Inbound")
    name, stage = params["pipelineName"], params["stageName"]
    with call.store.write() as db:
        pipeline = call.pipeline(db, name)
        call.stage(pipeline, stage)
        pipeline["transitions"][stage] = {
            "enabled": enabled,
            "reason": params.get("reason", ""),
            "by": call.principal.arn,
            "at": call.now,
        }
        store.save_pipeline(db, call.place, pipeline)
        call.pipelines.advance(db, call.place, name)
    return {}


def _check_latest(
    call: PipelineCall, db: Any, name: str, found: store.Document, stage: str
) -> None:
    """A stage is retried by the last execution that was in the stage; raises NotLatest.

    A rollback that waits at the stage counts: what a retry deploys would be taken back at once.
    """
    if found["mode"] == "PARALLEL":
        return
    listed = store.executions(db, call.place, name)
    newer = listed[[each["id"] for each in listed].index(found["id"]) + 1 :]
    for each in newer:
        waits = each["type"] == "ROLLBACK" and each["status"] in store.ACTIVE
        if stage in each["stages"] or (waits and executions.stage_of(each)["name"] == stage):
            raise NotLatest(
                f"Unable to retry. The provided pipeline execution (ID {found['id']}) is not the "
                f"latest in the stage {stage}: {each['id']} is"
            )
