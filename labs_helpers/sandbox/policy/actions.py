"""Action and NotAction: names and patterns, without regard to case.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from labs_helpers.sandbox.policy.match import any_of


@dataclass(frozen=True)
class Actions:
    """Names apart from patterns, and patterns by service: ReadOnlyAccess has a thousand of them.

    by_service has under "" those whose service is itself a pattern; they are compiled when asked.
    """

    negated: bool
    every: bool
    names: frozenset[str]
    by_service: dict[str, list[str]]
    _compiled: dict[str, re.Pattern[str]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, patterns: Iterable[str], negated: bool) -> Actions:
        names: set[str] = set()
        by_service: dict[str, list[str]] = {}
        every = False
        for pattern in patterns:
            lower = pattern.lower()
            service = lower.partition(":")[0]
            if lower == "*":
                every = True
            elif not _is_pattern(lower):
                names.add(lower)
            else:
                by_service.setdefault("" if _is_pattern(service) else service, []).append(lower)
        return cls(negated, every, frozenset(names), by_service)

    def match(self, action: str) -> bool:
        """action: in lower case, such as ``ecr:putimage``."""
        return self._includes(action) != self.negated

    def _includes(self, action: str) -> bool:
        if self.every or action in self.names:
            return True
        return self._fits(action.partition(":")[0], action) or self._fits("", action)

    def _fits(self, service: str, action: str) -> bool:
        patterns = self.by_service.get(service)
        if not patterns:
            return False
        compiled = self._compiled.get(service)
        if compiled is None:
            compiled = self._compiled[service] = any_of(patterns)
        return compiled.fullmatch(action) is not None


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text
