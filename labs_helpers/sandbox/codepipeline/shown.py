"""Pipelines and executions as answers have them.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_Types.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labs_helpers.sandbox.codepipeline import shown_conditions
from labs_helpers.sandbox.codepipeline.executions import action_of, current
from labs_helpers.sandbox.codepipeline.store import at

Document = Mapping[str, Any]
Members = dict[str, Any]


def arn(place: tuple[str, str], name: str) -> str:
    return f"arn:aws:codepipeline:{place[1]}:{place[0]}:{name}"


def execution(found: Document) -> Members:
    """PipelineExecution of GetPipelineExecution."""
    names = {each["name"]: each["value"] for each in _variables(found)}
    return {
        "pipelineName": found["pipeline"],
        "pipelineVersion": found["version"],
        "pipelineExecutionId": found["id"],
        "status": found["status"],
        "statusSummary": found.get("summary"),
        "artifactRevisions": [
            {
                "name": each["artifact"],
                "revisionId": each["id"],
                "revisionSummary": each["summary"],
                "created": at(each["created"]),
            }
            for each in found["revisions"]
        ],
        "variables": [{"name": name, "resolvedValue": value} for name, value in names.items()],
        "trigger": found["trigger"],
        "executionMode": found["mode"],
        "executionType": found["type"],
        "rollbackMetadata": _rollback(found),
    }


def summary(found: Document) -> Members:
    """PipelineExecutionSummary of ListPipelineExecutions."""
    stop = found.get("stop")
    return {
        "pipelineExecutionId": found["id"],
        "status": found["status"],
        "statusSummary": found.get("summary"),
        "startTime": at(found["started"]),
        "lastUpdateTime": at(found["updated"]),
        "sourceRevisions": [
            {
                "actionName": each["action"],
                "revisionId": each["id"],
                "revisionSummary": each["summary"],
            }
            for each in found["revisions"]
        ],
        "trigger": found["trigger"],
        "stopTrigger": {"reason": stop["reason"]} if stop and stop.get("reason") else None,
        "executionMode": found["mode"],
        "executionType": found["type"],
        "rollbackMetadata": _rollback(found),
    }


def action(found: Document, made: Document, region: str) -> Members:
    """ActionExecutionDetail of ListActionExecutions."""
    declared = action_of(found, made)
    external = made.get("external") or {}
    return {
        "pipelineExecutionId": found["id"],
        "actionExecutionId": made["id"],
        "pipelineVersion": found["version"],
        "stageName": made["stage"],
        "actionName": made["action"],
        "startTime": at(made["started"]),
        "lastUpdateTime": at(made["updated"]),
        "updatedBy": made.get("by"),
        "status": made["status"],
        "input": {
            "actionTypeId": declared["actionTypeId"],
            "configuration": declared["configuration"],
            "resolvedConfiguration": made.get("configuration", declared["configuration"]),
            "roleArn": declared.get("roleArn"),
            "region": region,
            "inputArtifacts": _artifacts(made["input"]),
            "namespace": declared.get("namespace"),
        },
        "output": {
            "outputArtifacts": _artifacts(made["output"]),
            "executionResult": {
                "externalExecutionId": external.get("id", ""),
                "externalExecutionSummary": made.get("summary", ""),
                "externalExecutionUrl": external.get("url"),
                "errorDetails": made.get("error"),
            },
            "outputVariables": made.get("variables", {}),
        },
    }


def state(pipeline: Document, executions: Iterable[Document]) -> Members:
    """The answer of GetPipelineState; executions: all, the oldest first."""
    declared, found = pipeline["declaration"], list(executions)
    return {
        "pipelineName": declared["name"],
        "pipelineVersion": declared["version"],
        "stageStates": [_stage(pipeline, place, found) for place in range(len(declared["stages"]))],
        "created": at(pipeline["created"]),
        "updated": at(pipeline["updated"]),
    }


def _stage(pipeline: Document, place: int, executions: list[Document]) -> Members:
    declared = pipeline["declaration"]["stages"][place]
    name = declared["name"]
    entered = [each for each in executions if name in each["stages"]]
    # executions of one moment, as under a clock that stands still: the one that was started last
    latest = max(reversed(entered), key=lambda each: _entered(each, name), default=None)
    waiting = [
        each
        for each in executions
        if each["status"] in ("InProgress", "Stopping")
        and not each["inside"]
        and each["declaration"]["stages"][each["stage"]]["name"] == name
    ]
    found: Members = {
        "stageName": name,
        "inboundExecutions": [_short(each, "InProgress") for each in waiting],
        "inboundTransitionState": _transition(pipeline["transitions"].get(name)),
        "actionStates": [_action_state(each, name, entered) for each in declared["actions"]],
    }
    if waiting:
        found["inboundExecution"] = _short(waiting[-1], "InProgress")
    if latest is not None:
        status = latest["stages"][name]
        stopping = latest["status"] == "Stopping" and status == "InProgress"
        found["latestExecution"] = _short(latest, "Stopping" if stopping else status)
        found |= shown_conditions.of_stage(latest, declared)
    return found


def _entered(execution: Document, stage: str) -> float:
    """When an execution was last in a stage."""
    times = [each["started"] for each in execution["actions"] if each["stage"] == stage]
    looked_at = [
        rule["started"]
        for run in execution.get("conditions", ())
        if run["stage"] == stage
        for rule in run["rules"]
    ]
    return max([*times, *looked_at], default=0.0)


def _short(execution: Document, status: str) -> Members:
    return {"pipelineExecutionId": execution["id"], "status": status, "type": execution["type"]}


def _transition(given: Document | None) -> Members:
    if given is None:
        return {"enabled": True}
    return {
        "enabled": given["enabled"],
        "lastChangedBy": given["by"],
        "lastChangedAt": at(given["at"]),
        "disabledReason": None if given["enabled"] else given["reason"],
    }


def _action_state(declared: Document, stage: str, entered: list[Document]) -> Members:
    name = declared["name"]
    found: Members = {"actionName": name}
    attempts = [
        (made["started"], place, execution, made)
        for place, execution in enumerate(entered)
        for made in [current(execution, stage).get(name)]
        if made is not None
    ]
    if not attempts:
        return found
    _, _, execution, made = max(attempts, key=lambda each: each[:2])
    external = made.get("external") or {}
    found["latestExecution"] = {
        "actionExecutionId": made["id"],
        "status": made["status"],
        "summary": made.get("summary") or None,
        "lastStatusChange": at(made["updated"]),
        "token": made.get("token") if made["status"] == "InProgress" else None,
        "lastUpdatedBy": made.get("by"),
        "externalExecutionId": external.get("id"),
        "externalExecutionUrl": external.get("url"),
        "errorDetails": made.get("error"),
    }
    revisions = [each for each in execution["revisions"] if each["action"] == name]
    if revisions and declared["actionTypeId"]["category"] == "Source":
        found["currentRevision"] = {
            "revisionId": revisions[-1]["id"],
            "revisionChangeId": revisions[-1]["id"][:100],
            "created": at(revisions[-1]["created"]),
        }
    return found


def _variables(found: Document) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in found["variables"].items()]


def _rollback(found: Document) -> Members | None:
    target = found.get("target")
    return {"rollbackTargetPipelineExecutionId": target} if target else None


def _artifacts(given: list[dict[str, str]]) -> list[Members]:
    return [
        {"name": each["name"], "s3location": {"bucket": each["bucket"], "key": each["key"]}}
        for each in given
    ]
