"""A rule that starts what its own events tell of: on AWS such a rule acts without end.

"Infinite loops" in https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules-best-practices.html
says how to avoid such rules; EventBridge itself does not end them. Here a laptop would never rest.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from labs_helpers.sandbox.events.sending import Failed, Sending

MOST = 100
WITHIN = 600.0
"""A rule starts one target at most MOST times in WITHIN seconds, unless the rule has a schedule."""

_SCHEDULED = "Scheduled Event"


class Loops:
    """Counts the starts of each target of a rule. Used by one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._starts: dict[tuple[str, str], deque[float]] = {}

    def check(self, sending: Sending) -> None:
        """Raise Failed when the rule has started the target too often."""
        found = self._starts.get((sending.sender.rule, sending.arn), deque())
        before = self._clock() - WITHIN
        while found and found[0] < before:
            found.popleft()
        if len(found) >= MOST:
            raise Failed(
                "ERROR_FROM_TARGET",
                f"the rule {sending.sender.rule.rpartition('/')[2]} started {sending.arn} {MOST}"
                f" times in {WITHIN / 60:.0f} minutes, and does not start it again here: does the"
                " rule start what its own events tell of? On AWS it would go on without end."
                " aws events disable-rule ends such a rule",
            )

    def note(self, sending: Sending) -> None:
        """The rule has started the target."""
        if sending.event.get("detail-type") != _SCHEDULED:
            place = (sending.sender.rule, sending.arn)
            self._starts.setdefault(place, deque()).append(self._clock())
