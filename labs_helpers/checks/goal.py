"""An exercise's goal: the facts that must hold, each in the exercise's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from labs_helpers.checks.outcome import NotYet
from labs_helpers.own_names import OwnNames

Seen = TypeVar("Seen")


class Finding(NamedTuple):
    """What is there instead of a fact: where the check looked, what it found, what to think about.

    ``found`` may have several lines. ``suggestion`` must not hold the solution.
    """

    looked_at: str
    found: str
    suggestion: str


@dataclass(frozen=True)
class Fact(Generic[Seen]):
    """One thing that must hold, or must not.

    ``says`` repeats words of the exercise's text; a learner reads it as what was wanted. ``look``
    returns None when the fact holds of what the check has seen, or else the Finding.
    """

    says: str
    look: Callable[[Seen], Finding | None]


def named(facts: Iterable[Fact[Seen]], names: OwnNames) -> list[Fact[Seen]]:
    """The facts in the words of an exercise that has the learner's account and region."""
    return [replace(fact, says=names.of(fact.says)) for fact in facts]


def unmet(facts: Iterable[Fact[Seen]], seen: Seen) -> NotYet | None:
    """The first fact that does not hold, as an outcome; None when all hold."""
    for fact in facts:
        found = fact.look(seen)
        if found is not None:
            return NotYet(found.looked_at, found.found, fact.says, found.suggestion)
    return None
