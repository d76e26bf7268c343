"""The condition keys of a request: those that AWS fills, and those that a policy asks for.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html

IAM's simulator fills none of them, so a simulation has to be given what a real request brings. Some
are the same in every request of a principal; others, such as the address, the time and a
session's MFA, the principal or the future can choose. So what a principal can ever do is tried in
each of ``contexts``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import islice, product
from typing import Any

Context = tuple[tuple[str, str], ...]

NOW = "aws:CurrentTime"
MOST = 60
"""Contexts that are tried, each with several requests to IAM."""

_TIME = (NOW.lower(), "aws:epochtime")
_SESSION = timedelta(hours=36)
"""The longest life of a session token:
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"""
_SETTLED = (
    "aws:principal",
    "aws:userid",
    "aws:username",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:securetransport",
    "aws:viaawsservice",
    "aws:calledvia",
)
"""How the keys begin that no request of the principal to ECR can choose. Which organization an
account is in (aws:PrincipalOrgID), the account does not say: any is tried."""
_TYPES = {
    NOW.lower(): "date",
    "aws:tokenissuetime": "date",
    "aws:epochtime": "numeric",
    "aws:multifactorauthage": "numeric",
    "aws:multifactorauthpresent": "boolean",
    "aws:securetransport": "boolean",
    "aws:viaawsservice": "boolean",
    "aws:principalisawsservice": "boolean",
    "aws:sourceip": "ip",
    "aws:vpcsourceip": "ip",
}
_VARIABLE = re.compile(r"\$\{([^},]+)(?:,\s*'([^']*)')?\}")
_ELSEWHERE = "203.0.113.7"
"""An address of nobody's: https://www.rfc-editor.org/rfc/rfc5737"""


def of_principal(arn: str, tags: Mapping[str, str], user_id: str = "") -> dict[str, str]:
    """What every request of a user or role brings, whatever it asks for. tags: of the user or role.

    ``user_id`` is a user's; a role's session has another for each session.
    """
    account, (kind, _, name) = arn.split(":")[4], arn.split(":", 5)[5].partition("/")
    found = {
        "aws:PrincipalArn": arn,
        "aws:PrincipalAccount": account,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "User" if kind == "user" else "AssumedRole",
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
    }
    if kind == "user":
        found["aws:username"] = name.rpartition("/")[2]
    if user_id:
        found["aws:userid"] = user_id
    return found | {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}


def entries(context: Mapping[str, str]) -> list[dict[str, Any]]:
    """The context as SimulatePrincipalPolicy takes it; with aws:CurrentTime comes aws:EpochTime."""
    given = dict(context)
    if NOW in given:
        given["aws:EpochTime"] = str(int(datetime.fromisoformat(given[NOW]).timestamp()))
    return [
        {
            "ContextKeyName": key,
            "ContextKeyType": _TYPES.get(key.lower(), "string"),
            "ContextKeyValues": [value],
        }
        for key, value in given.items()
    ]


def filled(text: str, known: Mapping[str, str]) -> str:
    """A policy's text with its variables replaced by what the requests bring, an x where unknown.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    values = {key.lower(): value for key, value in known.items()}

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        return name if name in "*?$" else values.get(name.lower(), found[2] or "x")

    return _VARIABLE.sub(value, text)


def contexts(
    statements: Iterable[Mapping[str, Any]], known: Mapping[str, str], now: datetime
) -> list[Context]:
    """The contexts in which requests can meet, and not meet, the statements' conditions.

    known: what every request of the principal brings. The first is (), a request with nothing but
    that. No time before ``now`` is among them. Of very many, the first ``MOST``.
    """
    asked = [one for statement in statements if (one := _asked(statement, known, now))]
    everything: dict[str, list[str]] = {}
    for choices in asked:
        for key, values in choices.items():
            everything[key] = [*dict.fromkeys([*everything.get(key, ()), *values])]
    found: dict[Context, None] = {(): None}
    for choices in [*asked, everything]:
        found |= dict.fromkeys(islice(_combined(choices), MOST))
    return list(found)[:MOST]


def _combined(choices: Mapping[str, list[str]]) -> Iterator[Context]:
    """Every combination of values; "" leaves a key out."""
    for values in product(*(["", *values] for values in choices.values())):
        yield tuple((key, one) for key, one in zip(choices, values, strict=True) if one)


def _asked(
    statement: Mapping[str, Any], known: Mapping[str, str], now: datetime
) -> dict[str, list[str]]:
    """Condition key -> values that decide the statement's condition one way or the other."""
    names: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for operator, tests in dict(statement.get("Condition") or {}).items():
        for name, values in tests.items():
            if name.lower().startswith(_SETTLED) and "org" not in name.lower():
                continue
            key = NOW if name.lower() in _TIME else names.setdefault(name.lower(), name)
            texts = values if isinstance(values, list) else [values]
            tried = _values(operator, key, [filled(_text(one), known) for one in texts], now)
            found[key] = [*dict.fromkeys([*found.get(key, ()), *tried])]
    return {key: values for key, values in found.items() if values}


def _values(operator: str, key: str, wanted: list[str], now: datetime) -> list[str]:
    """Values on both sides of a test."""
    kind = operator.lower().rpartition(":")[2].removesuffix("ifexists")
    if key == NOW or kind.startswith("date"):
        return _moments(key, wanted, now)
    if kind.startswith("numeric"):
        return [str(number) for one in wanted for number in _around(one)]
    if kind in ("ipaddress", "notipaddress"):
        return [*(address for one in wanted for address in _address(one)), _ELSEWHERE]
    if kind == "bool":
        return ["true", "false"]
    if kind == "null":
        return ["x"]
    return [*(re.sub(r"[*?]", "x", one) for one in wanted), "x"]


def _moments(key: str, wanted: list[str], now: datetime) -> list[str]:
    """A day before, at and after each date that can still come, or can still be a session's."""
    day = timedelta(days=1)
    around = [m + more for one in wanted for m in _moment(one) for more in (-day, day * 0, day)]
    first = now - _SESSION if key.lower() == "aws:tokenissuetime" else now
    spoken = [one for one in (first, *around) if one >= first or key.lower() not in _TYPES]
    return [one.strftime("%Y-%m-%dT%H:%M:%SZ") for one in spoken]


def _moment(text: str) -> Iterator[datetime]:
    """The date of a policy, in ISO 8601 or in seconds since 1970; nothing for another text."""
    try:
        if re.fullmatch(r"\d{5,}(\.\d+)?", text):
            yield datetime.fromtimestamp(float(text), UTC)
            return
        found = datetime.fromisoformat(f"{text}-01-01" if re.fullmatch(r"\d{4}", text) else text)
        yield found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return


def _around(text: str) -> list[int]:
    try:
        number = int(float(text))
    except (ValueError, OverflowError):
        return []
    return [one for one in (number - 1, number, number + 1) if one >= 0]


def _address(text: str) -> list[str]:
    try:
        return [str(ip_network(text, strict=False).network_address)]
    except ValueError:
        return []


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
