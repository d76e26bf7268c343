"""How a check speaks: a verdict, then what it looked at, found and wanted, and what to try."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from labs_helpers.checks.outcome import CheckError, NotAttempted, NotYet, Outcome, Passed
from labs_helpers.display.rendering import BAD, GOOD, WARN, Rendering, columns, framed, rows_html


@dataclass(frozen=True, repr=False)
class Verdict(Rendering):
    """A check's outcome, drawn."""

    outcome: Outcome

    @property
    def passed(self) -> bool:
        return isinstance(self.outcome, Passed)


def verdict(check_id: str, outcome: Outcome) -> Verdict:
    """Draw what the check ``check_id`` found."""
    match outcome:
        case Passed(says, scope):
            text = f"✓ {check_id}  {says}" + (f"\n  {scope}" if scope else "")
            html = framed(GOOD, f"✓ {check_id}  {says}", escape(scope))
        case NotYet(looked_at, found, wanted, suggestion):
            rows = [
                ("looked at", looked_at),
                *(("found", line) for line in found.splitlines() or [""]),
                ("wanted", wanted),
                ("try", suggestion),
            ]
            head = f"✗ {check_id}  not yet"
            text, html = head + "\n" + columns(rows, 2), framed(WARN, head, rows_html(rows))
        case NotAttempted(looked_at, suggestion):
            rows = [("looked at", looked_at), ("try", suggestion)]
            head = f"○ {check_id}  nothing to see yet"
            text, html = head + "\n" + columns(rows, 2), framed(WARN, head, rows_html(rows))
        case CheckError(looked_at, found, suggestion):
            rows = [
                ("looked at", looked_at),
                *(("found", line) for line in found.splitlines() or [""]),
                ("try", suggestion),
            ]
            head = f"! {check_id}  the check could not look"
            text, html = head + "\n" + columns(rows, 2), framed(BAD, head, rows_html(rows))
    return Verdict(text, html, outcome)
