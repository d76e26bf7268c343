"""How often a registry is asked again, and how long is waited in between.

A lost connection and the answers 429, 500, 502, 503 and 504 are tried again after pauses that
double; ``Retry-After`` says otherwise when it asks for less than LONGEST seconds. Sources:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html (429 is a rate of
requests, to be tried again with backoff), RFC 9110 section 10.2.3 (Retry-After) and
https://docs.docker.com/docker-hub/usage/pulls/ (Docker Hub's limit lasts hours: not tried again).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

LONGEST = 30.0
"""Seconds: a registry that wants more is not waited for, its answer is given."""

_AGAIN = frozenset({429, 500, 502, 503, 504})


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Patience:
    """The pauses between attempts, in seconds; ``pause`` sleeps and ``now`` is the time."""

    pauses: tuple[float, ...] = (0.2, 0.4, 0.8, 1.6)
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _now

    def after_loss(self, attempt: int, refused: bool = False) -> bool:
        """Wait after a lost connection; False when attempt number ``attempt`` was the last.

        Where nobody listens, only a restart is waited for, which is quick.
        """
        if attempt > (2 if refused else len(self.pauses)):
            return False
        self.pause(self.pauses[attempt - 1])
        return True

    def after_answer(self, attempt: int, status: int, headers: Message) -> bool:
        """Wait after an answer that may be better the next time; False when it is final."""
        if status not in _AGAIN or attempt > len(self.pauses):
            return False
        if status == 429 and headers.get("RateLimit-Remaining", "").startswith("0;"):
            return False
        wanted = self._retry_after(headers.get("Retry-After"))
        if wanted is not None and wanted > LONGEST:
            return False
        self.pause(self.pauses[attempt - 1] if wanted is None else wanted)
        return True

    def _retry_after(self, value: str | None) -> float | None:
        if value is None:
            return None
        if value.strip().isdecimal():
            return float(value)
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - self.now()).total_seconds())


PATIENT = Patience()
"""What the engine itself has."""
