"""The state machine: how the executions of one pipeline go on. Pure functions over documents.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html: a stage holds
one execution at a time, unless the mode is PARALLEL; in the mode SUPERSEDED a newer execution takes
the place of an older one that waits at the same stage; in the mode QUEUED they wait in order.

A stage that fails is rolled back to its most recent success:
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html. So a rollback
enters before the executions that wait at the stage, and these do not supersede it: no page of AWS
lets a newer one in between, whose success would be taken back. A newer rollback of the stage takes
the place of one that waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.codepipeline import conditions
from labs_helpers.sandbox.codepipeline.conditions import ENTRY, FAILURE, SUCCESS
from labs_helpers.sandbox.codepipeline.definition import groups
from labs_helpers.sandbox.codepipeline.executions import (
    IN_PROGRESS,
    STOPPING,
    attempt,
    current,
    retried,
    running,
    stage_of,
)

Document = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """What changed: an execution, one of its stages, or an attempt.

    state: as events name it; empty for a change of which CodePipeline has no event.
    """

    execution: Document
    state: str
    stage: str = ""
    attempt: Document | None = None


def advance(active: Sequence[Document], transitions: Mapping[str, Any], at: float) -> list[Change]:
    """Let each execution go as far as it can without an action ending; returns what changed.

    active: the executions that have not ended, the oldest first; changed in place. transitions:
    by stage, {"enabled": bool}.
    """
    changes: list[Change] = []
    going = True
    while going:
        before = len(changes)
        for execution in active:
            if execution["status"] in (IN_PROGRESS, STOPPING):
                step = _inside if execution["inside"] else _waiting
                changes += step(execution, active, transitions, at)
        going = len(changes) > before
    return changes


def end_attempt(made: Document, status: str, at: float, **facts: Any) -> None:
    """An attempt ends: Succeeded, Failed or Abandoned."""
    made |= {"status": status, "updated": at, **facts}


def abandon(execution: Document, at: float) -> list[Change]:
    """Leave the actions that run to themselves."""
    changes = []
    for each in running(execution):
        end_attempt(each, "Abandoned", at)
        changes.append(Change(execution, "ABANDONED", each["stage"], each))
    conditions.abandon(execution, at)
    return changes


def _waiting(
    execution: Document, active: Sequence[Document], transitions: Mapping[str, Any], at: float
) -> list[Change]:
    if execution["status"] == STOPPING:
        return [_end(execution, "Stopped", at)]
    parallel = execution["mode"] == "PARALLEL"
    stage = stage_of(execution)["name"]
    others = [
        each
        for each in active
        if each is not execution
        and each["status"] in (IN_PROGRESS, STOPPING)
        and stage_of(each)["name"] == stage
    ]
    if not parallel and execution["mode"] == "SUPERSEDED":
        newer = [
            each
            for each in others
            if not each["inside"]
            and each["type"] == execution["type"]
            and _is_newer(each, execution, active)
        ]
        if newer:
            execution["summary"] = f"Superseded by the execution {newer[-1]['id']}"
            return [_end(execution, "Superseded", at)]
    if not transitions.get(stage, {}).get("enabled", True):
        return []
    if not parallel:
        held = any(each["inside"] or _goes_before(each, execution, active) for each in others)
        if held or any(each.get("rollback") == stage for each in active):
            return []
    execution["inside"] = True
    execution["stages"][stage] = IN_PROGRESS
    execution["updated"] = at
    first = [] if execution["actions"] else [Change(execution, "STARTED")]
    return [*first, Change(execution, "STARTED", stage)]


def _is_newer(one: Document, than: Document, active: Sequence[Document]) -> bool:
    return _place(one, active) > _place(than, active)


def _goes_before(one: Document, other: Document, active: Sequence[Document]) -> bool:
    """Of two executions that wait at a stage: rollbacks first, then the older one."""
    if one["type"] != other["type"]:
        return bool(one["type"] == "ROLLBACK")
    return _is_newer(other, one, active)


def _place(execution: Document, active: Sequence[Document]) -> int:
    return next(place for place, each in enumerate(active) if each is execution)


def _inside(
    execution: Document, active: Sequence[Document], transitions: Mapping[str, Any], at: float
) -> list[Change]:
    if any(True for _ in running(execution)) or any(True for _ in conditions.running(execution)):
        return []
    stage = stage_of(execution)
    name, attempts = stage["name"], current(execution, stage["name"])
    if execution["status"] == STOPPING:
        conditions.conclude(execution, at)
        return [_end_stage(execution, "Stopped", at), _end(execution, "Stopped", at)]
    engaged = conditions.engaged(execution, stage, ENTRY, at)
    if engaged is None:
        return [Change(execution, "", name)]
    if engaged == "SKIP":
        return _leave(execution, "Skipped", at)
    if engaged:
        return _fail(execution, conditions.why(execution, stage, ENTRY), at)
    if any(each["status"] != "Succeeded" for each in attempts.values()):
        return _failed(execution, stage, at)
    for _, group in groups(stage):
        waiting = [action for action in group if action["name"] not in attempts]
        if waiting:
            made = [attempt(execution, name, action, at) for action in waiting]
            return [Change(execution, "STARTED", name, each) for each in made]
    engaged = conditions.engaged(execution, stage, SUCCESS, at)
    if engaged is None:
        return [Change(execution, "", name)]
    if engaged:
        why = conditions.why(execution, stage, SUCCESS)
        return _fail(execution, why, at, rollback=engaged == "ROLLBACK")
    return _leave(execution, "Succeeded", at)


def _failed(execution: Document, stage: Mapping[str, Any], at: float) -> list[Change]:
    """An action of the stage has failed.

    One automatic retry is allowed:
    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RetryStageMetadata.html
    """
    name = stage["name"]
    engaged = conditions.engaged(execution, stage, FAILURE, at)
    if engaged is None:
        return [Change(execution, "", name)]
    if engaged == "RETRY" and not execution.get("retries", {}).get(name, {}).get("automatic"):
        retried(execution, name, conditions.retry_mode(stage), automatic=True)
        execution["updated"] = at
        return [Change(execution, "RESUMED"), Change(execution, "RESUMED", name)]
    return _fail(execution, "", at, rollback=engaged == "ROLLBACK")


def _fail(execution: Document, why: str, at: float, rollback: bool = False) -> list[Change]:
    """Stage and execution fail; rollback: nobody enters the stage until Pipelines has made one."""
    if why:
        execution["summary"] = why
    if rollback:
        execution["rollback"] = stage_of(execution)["name"]
    return [_end_stage(execution, "Failed", at), _end(execution, "Failed", at)]


def _leave(execution: Document, status: str, at: float) -> list[Change]:
    """The stage has ended well, or is skipped: the execution goes to the next one."""
    changes = [_end_stage(execution, status, at)]
    last = execution["stage"] + 1 == len(execution["declaration"]["stages"])
    if last or execution["type"] == "ROLLBACK":
        return [*changes, _end(execution, "Succeeded", at)]
    execution |= {"stage": execution["stage"] + 1, "inside": False, "updated": at}
    return changes


def _end_stage(execution: Document, status: str, at: float) -> Change:
    name = stage_of(execution)["name"]
    execution["stages"][name] = status
    execution["updated"] = at
    # EventBridge has no event of a stage that is skipped
    return Change(execution, "" if status == "Skipped" else status.upper(), name)


def _end(execution: Document, status: str, at: float) -> Change:
    execution |= {"status": status, "updated": at}
    return Change(execution, status.upper())
