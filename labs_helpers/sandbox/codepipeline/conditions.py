"""Conditions of a stage: rules that are looked at before its actions, and after them.

A condition is met when all of its rules succeed; when one fails, the result of the condition is
engaged: https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html,
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html. onFailure may also
have a result without conditions:
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html.

An execution has "conditions": [run]; run: {"stage", "type", "status", "summary", "updated",
"current", "rules": [rule run]}; rule run: {"id", "rule", "status", "started", "updated", "memory",
"summary", "error", "configuration"}. A run that a retry replaces is not current any longer.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.codepipeline.errors import InvalidStage, InvalidStructure, NotHere

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

RULES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "VariableCheck": (("Variable", "Value", "Operator"), ()),
    "CloudWatchAlarm": (("AlarmName",), ("AlarmStates", "WaitTime")),
}
"""By provider, the keys of a rule's configuration: required and optional.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference.html
"""
ABSENT: Mapping[str, str] = {
    "LambdaInvoke": "It calls a function of Lambda.",
    "CodeBuild": "Put the build into an action of the stage.",
    "Commands": "Put the commands into a build project, and the project into an action.",
    "DeploymentWindow": "DisableStageTransition holds a stage closed.",
}
OPERATORS = ("EQ", "NE", "CONTAINS", "MATCHES")
STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")

IN_PROGRESS, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"


def declared(stage: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(type, condition) of each condition of a stage."""
    for kind in RESULTS:
        for each in (stage.get(kind) or {}).get("conditions") or ():
            yield kind, each


def check(stage: Mapping[str, Any], first: bool, version: str, region: str) -> None:
    """Raise InvalidStage, InvalidStructure or NotHere. version: of the pipeline, as "V2"."""
    has_result = [kind for kind in RESULTS if stage.get(kind)]
    if has_result and version != "V2":
        raise InvalidStructure(
            f"A stage of a pipeline of type V1 has no {has_result[0]}: set pipelineType to V2"
        )
    failure = stage.get(FAILURE) or {}
    results = [
        (kind, each.get("result") or (failure.get("result") if kind == FAILURE else None))
        for kind, each in declared(stage)
    ]
    if failure.get("result") or (failure and not failure.get("conditions")):
        results.append((FAILURE, failure.get("result")))
    for kind, result in results:
        if result not in RESULTS[kind]:
            raise InvalidStage(
                f"Stage {stage['name']}: the result of {kind} is {' or '.join(RESULTS[kind])}, "
                f"not {result}"
            )
        if result == "ROLLBACK" and first:
            raise InvalidStage(f"The source stage {stage['name']} cannot be rolled back")
    if failure.get("retryConfiguration") and ("RETRY" not in [each for _, each in results]):
        raise InvalidStage(f"Stage {stage['name']}: retryConfiguration is for the result RETRY")
    for _, condition in declared(stage):
        rules = condition.get("rules") or ()
        if not rules:
            raise InvalidStage(f"Stage {stage['name']} has a condition without rules")
        names = [rule["name"] for rule in rules]
        if len({*names}) < len(names):
            raise InvalidStage(f"Stage {stage['name']}: rule names must be unique in a condition")
        for rule in rules:
            _check_rule(stage["name"], rule, region)


def _check_rule(stage: str, rule: Mapping[str, Any], region: str) -> None:
    provider, given = rule["ruleTypeId"]["provider"], rule.get("configuration") or {}
    where = f"Rule {rule['name']} in stage {stage}"
    if provider in ABSENT:
        raise NotHere(
            f"The sandbox does not have the rule {provider}; it exists on AWS. {ABSENT[provider]}"
        )
    if provider not in RULES:
        raise InvalidStage(f"{where}: there is no rule {provider}")
    if rule.get("region", region) != region:
        raise NotHere(f"The sandbox runs rules in the pipeline's Region only: {rule['name']}.")
    required, optional = RULES[provider]
    for key in required:
        if not given.get(key):
            raise InvalidStage(f"{where} is missing required configuration '{key}'")
    for key in given:
        if key not in (*required, *optional):
            raise InvalidStage(f"{where} contains unknown configuration '{key}'")
    if provider == "VariableCheck" and given["Operator"] not in OPERATORS:
        raise InvalidStage(f"{where}: Operator is one of {', '.join(OPERATORS)}")
    if not given.get("WaitTime", "0").isdecimal():
        raise InvalidStage(f"{where}: WaitTime is a number of minutes")
    for state in alarm_states(given):
        if state not in STATES:
            raise InvalidStage(f"{where}: AlarmStates are of {', '.join(STATES)}")


def alarm_states(configuration: Mapping[str, str]) -> list[str]:
    """The states of an alarm that fail a rule: by default ALARM."""
    return [each.strip() for each in configuration.get("AlarmStates", "ALARM").split(",")]


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
    (condition,) = given["conditions"]
    run = current(execution, stage["name"], kind)
    if run is None:
        _begin(execution, stage["name"], kind, condition, at)
        return None
    if run["status"] == IN_PROGRESS:
        failed = [rule for rule in run["rules"] if rule["status"] != SUCCEEDED]
        _end(run, FAILED if failed else SUCCEEDED, at)
        if failed:
            run["summary"] = f"The rule {failed[0]['rule']} failed: {failed[0]['summary']}"
    if run["status"] != FAILED:
        return ""
    return str(condition.get("result") or given.get("result") or "")


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
