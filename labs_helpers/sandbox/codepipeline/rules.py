"""One look at a rule of a condition: whether it succeeds, fails, or has to be looked at again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.codepipeline.actions.work import Outcome
from labs_helpers.sandbox.codepipeline.conditions import alarm_states
from labs_helpers.sandbox.service import patterns

_MINUTE = 60.0


@dataclass(frozen=True)
class Look:
    """What a rule is given: its configuration, with the values of variables; a client of a service
    with the role's rights; the seconds by the sandbox clock since the rule began."""

    configuration: Mapping[str, str]
    client: Callable[[str], Any]
    since: float


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
    """An alarm fails the rule while it is in one of the states; WaitTime: minutes for a change.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CloudWatchAlarm.html
    """
    name = look.configuration["AlarmName"]
    found = look.client("cloudwatch").describe_alarms(AlarmNames=[name])
    alarms = [*found["MetricAlarms"], *found.get("CompositeAlarms", ())]
    if not alarms:
        return _failed(f"There is no alarm {name}")
    state = alarms[0]["StateValue"]
    said = f"The alarm {name} is in the state {state}"
    if state not in alarm_states(look.configuration):
        return Outcome("Succeeded", said)
    if look.since < float(look.configuration.get("WaitTime", "0")) * _MINUTE:
        return Outcome("InProgress", said)
    return _failed(said)


def _failed(why: str) -> Outcome:
    return Outcome("Failed", why)


ACTS: Mapping[str, Callable[[Look], Outcome]] = {
    "VariableCheck": variable_check,
    "CloudWatchAlarm": alarm,
}
