"""CodePipeline's events: the state of an execution, of a stage, of an action.

Form: https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.codepipeline.executions import action_of
from labs_helpers.sandbox.codepipeline.machine import Change
from labs_helpers.sandbox.service.events import Event, event

SOURCE = "aws.codepipeline"


def of(change: Change, place: tuple[str, str], at: datetime) -> Event:
    """The event of a change."""
    execution = change.execution
    arn = f"arn:aws:codepipeline:{place[1]}:{place[0]}:{execution['pipeline']}"
    detail: dict[str, Any] = {
        "pipeline": execution["pipeline"],
        "execution-id": execution["id"],
        "start-time": _written(execution["started"]),
        "state": change.state,
        "version": float(execution["version"]),
    }
    kind = "Pipeline Execution"
    if change.attempt is not None:
        kind = "Action Execution"
        detail |= _of_action(change, place[1])
    elif change.stage:
        kind = "Stage Execution"
        detail["stage"] = change.stage
    else:
        detail["execution-trigger"] = {
            "trigger-type": execution["trigger"]["triggerType"],
            "trigger-detail": execution["trigger"]["triggerDetail"],
        }
    return event(SOURCE, f"CodePipeline {kind} State Change", *place, at, detail, [arn])


def _of_action(change: Change, region: str) -> dict[str, Any]:
    made = change.attempt or {}
    kind = action_of(change.execution, made)["actionTypeId"]
    found: dict[str, Any] = {
        "stage": made["stage"],
        "action": made["action"],
        "action-execution-id": made["id"],
        "start-time": _written(made["started"]),
        "region": region,
        "type": {name: kind[name] for name in ("owner", "provider", "category", "version")},
    }
    for name, key in (("input-artifacts", "input"), ("output-artifacts", "output")):
        if made[key]:
            found[name] = [
                {"name": each["name"], "s3location": {k: each[k] for k in ("bucket", "key")}}
                for each in made[key]
            ]
    external, error = made.get("external") or {}, made.get("error")
    result = {
        "external-execution-id": external.get("id"),
        "external-execution-url": external.get("url"),
        "external-execution-summary": made.get("summary"),
        "external-execution-state": change.state,
    }
    if error:
        result["error-code"] = error["code"]
    if external or error or made.get("summary"):
        found["execution-result"] = {k: v for k, v in result.items() if v is not None}
    return found


def _written(at: float) -> str:
    """As "2023-10-26T13:49:39.208Z"."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
