"""What a look at an action or at a rule found, written into its execution."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.codepipeline import conditions, executions, machine, store
from labs_helpers.sandbox.codepipeline.actions.work import ActionFailed, Outcome
from labs_helpers.sandbox.codepipeline.machine import Change


def write_action(
    execution: store.Document,
    at: float,
    attempt: str,
    outcome: Outcome | ActionFailed,
    inputs: list[dict[str, str]],
    configuration: dict[str, str],
) -> list[Change]:
    """Write what a look found into the execution, unless the action ended in the meantime."""
    made = executions.find(execution, attempt)
    if made is None or made["status"] != executions.IN_PROGRESS:
        return []
    made |= {"input": inputs, "configuration": configuration}
    if isinstance(outcome, ActionFailed):
        error = {"code": outcome.code, "message": str(outcome)[:5000]}
        machine.end_attempt(made, "Failed", at, error=error)
        return [Change(execution, "FAILED", made["stage"], made)]
    made["memory"] = outcome.memory
    if outcome.external:
        made["external"] = outcome.external
    if outcome.status == executions.IN_PROGRESS:
        return []
    machine.end_attempt(made, outcome.status, at, output=outcome.output)
    made["variables"] = outcome.variables
    if outcome.summary:
        made["summary"] = outcome.summary
    for each in outcome.output:
        execution["artifacts"][each["name"]] = each
    action = executions.action_of(execution, made)
    if name := action.get("namespace"):
        execution["namespaces"][name] = outcome.variables
    if outcome.revision:
        _revise(execution, made, action, outcome, at)
    return [Change(execution, "SUCCEEDED", made["stage"], made)]


def write_rule(
    execution: store.Document,
    at: float,
    rule_id: str,
    outcome: Outcome | ActionFailed,
    configuration: dict[str, str],
) -> list[Change]:
    """Write what a look found into the execution, unless the rule ended in the meantime."""
    for run, rule in conditions.running(execution):
        if rule["id"] == rule_id:
            if isinstance(outcome, Outcome) and outcome.status == conditions.IN_PROGRESS:
                rule["memory"] = outcome.memory
                return []
            rule |= {"configuration": configuration, "updated": at}
            if isinstance(outcome, ActionFailed):
                message = str(outcome)[:2048]
                rule |= {
                    "status": "Failed",
                    "summary": message,
                    "error": {"code": outcome.code, "message": message},
                }
            else:
                rule |= {"status": outcome.status, "summary": outcome.summary[:2048]}
            return [Change(execution, "", run["stage"])]
    return []


def _revise(
    execution: store.Document, made: store.Document, action: Any, outcome: Outcome, at: float
) -> None:
    execution["revisions"].append(
        {
            "action": made["action"],
            "artifact": action["outputArtifacts"][0]["name"],
            "id": outcome.revision["id"],
            "summary": outcome.revision["summary"],
            "created": at,
        }
    )
