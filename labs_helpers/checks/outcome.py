"""What a check can find. ``verdict.py`` draws it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passed:
    """The goal is reached. ``scope`` says what the pass does not prove."""

    says: str
    scope: str = ""


@dataclass(frozen=True)
class NotYet:
    """Something is there, but not what was wanted.

    ``wanted`` repeats the exercise's own words, and ``suggestion`` is one thing to think about:
    neither holds the solution.
    """

    looked_at: str
    found: str
    wanted: str
    suggestion: str


@dataclass(frozen=True)
class NotAttempted:
    """The state is as it was before the exercise. Nothing is said of it but where the check looks.

    ``looks_at`` is what the check looks at.
    """

    looks_at: str


@dataclass(frozen=True)
class CheckError:
    """The check could not look, and so says nothing about the learner's work."""

    looked_at: str
    found: str
    suggestion: str


Outcome = Passed | NotYet | NotAttempted | CheckError
"""What a check returns."""

NAMES: dict[type[Outcome], str] = {
    Passed: "passed",
    NotYet: "not yet",
    NotAttempted: "not attempted",
    CheckError: "could not look",
}
"""What the learner's journal calls each outcome."""
