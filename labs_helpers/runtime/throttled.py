"""What a service of AWS does when another one throttles it: it asks again.

Shared by the sandbox and the runner. Their clients send each request once, because a refusal is an
answer of a lesson; being throttled is no answer, and no pipeline of AWS fails for it.
"""

from __future__ import annotations

from typing import Any

_CODES = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown")
_ATTEMPTS = 5
_PAUSE = 0.2
"""Seconds before the second attempt; each later pause is longer by as much."""


def asks_again(client: Any) -> Any:
    """The client of botocore, which sends a throttled request again, five times at most.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """
    client.meta.events.register("needs-retry", _pause)
    return client


def _pause(response: Any = None, attempts: int = 1, **words: Any) -> float | None:
    """The seconds until the next attempt; None where the answer stands. botocore calls this."""
    if response is None or attempts >= _ATTEMPTS:
        return None
    code = response[1].get("Error", {}).get("Code")
    return _PAUSE * attempts if code in _CODES else None
