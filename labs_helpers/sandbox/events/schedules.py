"""Schedules of rules: rate() and cron(), and when each comes next.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html. All times
are UTC, and a cron() schedule comes at the beginning of its minute.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

_RATE = re.compile(r"rate\((\d{1,9}) (minutes?|hours?|days?)\)", re.ASCII)
_CRON = re.compile(r"cron\(([^()]+)\)", re.ASCII)
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class NotASchedule(Exception):
    """The text is no schedule; the message is AWS's."""

    def __init__(self) -> None:
        super().__init__("Parameter ScheduleExpression is not valid.")


class Schedule(Protocol):
    """When a rule acts by itself."""

    def after(self, last: datetime) -> datetime | None:
        """The first time after another; None where no time follows."""


@dataclass(frozen=True)
class Rate:
    """Every so many seconds, counted from the time at which the rule was put."""

    seconds: int

    def after(self, last: datetime) -> datetime | None:
        try:
            return last + timedelta(seconds=self.seconds)
        except OverflowError:
            return None


@dataclass(frozen=True)
class Cron:
    """days: whether a date is meant; the others are sets of numbers."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: Callable[[datetime], bool]
    months: frozenset[int]
    years: frozenset[int]

    def after(self, last: datetime) -> datetime | None:
        at = last.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for year in sorted(each for each in self.years if each >= at.year):
            for month in sorted(self.months):
                if (year, month) < (at.year, at.month):
                    continue
                for day in range(1, calendar.monthrange(year, month)[1] + 1):
                    date = datetime(year, month, day, tzinfo=UTC)
                    if date.date() >= at.date() and self.days(date):
                        found = self._on(date, at)
                        if found is not None:
                            return found
        return None

    def _on(self, date: datetime, at: datetime) -> datetime | None:
        """The first time of a date that is not before another time."""
        times = (
            date.replace(hour=hour, minute=minute)
            for hour in sorted(self.hours)
            for minute in sorted(self.minutes)
        )
        return next((each for each in times if each >= at), None)


def parse(text: str) -> Schedule:
    """The schedule of a ScheduleExpression; raises NotASchedule."""
    if found := _RATE.fullmatch(text):
        number, unit = int(found[1]), found[2]
        if number < 1 or unit.endswith("s") == (number == 1):
            raise NotASchedule()
        return Rate(number * _SECONDS[unit.removesuffix("s")])
    if found := _CRON.fullmatch(text):
        fields = found[1].split()
        if len(fields) == 6:
            return _cron(*fields)
    raise NotASchedule()


def _cron(minutes: str, hours: str, day: str, month: str, weekday: str, years: str) -> Cron:
    if (day == "?") == (weekday == "?"):
        raise NotASchedule()  # one of the two days is "?", and only one
    return Cron(
        _numbers(minutes, 0, 59),
        _numbers(hours, 0, 23),
        _day_of_month(day) if weekday == "?" else _day_of_week(weekday),
        _numbers(month.upper(), 1, 12, {name: at for at, name in enumerate(_MONTHS, 1)}),
        _numbers(years, _FIRST_YEAR, _LAST_YEAR),
    )


def _day_of_month(text: str) -> Callable[[datetime], bool]:
    if text.upper() == "L":
        return lambda date: date.day == _last(date)
    if found := re.fullmatch(r"(\d{1,2}|L)W", text.upper(), re.ASCII):
        if found[1] != "L" and not 1 <= int(found[1]) <= 31:
            raise NotASchedule()
        day = found[1]
        return lambda date: date.day == _nearest_weekday(date, day)
    numbers = _numbers(text, 1, 31)
    return lambda date: date.day in numbers


def _day_of_week(text: str) -> Callable[[datetime], bool]:
    names = {name: at for at, name in enumerate(_DAYS, 1)}
    text = text.upper()
    if text == "L":
        text = "7"
    if found := re.fullmatch(r"(\w{1,3})#([1-5])", text, re.ASCII):
        day, week = _number(found[1], 1, 7, names), int(found[2])
        return lambda date: _weekday(date) == day and (date.day - 1) // 7 + 1 == week
    if found := re.fullmatch(r"(\w{1,3})L", text, re.ASCII):
        day = _number(found[1], 1, 7, names)
        return lambda date: _weekday(date) == day and date.day > _last(date) - 7
    numbers = _numbers(text, 1, 7, names)
    return lambda date: _weekday(date) in numbers


def _numbers(
    text: str, low: int, high: int, names: Mapping[str, int] | None = None
) -> frozenset[int]:
    """The numbers of a field: lists, ranges, steps, and the whole range."""
    found: set[int] = set()
    for part in text.split(","):
        whole, slash, step = part.partition("/")
        if slash and not (step.isascii() and step.isdigit() and 0 < int(step[:6]) <= high):
            raise NotASchedule()
        if whole == "*":
            first, last = low, high
        else:
            begin, dash, end = whole.partition("-")
            first = _number(begin, low, high, names or {})
            last = _number(end, low, high, names or {}) if dash else high if slash else first
        if first > last:
            raise NotASchedule()
        found.update(range(first, last + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, low: int, high: int, names: Mapping[str, int]) -> int:
    if text in names:
        return names[text]
    if not (text.isascii() and text.isdigit()) or not low <= int(text[:6]) <= high:
        raise NotASchedule()
    return int(text)


def _weekday(date: datetime) -> int:
    """1 is Sunday."""
    return date.isoweekday() % 7 + 1


def _last(date: datetime) -> int:
    return calendar.monthrange(date.year, date.month)[1]


def _nearest_weekday(date: datetime, day: str) -> int:
    """The day from Monday to Friday of this month that is nearest to a day; 0 for a day that the
    month does not have."""
    last = _last(date)
    number = last if day == "L" else int(day)
    if number > last:
        return 0
    weekday = date.replace(day=number).isoweekday()
    if weekday == 6:
        return number - 1 if number > 1 else number + 2
    if weekday == 7:
        return number + 1 if number < last else number - 2
    return number
