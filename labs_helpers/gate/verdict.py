"""Whether an image passes the gate, and why: the gate's rules applied to a scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from labs_helpers.gate.accepted_risks import AcceptedRisk
from labs_helpers.gate.scan import Finding, Scan

LEVELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
"""The severities that can be a threshold, worst first."""

PASSED, FINDINGS, INCOMPLETE, NOT_COVERED = 0, 3, 4, 5
"""Exit codes. The command itself uses 1 (AWS did not answer) and 2 (wrong arguments)."""

State = Literal["blocks", "below", "no fix", "accepted", "not covered"]


@dataclass(frozen=True)
class Rules:
    """``fail_on`` is one of LEVELS. If ``only_fixable``, findings without a fix do not block."""

    fail_on: str = "HIGH"
    only_fixable: bool = False


@dataclass(frozen=True)
class Judgement:
    """A finding, the state that the gate gives it, and the reason."""

    finding: Finding
    state: State
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """The result of the gate.

    ``expired`` risks are no longer accepted; ``stale`` risks match no finding of the scan.
    """

    scan: Scan
    rules: Rules
    judgements: tuple[Judgement, ...]
    expired: tuple[AcceptedRisk, ...]
    stale: tuple[AcceptedRisk, ...]

    def in_state(self, state: State) -> tuple[Judgement, ...]:
        """The judgements with one state."""
        return tuple(each for each in self.judgements if each.state == state)

    @property
    def exit_code(self) -> int:
        """The exit code of the most serious reason not to pass, or PASSED."""
        if not self.scan.complete:
            return INCOMPLETE
        if self.in_state("blocks"):
            return FINDINGS
        return NOT_COVERED if self.in_state("not covered") else PASSED

    @property
    def passed(self) -> bool:
        """Whether the image may be deployed."""
        return self.exit_code == PASSED

    def summary(self) -> str:
        """The verdict in one sentence."""
        if not self.scan.complete:
            reason = f": {self.scan.description}" if self.scan.description else ""
            return f"{self.scan.image} is not judged: its scan is {self.scan.status}{reason}"
        reasons = []
        blocking = Counter(each.finding.severity for each in self.in_state("blocks"))
        if blocking:
            counts = ", ".join(
                f"{blocking[level]} {level}" for level in sorted(blocking, key=_severity_rank)
            )
            reasons.append(f"{counts} at or above {self.rules.fail_on}")
        if uncovered := self.in_state("not covered"):
            plural = "" if len(uncovered) == 1 else "s"
            reasons.append(f"{len(uncovered)} package{plural} that nobody judged")
        if reasons:
            return f"{self.scan.image} does not pass: {'; '.join(reasons)}"
        accepted = len(self.in_state("accepted"))
        rest = f", {accepted} accepted" if accepted else ""
        return f"{self.scan.image} passes: nothing at or above {self.rules.fail_on}{rest}"


def judge(scan: Scan, rules: Rules, accepted: Iterable[AcceptedRisk], today: date) -> Verdict:
    """Apply the rules to a scan.

    An unknown severity (UNDEFINED, UNTRIAGED) reaches every threshold. ``only_fixable`` does not
    excuse a finding for which ECR does not say whether it has a fix, as in basic scanning.
    """
    risks = tuple(accepted)
    valid = [risk for risk in risks if risk.expires >= today]
    used: set[AcceptedRisk] = set()
    judgements = []
    for finding in scan.findings:
        risk = _risk_of(finding, valid)
        expired = _risk_of(finding, risks)
        used.update(each for each in (risk, expired) if each is not None)
        if risk is not None:
            judgements.append(
                Judgement(finding, "accepted", f"until {risk.expires}: {risk.reason}")
            )
        elif finding.not_covered:
            judgements.append(Judgement(finding, "not covered"))
        elif not _reaches(finding.severity, rules.fail_on):
            judgements.append(Judgement(finding, "below"))
        elif rules.only_fixable and finding.fixed == "":
            judgements.append(Judgement(finding, "no fix"))
        else:
            reason = f"accepted until {expired.expires}" if expired else ""
            judgements.append(Judgement(finding, "blocks", reason))
    return Verdict(
        scan=scan,
        rules=rules,
        judgements=tuple(sorted(judgements, key=_rank)),
        expired=tuple(risk for risk in risks if risk.expires < today),
        stale=tuple(risk for risk in valid if risk not in used) if scan.complete else (),
    )


def _risk_of(finding: Finding, risks: Iterable[AcceptedRisk]) -> AcceptedRisk | None:
    for risk in risks:
        if risk.id == finding.id and risk.package in ("", finding.package):
            return risk
    return None


def _reaches(severity: str, threshold: str) -> bool:
    return severity not in LEVELS or LEVELS.index(severity) <= LEVELS.index(threshold)


def _severity_rank(severity: str) -> int:
    return LEVELS.index(severity) if severity in LEVELS else len(LEVELS)


def _rank(judgement: Judgement) -> tuple[int, str, str]:
    finding = judgement.finding
    return _severity_rank(finding.severity), finding.id, finding.package
