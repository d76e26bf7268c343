"""An execution as a document: made, and its attempts at actions.

{"id", "pipeline", "version", "declaration", "mode", "type", "target", "status", "summary",
 "trigger", "started", "updated", "stop", "variables", "overrides", "revisions", "stage", "inside",
 "stages": {stage: status}, "actions": [attempt], "artifacts": {name: place},
 "namespaces": {namespace: {variable: value}}, "conditions": see conditions.py,
 "retries": {stage: {"automatic": count, "manual": count, "latest": "AutomatedStageRetry"}}}

stage: index of the stage in which the execution is, or for which the execution waits (not inside).
attempt: {"id", "stage", "action", "status", "started", "updated", "by", "current", "input",
 "output", "variables", "external", "summary", "error", "token", "memory"}; an attempt that a retry
replaces is not current any longer; memory: what the action's provider needs between two looks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.codepipeline import conditions

Document = dict[str, Any]

IN_PROGRESS = "InProgress"
STOPPING = "Stopping"


def new(
    declaration: Mapping[str, Any],
    trigger: Mapping[str, str],
    at: float,
    variables: Mapping[str, str] | None = None,
    overrides: Sequence[Mapping[str, str]] = (),
) -> Document:
    """A new execution, which waits for the first stage."""
    return {
        "id": str(uuid.uuid4()),
        "pipeline": declaration["name"],
        "version": declaration["version"],
        "declaration": dict(declaration),
        "mode": declaration["executionMode"],
        "type": "STANDARD",
        "status": IN_PROGRESS,
        "trigger": dict(trigger),
        "started": at,
        "updated": at,
        "variables": dict(variables or {}),
        "overrides": [dict(each) for each in overrides],
        "revisions": [],
        "stage": 0,
        "inside": False,
        "stages": {},
        "actions": [],
        "artifacts": {},
        "namespaces": {},
    }


def rollback(
    before: Mapping[str, Any], stage: int, trigger: Mapping[str, str], at: float
) -> Document:
    """An execution that runs one stage again with what an earlier execution had."""
    made = new(before["declaration"], trigger, at, before["variables"])
    return made | {
        "type": "ROLLBACK",
        "target": before["id"],
        "stage": stage,
        "artifacts": before["artifacts"],
        "namespaces": before["namespaces"],
        "revisions": before["revisions"],
    }


def attempt(execution: Document, stage: str, action: Mapping[str, Any], at: float) -> Document:
    """A new attempt at an action, in progress and not yet begun."""
    made: Document = {
        "id": str(uuid.uuid4()),
        "stage": stage,
        "action": action["name"],
        "status": IN_PROGRESS,
        "started": at,
        "updated": at,
        "current": True,
        "input": [],
        "output": [],
        "memory": {},
    }
    if action["actionTypeId"]["category"] == "Approval":
        made["token"] = str(uuid.uuid4())
    execution["actions"].append(made)
    return made


def stage_of(execution: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition of the stage where the execution is."""
    found: Mapping[str, Any] = execution["declaration"]["stages"][execution["stage"]]
    return found


def action_of(execution: Mapping[str, Any], made: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition of an attempt's action."""
    for stage in execution["declaration"]["stages"]:
        for action in stage["actions"]:
            if (stage["name"], action["name"]) == (made["stage"], made["action"]):
                found: Mapping[str, Any] = action
                return found
    raise LookupError(f"the execution has no action {made['stage']}/{made['action']}")


def current(execution: Mapping[str, Any], stage: str) -> dict[str, Document]:
    """By action, the attempt of a stage that counts."""
    return {
        each["action"]: each
        for each in execution["actions"]
        if each["stage"] == stage and each["current"]
    }


def running(execution: Mapping[str, Any]) -> Iterator[Document]:
    """The attempts that have not ended."""
    return (each for each in execution["actions"] if each["status"] == IN_PROGRESS)


def retried(execution: Document, stage: str, mode: str, *, automatic: bool) -> None:
    """The stage goes on with new attempts at its failed actions, or at all.

    mode: FAILED_ACTIONS or ALL_ACTIONS.
    """
    for made in current(execution, stage).values():
        if mode == "ALL_ACTIONS" or made["status"] != "Succeeded":
            made["current"] = False
    conditions.forget(execution, stage)
    counted = execution.setdefault("retries", {}).setdefault(
        stage, {"automatic": 0, "manual": 0, "latest": ""}
    )
    counted["automatic" if automatic else "manual"] += 1
    counted["latest"] = "AutomatedStageRetry" if automatic else "ManualStageRetry"
    execution["stages"][stage] = IN_PROGRESS


def find(execution: Mapping[str, Any], attempt_id: str) -> Document | None:
    return next((each for each in execution["actions"] if each["id"] == attempt_id), None)
