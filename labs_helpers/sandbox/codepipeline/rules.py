"""One look at a rule of a condition: whether it succeeds, fails, or has to be looked at again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labs_helpers.sandbox.codepipeline.actions.work import Outcome
from labs_helpers.sandbox.codepipeline.conditions import ENTRY
from labs_helpers.sandbox.codepipeline.rule_types import alarm_states
from labs_helpers.sandbox.service import patterns

_MINUTE = 60.0
_WAS_WELL = "was well"
"""In the memory of a rule: the alarm has been in none of the states."""


def look_at(provider: str, look: Look) -> Outcome:
    """What one look at a rule of a provider finds.

    timeoutInMinutes: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RuleDeclaration.html
    """
    found = _ACTS[provider](look)
    late = look.timeout is not None and look.since >= look.timeout * _MINUTE
    if found.status == "InProgress" and late:
        return _failed(f"The rule timed out after {look.timeout} minutes. {found.summary}")
    return found


@dataclass(frozen=True)
class Look:
    """What a rule is given: its configuration, with the values of variables; a client of a service
    with the role's rights; the seconds by the sandbox clock since the rule began; kind: of its
    condition; what the last look left; the minutes after which the rule fails, None for no end."""

    configuration: Mapping[str, str]
    client: Callable[[str], Any]
    since: float
    kind: str = ENTRY
    memory: Mapping[str, Any] = field(default_factory=dict)
    timeout: int | None = None


def variable_check(look: Look) -> Outcome:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html"""
    given, wanted = look.configuration["Variable"], look.configuration["Value"]
    operator = look.configuration["Operator"]
    try:
        holds = _OPERATORS[operator](given, wanted)
    except patterns.MayTakeLong:
        return _failed(
            f"The sandbox gave up on the pattern {wanted!r}, which takes too long: write it with "
            "fewer repetitions"
        )
    except patterns.NoPattern as error:
        return _failed(f"{wanted!r} is no regular expression: {error}")
    said = f"{given!r} {operator} {wanted!r}"
    return Outcome("Succeeded", said) if holds else _failed(f"{said} does not hold")


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "EQ": lambda given, wanted: given == wanted,
    "NE": lambda given, wanted: given != wanted,
    "CONTAINS": lambda given, wanted: wanted in given,
    "MATCHES": lambda given, wanted: patterns.fits(wanted, given),
}


def alarm(look: Look) -> Outcome:
    """An alarm that is in one of AlarmStates, or goes into one, fails the rule.

    WaitTime, minutes to allow for a change of the state:
    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CloudWatchAlarm.html.
    An alarm in one of the states at the first look may leave them until the time has passed. At the
    entry any other state lets the rule succeed at once:
    https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html#stage-conditions-entry-console.
    After the actions the rule watches for the whole time, and fails when the alarm goes into one of
    the states within it: https://aws.amazon.com/about-aws/whats-new/2024/08/aws-codepipeline-stage-level-conditions-implement-pipeline-gates
    """
    name = look.configuration["AlarmName"]
    found = look.client("cloudwatch").describe_alarms(AlarmNames=[name])
    alarms = [*found["MetricAlarms"], *found.get("CompositeAlarms", ())]
    if not alarms:
        return _failed(f"There is no alarm {name}")
    state = alarms[0]["StateValue"]
    said = f"The alarm {name} is in the state {state}"
    waits = look.since < int(look.configuration.get("WaitTime", "0")) * _MINUTE
    if state not in alarm_states(look.configuration):
        if waits and look.kind != ENTRY:
            return Outcome("InProgress", said, memory={_WAS_WELL: True})
        return Outcome("Succeeded", said)
    if waits and not look.memory.get(_WAS_WELL):
        return Outcome("InProgress", said)
    return _failed(said)


def _failed(why: str) -> Outcome:
    return Outcome("Failed", why)


_ACTS: Mapping[str, Callable[[Look], Outcome]] = {
    "VariableCheck": variable_check,
    "CloudWatchAlarm": alarm,
}
