"""Retries of requests to a registry, and the pauses between them.

A lost connection and the statuses 429, 500, 502, 503 and 504 are retried after pauses that double.
A ``Retry-After`` of at most LONGEST seconds replaces the pause. Sources:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html (429 is a rate of
requests, to be retried with backoff), RFC 9110 section 10.2.3 (Retry-After) and
https://docs.docker.com/docker-hub/usage/pulls/ (Docker Hub's limit lasts hours: not retried).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

LONGEST = 30.0
"""Seconds. When a registry asks for a longer pause, its response is final."""

_RETRIED = frozenset({429, 500, 502, 503, 504})


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class RetryPolicy:
    """The pauses between attempts, in seconds; ``pause`` sleeps, ``now`` gives the time."""

    pauses: tuple[float, ...] = (0.2, 0.4, 0.8, 1.6)
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _now

    def after_loss(self, attempt: int, refused: bool = False) -> bool:
        """Pause after a lost connection; False when attempt number ``attempt`` was the last.

        A refused connection is retried twice only: the registry may be restarting, which is quick.
        """
        if attempt > (2 if refused else len(self.pauses)):
            return False
        self.pause(self.pauses[attempt - 1])
        return True

    def after_response(self, attempt: int, status: int, headers: Message) -> bool:
        """Pause after a response that a retry may improve; False when the response is final."""
        if status not in _RETRIED or attempt > len(self.pauses):
            return False
        if status == 429 and headers.get("RateLimit-Remaining", "").startswith("0;"):
            return False
        requested = self._retry_after(headers.get("Retry-After"))
        if requested is not None and requested > LONGEST:
            return False
        self.pause(self.pauses[attempt - 1] if requested is None else requested)
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


DEFAULT_POLICY = RetryPolicy()
"""The policy of the engine."""
