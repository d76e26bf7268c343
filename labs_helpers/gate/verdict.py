"""Pass or not, and why: the rules of a gate applied to a scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from labs_helpers.gate.accepted import Accepted
from labs_helpers.gate.scan import Finding, Scan

LEVELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
"""Severities that can be a threshold, the worst first."""

PASSED, FINDINGS, INCOMPLETE, NOT_COVERED = 0, 3, 4, 5
"""Exit codes. 1 and 2 are the command's own: it could not ask, it was called wrongly."""

State = Literal["blocks", "below", "no fix", "accepted", "not covered"]


@dataclass(frozen=True)
class Rules:
    """``fail_on`` is a severity of LEVELS; ``only_fixable`` lets pass what has no fix."""

    fail_on: str = "HIGH"
    only_fixable: bool = False


@dataclass(frozen=True)
class Judged:
    """A finding and what the gate makes of it."""

    finding: Finding
    state: State
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """``expired`` entries accept nothing any more, ``stale`` ones meet no finding."""

    scan: Scan
    rules: Rules
    judged: tuple[Judged, ...]
    expired: tuple[Accepted, ...]
    stale: tuple[Accepted, ...]

    def those(self, state: State) -> tuple[Judged, ...]:
        """The findings in one state."""
        return tuple(one for one in self.judged if one.state == state)

    @property
    def exit_code(self) -> int:
        """The gravest reason not to pass, as an exit code."""
        if not self.scan.complete:
            return INCOMPLETE
        if self.those("blocks"):
            return FINDINGS
        return NOT_COVERED if self.those("not covered") else PASSED

    @property
    def passed(self) -> bool:
        """Whether the image may go on."""
        return self.exit_code == PASSED

    def summary(self) -> str:
        """One sentence."""
        if not self.scan.complete:
            told = f": {self.scan.description}" if self.scan.description else ""
            return f"{self.scan.image} is not judged: its scan is {self.scan.status}{told}"
        reasons = []
        blocking = Counter(one.finding.severity for one in self.those("blocks"))
        if blocking:
            counts = ", ".join(f"{blocking[level]} {level}" for level in _ordered(blocking))
            reasons.append(f"{counts} at or above {self.rules.fail_on}")
        if uncovered := self.those("not covered"):
            plural = "" if len(uncovered) == 1 else "s"
            reasons.append(f"{len(uncovered)} package{plural} that nobody judged")
        if reasons:
            return f"{self.scan.image} does not pass: {'; '.join(reasons)}"
        accepted = len(self.those("accepted"))
        beside = f", {accepted} accepted" if accepted else ""
        return f"{self.scan.image} passes: nothing at or above {self.rules.fail_on}{beside}"


def judge(scan: Scan, rules: Rules, accepted: Iterable[Accepted], today: date) -> Verdict:
    """Apply the rules. A severity that nobody gave (UNDEFINED, UNTRIAGED) reaches every threshold.

    Where ECR does not say whether there is a fix, as basic scanning does not, ``only_fixable``
    lets nothing pass: unknown is not "none".
    """
    entries = tuple(accepted)
    valid = [one for one in entries if one.expires >= today]
    used: set[Accepted] = set()
    judged = []
    for finding in scan.findings:
        entry = _entry(finding, valid)
        late = _entry(finding, entries)
        used.update(one for one in (entry, late) if one is not None)
        if entry is not None:
            judged.append(Judged(finding, "accepted", f"until {entry.expires}: {entry.reason}"))
        elif finding.not_covered:
            judged.append(Judged(finding, "not covered"))
        elif not _reaches(finding.severity, rules.fail_on):
            judged.append(Judged(finding, "below"))
        elif rules.only_fixable and finding.fixed == "":
            judged.append(Judged(finding, "no fix"))
        else:
            reason = f"accepted until {late.expires}" if late else ""
            judged.append(Judged(finding, "blocks", reason))
    return Verdict(
        scan=scan,
        rules=rules,
        judged=tuple(sorted(judged, key=lambda one: _rank(one.finding))),
        expired=tuple(one for one in entries if one.expires < today),
        stale=tuple(one for one in valid if one not in used) if scan.complete else (),
    )


def _entry(finding: Finding, entries: Iterable[Accepted]) -> Accepted | None:
    for one in entries:
        if one.id == finding.id and one.package in ("", finding.package):
            return one
    return None


def _reaches(severity: str, threshold: str) -> bool:
    return severity not in LEVELS or LEVELS.index(severity) <= LEVELS.index(threshold)


def _rank(finding: Finding) -> tuple[int, str, str]:
    known = finding.severity in LEVELS
    return LEVELS.index(finding.severity) if known else len(LEVELS), finding.id, finding.package


def _ordered(counts: Iterable[str]) -> list[str]:
    return sorted(counts, key=lambda one: LEVELS.index(one) if one in LEVELS else len(LEVELS))
