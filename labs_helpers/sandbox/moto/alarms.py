"""The alarms of CloudWatch: read for ECS, and judged when values of their metrics come.

ECS reads alarms by its service-linked role, which every account has:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
CodeDeploy reads them by DescribeAlarms with its service role.

An alarm of a metric and a threshold is judged when a value of the metric is put, by the periods up
to the newest value. AWS judges each minute, too: here no alarm notices that values stay out.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.moto.backends import backend


def look(place: tuple[str, str], names: Sequence[str]) -> dict[str, tuple[bool, float]]:
    """Name -> (whether the alarm is in the state ALARM, seconds that it takes to judge).

    place: account and region. An alarm that is not there is left out.
    """
    found = backend("cloudwatch", *place)
    alarms = {} if found is None else dict(found.alarms)
    return {
        name: (
            str(alarms[name].state_value) == "ALARM",
            float(alarms[name].period or 0) * float(alarms[name].evaluation_periods or 1),
        )
        for name in names
        if name in alarms
    }


def judge(backend: Any, namespace: str, metrics: set[str]) -> None:
    """Bring the alarms of some metrics of a namespace into the state of their newest periods."""
    for alarm in list(backend.alarms.values()):
        if alarm.namespace == namespace and alarm.metric_name in metrics:
            _judge(alarm, backend.metric_data)


def _judge(alarm: Any, data: Sequence[Any]) -> None:
    compare = _COMPARED.get(alarm.comparison_operator)
    statistic = _STATISTICS.get(alarm.statistic)
    if compare is None or statistic is None or not alarm.period:
        return
    points = _points(alarm, data, statistic)
    if not points:
        return
    breaching = [value for value in points.values() if compare[0](value, float(alarm.threshold))]
    count = int(alarm.evaluation_periods)
    missing = count - len(points)
    needed = int(alarm.datapoints_to_alarm or count)
    treated = alarm.treat_missing_data or "missing"
    bad = len(breaching) + (missing if treated == "breaching" else 0)
    unknown = missing if treated in ("missing", "ignore") else 0
    if breaching and bad >= needed:
        state, said = "ALARM", f"was {compare[1]}"
    elif bad + unknown < needed:
        state, said = "OK", f"was not {compare[1]}"
    else:
        return
    if str(alarm.state_value) != state:
        newest = points[max(points)]
        plural = "" if len(points) == 1 else "s"
        reason = (
            f"Threshold Crossed: {len(points)} datapoint{plural} [{newest}] {said} the threshold "
            f"({float(alarm.threshold)})."
        )
        alarm.update_state(reason, "{}", state)


def _points(
    alarm: Any, data: Sequence[Any], statistic: Callable[[Sequence[Any]], float]
) -> dict[int, float]:
    """Number of a period -> its statistic, of the newest periods that the alarm evaluates."""
    period = int(alarm.period)
    found: dict[int, list[Any]] = {}
    for each in data:
        if (
            each.namespace == alarm.namespace
            and each.name == alarm.metric_name
            and {(one.name, one.value) for one in each.dimensions}
            == {(one.name, one.value) for one in alarm.dimensions}
            and alarm.unit in (None, each.unit)
        ):
            found.setdefault(int(each.timestamp.timestamp() // period), []).append(each)
    first = max(found, default=0) - int(alarm.evaluation_periods) + 1
    return {at: statistic(values) for at, values in found.items() if at >= first}


def _of(name: str, each: Any) -> float:
    """A statistic of a value, or of values that were put as a set of statistics."""
    return float(each.value if hasattr(each, "value") else getattr(each, name))


def _sample_count(values: Sequence[Any]) -> float:
    return sum(float(getattr(each, "sample_count", 1)) for each in values)


def _sum(values: Sequence[Any]) -> float:
    return sum(_of("sum", each) for each in values)


_STATISTICS: Mapping[str, Callable[[Sequence[Any]], float]] = {
    "Average": lambda values: _sum(values) / (_sample_count(values) or 1),
    "Maximum": lambda values: max(_of("max", each) for each in values),
    "Minimum": lambda values: min(_of("min", each) for each in values),
    "SampleCount": _sample_count,
    "Sum": _sum,
}
_COMPARED: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
}
"""Comparison with a threshold, and its words in a state's reason."""
