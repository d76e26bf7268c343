"""ARNs, names and times as requests and answers have them.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_service-with-iam.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]
Place = tuple[str, str]
"""(account, region)"""

_DIGITS = 10
"""More than any revision has, which is an integer of Java's; a longer number names none either."""

_TIMES = {
    *("createdAt", "updatedAt", "startedAt", "stoppedAt", "stoppingAt", "executionStoppedAt"),
    *("pullStartedAt", "pullStoppedAt", "connectivityAt", "registeredAt", "deregisteredAt"),
    *("deleteRequestedAt", "finishedAt", "stabilityStatusAt"),
}


def arn(place: Place, rest: str) -> str:
    """The ARN of "cluster/NAME", "service/CLUSTER/NAME", "task/CLUSTER/ID" ..."""
    account, region = place
    return f"arn:aws:ecs:{region}:{account}:{rest}"


def last(text: str) -> str:
    """The name or ID at the end of an ARN; a name itself."""
    return text.rpartition("/")[2] if text.startswith("arn:") else text


def of_definition(text: str) -> tuple[str, int | None]:
    """Family and revision of "family", "family:revision" or an ARN; the revision may be absent."""
    family, colon, number = last(text).partition(":")
    return family, int(number[:_DIGITS]) if colon and _is_number(number) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def shown(value: Any, name: str = "") -> Any:
    """A document as an answer has it: aware datetimes, and no member that begins with "_"."""
    if name in _TIMES and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if name in ("environment", "options", "dockerLabels"):
        return value
    if isinstance(value, Mapping):
        return {key: shown(each, key) for key, each in value.items() if not key.startswith("_")}
    return [shown(each) for each in value] if isinstance(value, list) else value
