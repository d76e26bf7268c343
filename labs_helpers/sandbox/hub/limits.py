"""Docker Hub's pull rate limit: 100 pulls in six hours without an account, 200 with a free one.

Source: https://docs.docker.com/docker-hub/usage/pulls/. A GET of an image's manifest is a pull. A
HEAD is a version check and does not count; nor do blobs, nor an index, because the platform's
manifest that follows it counts.

Difference from Docker Hub: a manifest counts once in a window, so that repeating a lab never uses
up the limit. `ratelimitpreview/test`, the repository that Docker documents for reading your limit,
counts every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

WINDOW = timedelta(hours=6)
ANONYMOUS = 100
AUTHENTICATED = 200

_UNKNOWN = (
    "You have reached your unauthenticated pull rate limit. "
    "https://www.docker.com/increase-rate-limit"
)
_KNOWN = (
    "You have reached your pull rate limit as '{user}'. You may increase the limit by upgrading. "
    "https://www.docker.com/increase-rate-limit"
)


def exceeded(user: str) -> str:
    """What Docker Hub says above the limit; user: empty for a pull without an account.

    The page about the limits still has the sentence of before 2025, the registry has these:
    https://github.com/CommunityToolkit/Aspire/issues/556 (March 2025). After the name of a user the
    registry puts the id of the token, which the stand-in leaves out.
    """
    return _KNOWN.format(user=user) if user else _UNKNOWN


@dataclass(frozen=True)
class Allowance:
    """How many pulls a source has left; `exceeded` if the requested pull is beyond the limit."""

    limit: int
    remaining: int
    source: str
    exceeded: bool = False

    def headers(self) -> dict[str, str]:
        """The headers that Docker Hub sends with every manifest."""
        window = int(WINDOW.total_seconds())
        return {
            "ratelimit-limit": f"{self.limit};w={window}",
            "ratelimit-remaining": f"{self.remaining};w={window}",
            "docker-ratelimit-source": self.source,
        }


class PullLimits:
    """Counts the pulls of each source (a user, or an anonymous client's address) in six hours."""

    def __init__(self, anonymous: int = ANONYMOUS, authenticated: int = AUTHENTICATED) -> None:
        self._limits = (anonymous, authenticated)
        self._pulls: dict[str, list[tuple[datetime, str]]] = {}
        self._lock = Lock()

    def look(self, user: str, address: str, now: datetime) -> Allowance:
        """The current allowance. Nothing is counted."""
        with self._lock:
            return self._allowance(user, address, now)

    def count(
        self, user: str, address: str, now: datetime, manifest: str, *, always: bool = False
    ) -> Allowance:
        """Count a pull of `manifest` (a digest), unless this window already counted it.

        With `always`, every pull counts. A pull beyond the limit is not recorded.
        """
        with self._lock:
            before = self._allowance(user, address, now)
            pulls = self._pulls[before.source]
            if not always and any(pulled == manifest for _, pulled in pulls):
                return before
            if before.remaining == 0:
                return Allowance(before.limit, 0, before.source, exceeded=True)
            pulls.append((now, manifest))
            return Allowance(before.limit, before.remaining - 1, before.source)

    def _allowance(self, user: str, address: str, now: datetime) -> Allowance:
        source = user or address
        limit = self._limits[1 if user else 0]
        recent = [pull for pull in self._pulls.get(source, []) if pull[0] > now - WINDOW]
        self._pulls[source] = recent
        return Allowance(limit, max(0, limit - len(recent)), source)
