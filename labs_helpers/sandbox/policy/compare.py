"""How one value of a condition compares with one value of the request.

Each takes (pattern of the policy, value of the request). A value that cannot be read as what the
operator compares does not match.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from labs_helpers.sandbox.policy.match import arn_matches, plain, wildcards

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


def arn_like(pattern: str, value: str) -> bool:
    """ "Each of the six colon-delimited components of the ARN is checked separately": ``*`` alone,
    which has no six, matches none.
    """
    return arn_matches(pattern, value)


def boolean_equals(pattern: str, value: str) -> bool:
    wanted = plain(pattern).lower()
    return wanted in ("true", "false") and wanted == value.lower()


def binary_equals(pattern: str, value: str) -> bool:
    """Both in base 64, which is how a policy and the simulator's ContextEntries have them."""
    wanted, given = _bytes(pattern), _bytes(value)
    return wanted is not None and wanted == given


def address_within(pattern: str, value: str) -> bool:
    network, address = _network(pattern), _network(value)
    if network is None or address is None or network.version != address.version:
        return False
    return address.subnet_of(network)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


@lru_cache(maxsize=4096)
def _number(text: str) -> Decimal | None:
    if not _NUMBER.fullmatch(text.strip()):
        return None
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime | None:
    """ISO 8601 as W3C profiles it, or seconds since 1970; four digits are a year."""
    if _SECONDS.fullmatch(text):
        try:
            return _EPOCH + timedelta(seconds=float(text))
        except OverflowError:
            return None
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
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


def is_date(text: str) -> bool:
    """Whether a policy may compare a date with this text."""
    return _moment(text) is not None


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta(0)
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))


def _numbers(holds: Callable[[Decimal, Decimal], bool]) -> Callable[[str, str], bool]:
    def compare(pattern: str, value: str) -> bool:
        wanted, given = _number(pattern), _number(value)
        return wanted is not None and given is not None and holds(given, wanted)

    return compare


def _moments(holds: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    def compare(pattern: str, value: str) -> bool:
        wanted, given = _moment(pattern), _moment(value)
        return wanted is not None and given is not None and holds(given, wanted)

    return compare


number_equals = _numbers(lambda given, wanted: given == wanted)
number_less = _numbers(lambda given, wanted: given < wanted)
number_at_most = _numbers(lambda given, wanted: given <= wanted)
number_greater = _numbers(lambda given, wanted: given > wanted)
number_at_least = _numbers(lambda given, wanted: given >= wanted)
date_equals = _moments(lambda given, wanted: given == wanted)
date_before = _moments(lambda given, wanted: given < wanted)
date_until = _moments(lambda given, wanted: given <= wanted)
date_after = _moments(lambda given, wanted: given > wanted)
date_since = _moments(lambda given, wanted: given >= wanted)
