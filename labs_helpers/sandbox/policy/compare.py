"""Comparisons of one value in a policy's condition with one value of the request.

Every comparison takes (value of the policy, value of the request). A value that the operator cannot
read, such as a number for ``DateEquals``, does not match.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

from labs_helpers.sandbox.policy.match import plain, wildcards

Comparison = Callable[[str, str], bool]
T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: "an integer or decimal value"
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_SECONDS = re.compile(r"-?\d{5,15}(\.\d+)?|-?\d{1,3}(\.\d+)?")
#: https://www.w3.org/TR/NOTE-datetime
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)"
    r"(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?)?)?)?"
)


def text_equals(pattern: str, value: str) -> bool:
    return plain(pattern) == value


def text_equals_ignoring_case(pattern: str, value: str) -> bool:
    return plain(pattern).lower() == value.lower()


def text_like(pattern: str, value: str) -> bool:
    return wildcards(pattern).fullmatch(value) is not None


def boolean_equals(pattern: str, value: str) -> bool:
    wanted = plain(pattern).lower()
    return wanted in ("true", "false") and wanted == value.lower()


def binary_equals(pattern: str, value: str) -> bool:
    """Both values are base 64, in a policy as in the ContextEntries of the simulator."""
    wanted = _bytes(pattern)
    return wanted is not None and wanted == _bytes(value)


def address_within(pattern: str, value: str) -> bool:
    network, address = _network(pattern), _network(value)
    if network is None or address is None or network.version != address.version:
        return False
    return address.subnet_of(network)  # type: ignore[arg-type]


def number(holds: Callable[[Decimal, Decimal], bool]) -> Comparison:
    """A comparison of numbers. holds: (number of the request, number of the policy) -> result."""
    return _typed(_number, holds)


def date(holds: Callable[[datetime, datetime], bool]) -> Comparison:
    """A comparison of dates. holds: (date of the request, date of the policy) -> result."""
    return _typed(_moment, holds)


def _typed(read: Callable[[str], T | None], holds: Callable[[T, T], bool]) -> Comparison:
    def compare(pattern: str, value: str) -> bool:
        wanted, given = read(pattern), read(value)
        return wanted is not None and given is not None and holds(given, wanted)

    return compare


def is_date(text: str) -> bool:
    """Whether the text is a date that a policy may compare with."""
    return _moment(text) is not None


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _number(text: str) -> Decimal | None:
    return Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime | None:
    """A date in W3C's profile of ISO 8601, or seconds since 1970. Four digits are a year."""
    if _SECONDS.fullmatch(text):
        try:
            return _EPOCH + timedelta(seconds=float(text))
        except OverflowError:
            return None
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")),
            tzinfo=UTC,
        )
        return moment - _offset(zone)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta(0)
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
