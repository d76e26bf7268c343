"""A check's verdict: passed or not, what the check looked at, found and wanted, what to try."""

from __future__ import annotations

from dataclasses import dataclass

from labs_helpers.checks.outcome import CheckError, NotAttempted, NotYet, Outcome, Passed
from labs_helpers.display.rendering import (
    BAD,
    CALM,
    GOOD,
    WARN,
    Rendering,
    columns,
    framed,
    rows_html,
    spelled,
)


@dataclass(frozen=True, repr=False)
class Verdict(Rendering):
    """A check's outcome, drawn."""

    outcome: Outcome

    @property
    def passed(self) -> bool:
        return isinstance(self.outcome, Passed)


UNTRIED = "not tried yet"
ASKED = "nothing has changed here yet"
"""For who has asked before: the check sees what there is, and no command that was refused."""
DONE_BEFORE = "done before, which counts; now open again"
"""As after the lab's clean-up, or after its beginning was made over."""


def verdict(check_id: str, outcome: Outcome, untried: str = UNTRIED) -> Verdict:
    """Draw what the check ``check_id`` found.

    ``untried``: how a check that finds no answer begins: UNTRIED, ASKED or DONE_BEFORE.
    """
    match outcome:
        case Passed(says, scope):
            head = f"✓ {check_id}  {says}"
            text = head + (f"\n  {scope}" if scope else "")
            return Verdict(text, framed(GOOD, head, spelled(scope)), outcome)
        case NotYet(looked_at, found, wanted, suggestion):
            colour, head = WARN, f"✗ {check_id}  not yet"
            rows = [("looked at", looked_at), *_found(found), ("wanted", wanted)]
        case NotAttempted(looks_at):
            head = f"○ {check_id}  {untried}"
            rows = [("looks at", looks_at)]
            return Verdict(
                f"{head}\n{columns(rows, 2)}", framed(CALM, head, rows_html(rows)), outcome
            )
        case CheckError(looked_at, found, suggestion):
            colour, head = BAD, f"! {check_id}  the check could not look"
            rows = [("looked at", looked_at), *_found(found)]
    rows.append(("try", suggestion))
    return Verdict(f"{head}\n{columns(rows, 2)}", framed(colour, head, rows_html(rows)), outcome)


def _found(lines: str) -> list[tuple[str, str]]:
    """A row for each line."""
    return [("found", line) for line in lines.splitlines() or [""]]
