"""Rules as a definition declares them: their types, and what CreatePipeline refuses of them.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference.html and
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RuleDeclaration.html. No public
source has CodePipeline's sentences about rules: they are the sandbox's, with CodePipeline's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.codepipeline.configurations import minutes
from labs_helpers.sandbox.codepipeline.errors import InvalidStage
from labs_helpers.sandbox.service.errors import NotHere, not_here

RULES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "VariableCheck": (("Variable", "Value", "Operator"), ()),
    "CloudWatchAlarm": (("AlarmName",), ("AlarmStates", "WaitTime")),
}
"""By provider, the keys of a rule's configuration: required and optional. Each has version 1."""
ABSENT: Mapping[str, str] = {
    "LambdaInvoke": "It calls a function of Lambda.",
    "CodeBuild": "Put the build into an action of the stage.",
    "Commands": "Put the commands into a build project, and the project into an action.",
    "DeploymentWindow": "DisableStageTransition holds a stage closed.",
}
SKIPPING = ("LambdaInvoke", "VariableCheck")
"""The rules of a condition whose result is SKIP.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html#stage-conditions-considerations
"""
OPERATORS = ("EQ", "NE", "CONTAINS", "MATCHES")
STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
LONGEST = 86400
"""Minutes: the longest timeout of a rule, and so the longest time that a rule can wait. The page
of CloudWatchAlarm has no bound of WaitTime."""


def check(stage: str, result: str, rule: Mapping[str, Any], region: str) -> None:
    """Raise InvalidStage or NotHere. result: of the rule's condition."""
    kind, given = rule["ruleTypeId"], rule.get("configuration") or {}
    provider = kind["provider"]
    where = f"Rule {rule['name']} in stage {stage}"
    _check_type(where, kind)
    if rule.get("region", region) != region:
        raise NotHere(f"The sandbox runs rules in the pipeline's Region only: {rule['name']}.")
    if result == "SKIP" and provider not in SKIPPING:
        raise InvalidStage(
            f"{where}: a condition with the result SKIP has rules of {' and '.join(SKIPPING)} "
            f"only, not of {provider}"
        )
    if rule.get("commands"):
        raise InvalidStage(f"{where} is not of a type that has commands")
    if count := len(rule.get("inputArtifacts") or ()):
        raise InvalidStage(
            f"{where} declares {count} input artifacts which is more than the maximum count (0)"
        )
    required, optional = RULES[provider]
    for key in required:
        if not given.get(key):
            raise InvalidStage(f"{where} is missing required configuration '{key}'")
    for key in given:
        if key not in (*required, *optional):
            raise InvalidStage(f"{where} contains unknown configuration '{key}'")
    _check_values(where, given)


def _check_type(where: str, kind: Mapping[str, Any]) -> None:
    """Category and owner have one value each in the model of the API."""
    provider, version = kind["provider"], kind.get("version", "1")
    if provider in ABSENT:
        raise not_here(f"the rule {provider}", ABSENT[provider])
    if provider not in RULES:
        raise InvalidStage(f"{where}: there is no rule {provider}")
    if version != "1":
        raise InvalidStage(f"{where}: the rule {provider} has version 1 only, not {version}")


def _check_values(where: str, given: Mapping[str, str]) -> None:
    if given.get("Operator", "EQ") not in OPERATORS:
        raise InvalidStage(f"{where}: Operator is one of {', '.join(OPERATORS)}")
    if minutes(given.get("WaitTime", "0"), LONGEST) is None:
        raise InvalidStage(f"{where}: WaitTime is a number of minutes from 0 to {LONGEST}")
    for state in alarm_states(given):
        if state not in STATES:
            raise InvalidStage(f"{where}: AlarmStates are of {', '.join(STATES)}")


def alarm_states(configuration: Mapping[str, str]) -> list[str]:
    """The states of an alarm that fail a rule: by default ALARM."""
    return [each.strip() for each in configuration.get("AlarmStates", "ALARM").split(",")]
