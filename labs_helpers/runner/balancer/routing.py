"""Where a request goes: a listener's rules, weights of target groups, and turns of targets.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """The head of a request. target: as the request line has it; headers: in order."""

    method: str
    target: str
    version: str
    headers: Sequence[tuple[str, str]]

    @property
    def path(self) -> str:
        target = self.target
        if target.lower().startswith(("http://", "https://")):
            target = "/" + target.partition("://")[2].partition("/")[2]
        return target.partition("?")[0]

    def header(self, name: str) -> list[str]:
        """The values of a header, whose name is in any case."""
        return [value for each, value in self.headers if each.lower() == name.lower()]


def action(rules: Iterable[Document], asked: Asked) -> Document | None:
    """The last action of the first rule that fits; rules: in the order of their priority."""
    for rule in rules:
        if all(_fits(each, asked) for each in rule["conditions"]):
            return rule["actions"][-1] if rule["actions"] else None
    return None


def _fits(condition: Document, asked: Asked) -> bool:
    match condition["Field"]:
        case "path-pattern":
            return _like(_values(condition, "PathPatternConfig"), [asked.path], exact_case=True)
        case "host-header":
            hosts = [each.partition(":")[0] for each in asked.header("host")]
            return _like(_values(condition, "HostHeaderConfig"), hosts)
        case "http-header":
            given = asked.header(condition["HttpHeaderConfig"]["HttpHeaderName"])
            return _like(condition["HttpHeaderConfig"].get("Values") or [], given)
        case "http-request-method":
            return asked.method in _values(condition, "HttpRequestMethodConfig")
    return False


def _values(condition: Document, config: str) -> list[str]:
    return [*((condition.get(config) or {}).get("Values") or condition.get("Values") or [])]


def _like(patterns: Iterable[str], found: Sequence[str], exact_case: bool = False) -> bool:
    """* is any number of characters, and ? is exactly one."""
    for pattern in patterns:
        form = re.compile(_expression(pattern), re.DOTALL | (0 if exact_case else re.IGNORECASE))
        if any(form.fullmatch(each) for each in found):
            return True
    return False


def _expression(pattern: str) -> str:
    """Every * but the last is an atomic group, which never gives up the first place that fits.

    So matching takes at most length times length steps: a client chooses the text.
    """
    pieces = [
        "".join("." if each == "?" else re.escape(each) for each in piece)
        for piece in re.split(r"\*+", pattern)
    ]
    if len(pieces) == 1:
        return pieces[0]
    head, *middle, tail = pieces
    return head + "".join(f"(?>.*?{piece})" for piece in middle) + f".*{tail}"


@dataclass
class Turns:
    """Shares turns out by weight, evenly: of ten turns at 90 and 10, exactly one is the second's.

    AWS says only that requests are distributed by the weights:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
    """

    _weights: dict[str, int] = field(default_factory=dict)
    _credit: dict[str, float] = field(default_factory=dict)

    def next(self, weights: Mapping[str, int]) -> str | None:
        """Whose turn it is; None where nobody has a weight. Other weights begin anew."""
        usable = {name: weight for name, weight in weights.items() if weight > 0}
        if usable != self._weights:
            self._weights, self._credit = dict(usable), dict.fromkeys(usable, 0.0)
        if not usable:
            return None
        for name, weight in usable.items():
            self._credit[name] += weight
        chosen = max(self._credit, key=lambda name: self._credit[name])
        self._credit[chosen] -= sum(usable.values())
        return chosen


def usable(targets: Iterable[Document]) -> list[Document]:
    """The targets that get requests: the healthy ones; the unhealthy ones where none is healthy.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    """
    listed = list(targets)
    for state in ("healthy", "unhealthy"):
        found = [each for each in listed if each["state"] == state]
        if found:
            return found
    return []


def matches(codes: str, status: int) -> bool:
    """Whether a status is one of "200", "200,301" or "200-299"."""
    for part in codes.split(","):
        first, _, last = part.strip().partition("-")
        last = last or first
        if first.isdecimal() and last.isdecimal() and int(first) <= status <= int(last):
            return True
    return False
