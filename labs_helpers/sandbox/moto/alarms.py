"""The alarms of CloudWatch that ECS watches while a deployment runs, read from moto.

ECS reads alarms by its service-linked role, which every account has:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
CodeDeploy reads them by DescribeAlarms with its service role. What is used here of moto is held by
tests/sandbox/ecs/test_alarms.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from labs_helpers.sandbox.moto.resources import backend


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
