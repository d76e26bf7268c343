"""Conditions of a stage: rules that are looked at before its actions, and after them.

A condition is met when all of its rules succeed; when one fails, the result of the condition is
engaged: https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html,
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html. onFailure may also
have a result without conditions:
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html.

An execution has "conditions": [run]; run: {"stage", "type", "status", "summary", "updated",
"current", "rules": [rule run]}; rule run: {"id", "rule", "status", "started", "updated", "memory",
"summary", "error", "configuration"}; memory: what a rule needs between two looks. A run that a
retry replaces is not current any longer.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.codepipeline import rule_types
from labs_helpers.sandbox.codepipeline.errors import InvalidStage, InvalidStructure

Document = dict[str, Any]

ENTRY, SUCCESS, FAILURE = "beforeEntry", "onSuccess", "onFailure"
RESULTS: Mapping[str, tuple[str, ...]] = {
    ENTRY: ("FAIL", "SKIP"),
    SUCCESS: ("FAIL", "ROLLBACK"),
    FAILURE: ("ROLLBACK", "RETRY"),
}
"""The results of each type.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html; RETRY:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-codepipeline-pipeline-failureconditions.html
"""

IN_PROGRESS, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"


def declared(stage: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(type, condition) of each condition of a stage."""
    for kind in RESULTS:
        for each in (stage.get(kind) or {}).get("conditions") or ():
            yield kind, each


def check(made: Mapping[str, Any], region: str) -> None:
    """Raise InvalidStage, InvalidStructure or NotHere for the conditions of a definition."""
    for place, stage in enumerate(made["stages"]):
        has_result = [kind for kind in RESULTS if stage.get(kind)]
        if has_result and made["pipelineType"] != "V2":
            raise InvalidStructure(
                f"A stage of a pipeline of type V1 has no {has_result[0]}: set pipelineType to V2"
            )
        _check_results(stage, place == 0, made["executionMode"])
        for kind, condition in declared(stage):
            rules = condition.get("rules") or ()
            if not rules:
                raise InvalidStage(f"Stage {stage['name']} has a condition without rules")
            names = [rule["name"] for rule in rules]
            if len({*names}) < len(names):
                raise InvalidStage(
                    f"Stage {stage['name']}: rule names must be unique in a condition"
                )
            for rule in rules:
                rule_types.check(stage["name"], result_of(stage, kind), rule, region)


def _check_results(stage: Mapping[str, Any], first: bool, mode: str) -> None:
    """The results that fit their type, and the pipeline's mode.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html#stage-conditions-considerations
    says that onFailure with conditions has no automatic retry; a procedure on the same page adds a
    rule beside the retry nevertheless. In the mode PARALLEL no stage is rolled back:
    https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
    """
    name, failure = stage["name"], stage.get(FAILURE) or {}
    results = [(kind, result_of(stage, kind)) for kind, _ in declared(stage)]
    if failure.get("result") or (failure and not failure.get("conditions")):
        results.append((FAILURE, failure.get("result") or ""))
    for kind, result in results:
        if result not in RESULTS[kind]:
            raise InvalidStage(
                f"Stage {name}: the result of {kind} is {' or '.join(RESULTS[kind])}, "
                f"not {result or None}"
            )
        if result == "ROLLBACK" and first:
            raise InvalidStage(f"The source stage {name} cannot be rolled back")
        if result == "ROLLBACK" and mode == "PARALLEL":
            raise InvalidStage(
                f"Stage {name}: {kind} cannot have the result ROLLBACK, which is not available in "
                "the execution mode PARALLEL"
            )
    retries = "RETRY" in [each for _, each in results]
    if failure.get("retryConfiguration") and not retries:
        raise InvalidStage(f"Stage {name}: retryConfiguration is for the result RETRY")
    if failure.get("conditions") and retries:
        raise InvalidStage(
            f"Stage {name}: automatic stage retry cannot be used with conditions of {FAILURE}"
        )


def result_of(stage: Mapping[str, Any], kind: str) -> str:
    """The result that a type of condition engages when the condition fails, "" for none."""
    given = stage.get(kind) or {}
    for condition in given.get("conditions") or ():
        if condition.get("result"):
            return str(condition["result"])
    return str(given.get("result") or "")


