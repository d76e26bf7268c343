"""When a schedule comes next.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from labs_helpers.sandbox.events.schedules import NotASchedule, parse

START = datetime(2026, 11, 2, 9, 0, 30, tzinfo=UTC)  # a Monday


def times(text: str, count: int = 2, start: datetime = START) -> list[str]:
    def following() -> list[datetime]:
        found, last = [], start
        while len(found) < count:
            after = parse(text).after(last)
            if after is None:
                break
            found.append(after)
            last = after
        return found

    return [f"{each:%Y-%m-%d %H:%M:%S}" for each in islice(following(), count)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate(1 minute)", ["2026-11-02 09:01:30", "2026-11-02 09:02:30"]),
        ("rate(5 hours)", ["2026-11-02 14:00:30", "2026-11-02 19:00:30"]),
        ("rate(1 day)", ["2026-11-03 09:00:30", "2026-11-04 09:00:30"]),
        ("cron(0 10 * * ? *)", ["2026-11-02 10:00:00", "2026-11-03 10:00:00"]),
        ("cron(0/15 9 * * ? *)", ["2026-11-02 09:15:00", "2026-11-02 09:30:00"]),
        ("cron(15 12 ? * MON-FRI *)", ["2026-11-02 12:15:00", "2026-11-03 12:15:00"]),
        ("cron(0 8 1 * ? *)", ["2026-12-01 08:00:00", "2027-01-01 08:00:00"]),
        ("cron(0 8 L * ? *)", ["2026-11-30 08:00:00", "2026-12-31 08:00:00"]),
        ("cron(0 8 1W * ? *)", ["2026-12-01 08:00:00", "2027-01-01 08:00:00"]),
        ("cron(0 8 15W 11 ? *)", ["2026-11-16 08:00:00", "2027-11-15 08:00:00"]),
        ("cron(0 8 ? * 2#1 *)", ["2026-12-07 08:00:00", "2027-01-04 08:00:00"]),
        ("cron(0 8 ? * FRI#5 *)", ["2027-01-29 08:00:00", "2027-04-30 08:00:00"]),
        ("cron(0 8 ? * 6L *)", ["2026-11-27 08:00:00", "2026-12-25 08:00:00"]),
        ("cron(0 8 ? * L *)", ["2026-11-07 08:00:00", "2026-11-14 08:00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("cron(0 0 1 JAN,jul ? 2027)", ["2027-01-01 00:00:00", "2027-07-01 00:00:00"]),
        ("cron(0 0 30 2 ? *)", []),
        ("cron(0 0 1 1 ? 2020)", []),
    ],
)
def test_the_times_of_a_schedule(text: str, expected: list[str]) -> None:
    assert times(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(5 seconds)",
        "rate(-1 minutes)",
        "rate( 5 minutes)",
        "Rate(5 minutes)",
        "rate(1.5 hours)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(0 10 * * ?)",
        "cron(60 10 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 10 32 * ? *)",
        "cron(0 10 * 13 ? *)",
        "cron(0 10 ? * 8 *)",
        "cron(0 10 ? * MON#6 *)",
        "cron(0/0 10 * * ? *)",
        "cron(5-1 10 * * ? *)",
        "cron(x 10 * * ? *)",
        "at(2026-11-02T09:00:00)",
        "cron(" + "1," * 120 + " 1 * * ? *)",
    ],
)
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(NotASchedule, match=r"Parameter ScheduleExpression is not valid\."):
        parse(text)
