"""Action and NotAction: names and patterns, compared without regard to case.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from labs_helpers.sandbox.policy.match import any_of


@dataclass(frozen=True)
class Actions:
    """The actions of a statement. ReadOnlyAccess has a thousand patterns, so they are indexed.

    names: the entries without wildcards; patterns: service -> the entries with wildcards, where the
    key "" has those with a wildcard in the service. Patterns are compiled on first use.
    """

    negated: bool
    every: bool
    names: frozenset[str]
    patterns: dict[str, list[str]]
    _compiled: dict[str, re.Pattern[str]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, entries: Iterable[str], negated: bool) -> Actions:
        names: set[str] = set()
        patterns: dict[str, list[str]] = {}
        for entry in map(str.lower, entries):
            service = entry.partition(":")[0]
            if not _is_pattern(entry):
                names.add(entry)
            else:
                patterns.setdefault("" if _is_pattern(service) else service, []).append(entry)
        return cls(negated, "*" in patterns.get("", ()), frozenset(names), patterns)

    def match(self, action: str) -> bool:
        """action: in lower case, such as ``ecr:putimage``."""
        return self._includes(action) != self.negated

    def _includes(self, action: str) -> bool:
        if self.every or action in self.names:
            return True
        return self._fits(action.partition(":")[0], action) or self._fits("", action)

    def _fits(self, service: str, action: str) -> bool:
        if service not in self.patterns:
            return False
        if service not in self._compiled:
            self._compiled[service] = any_of(self.patterns[service])
        return self._compiled[service].fullmatch(action) is not None


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text