def engaged(execution: Document, stage: Mapping[str, Any], kind: str, at: float) -> str | None:
    """The result that a stage engages, "" for none; None once its rules have begun.

    To be asked again when they have ended. A rollback looks at no condition and engages nothing:
    one that could roll back again would not end.
    """
    given = stage.get(kind) or {}
    if execution["type"] == "ROLLBACK":
        return ""
    if not given.get("conditions"):
        return str(given.get("result") or "")
    run = current(execution, stage["name"], kind)
    if run is None:
        (condition,) = given["conditions"]
        _begin(execution, stage["name"], kind, condition, at)
        return None
    conclude(execution, at)
    return result_of(stage, kind) if run["status"] == FAILED else ""


def conclude(execution: Document, at: float) -> None:
    """End the conditions whose rules have all ended."""
    ended = (run for run in execution.get("conditions", ()) if run["status"] == IN_PROGRESS)
    for run in ended:
        if any(rule["status"] == IN_PROGRESS for rule in run["rules"]):
            continue
        failed = [rule for rule in run["rules"] if rule["status"] != SUCCEEDED]
        _end(run, FAILED if failed else SUCCEEDED, at)
        if failed:
            run["summary"] = f"The rule {failed[0]['rule']} failed: {failed[0]['summary']}"


def why(execution: Mapping[str, Any], stage: Mapping[str, Any], kind: str) -> str:
    """Which rule of a condition that failed has failed, and what the rule said."""
    run = current(execution, stage["name"], kind) or {}
    return str(run.get("summary", ""))


def _begin(
    execution: Document, stage: str, kind: str, condition: Mapping[str, Any], at: float
) -> None:
    made: Document = {
        "stage": stage,
        "type": kind,
        "status": IN_PROGRESS,
        "updated": at,
        "current": True,
        "rules": [
            {
                "id": str(uuid.uuid4()),
                "rule": rule["name"],
                "status": IN_PROGRESS,
                "started": at,
                "updated": at,
                "memory": {},
            }
            for rule in condition["rules"]
        ],
    }
    execution.setdefault("conditions", []).append(made)


def _end(run: Document, status: str, at: float) -> None:
    run |= {"status": status, "updated": at}


def current(execution: Mapping[str, Any], stage: str, kind: str) -> Document | None:
    """The run of a condition that counts."""
    return next(
        (
            each
            for each in execution.get("conditions", ())
            if (each["stage"], each["type"]) == (stage, kind) and each["current"]
        ),
        None,
    )


def retry_mode(stage: Mapping[str, Any]) -> str:
    """What an automatic retry runs again: FAILED_ACTIONS unless said otherwise."""
    given = (stage.get(FAILURE) or {}).get("retryConfiguration") or {}
    return str(given.get("retryMode") or "FAILED_ACTIONS")


def running(execution: Mapping[str, Any]) -> Iterator[tuple[Document, Document]]:
    """(run, rule run) of the rules that have not ended."""
    for run in execution.get("conditions", ()):
        for rule in run["rules"]:
            if rule["status"] == IN_PROGRESS:
                yield run, rule


def rule_of(execution: Mapping[str, Any], run: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The definition of a rule."""
    for stage in execution["declaration"]["stages"]:
        for kind, condition in declared(stage):
            for rule in condition["rules"]:
                if (stage["name"], kind, rule["name"]) == (run["stage"], run["type"], name):
                    found: Mapping[str, Any] = rule
                    return found
    raise LookupError(f"the execution has no rule {run['stage']}/{name}")


def abandon(execution: Document, at: float, stage: str = "") -> None:
    """Leave the rules that run to themselves; stage: only those of a stage."""
    for run, rule in list(running(execution)):
        if stage in ("", run["stage"]):
            rule |= {"status": "Abandoned", "updated": at}
            _end(run, "Abandoned", at)


def forget(execution: Document, stage: str) -> None:
    """A retry looks at the conditions of a stage again, unless somebody has overridden them."""
    for run in execution.get("conditions", ()):
        if run["stage"] == stage and run["status"] != "Overridden":
            run["current"] = False


def override(run: Document, by: str, at: float) -> None:
    """The condition counts as met, by somebody's word."""
    for rule in run["rules"]:
        if rule["status"] == IN_PROGRESS:
            rule |= {"status": "Abandoned", "updated": at}
    run["summary"] = f"Overridden by {by}"
    _end(run, "Overridden", at)
