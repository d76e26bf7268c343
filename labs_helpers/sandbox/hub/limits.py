"""Docker Hub's pull rate limit: 100 pulls in six hours without an account, 200 with a free one.

Source: https://docs.docker.com/docker-hub/usage/pulls/. A GET of an image's manifest is a pull;
a HEAD is a version check and free; blobs are free; an index is free, because each platform's
manifest that follows it counts.

Different from Docker Hub: the same manifest is counted once in a window, so that running a lab
again never uses the allowance up. `ratelimitpreview/test`, the repository that Docker documents for
looking at one's limit, counts every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

WINDOW = timedelta(hours=6)
ANONYMOUS = 100
AUTHENTICATED = 200

EXCEEDED = (
    "You have reached your pull rate limit. You may increase the limit by authenticating and "
    "upgrading: https://www.docker.com/increase-rate-limits"
)


@dataclass(frozen=True)
class Allowance:
    """What a source may still pull; `exceeded` when the pull just asked for is one too many."""

    limit: int
    remaining: int
    source: str
    exceeded: bool = False

    def headers(self) -> dict[str, str]:
        """As Docker Hub sends them with every manifest answer."""
        window = int(WINDOW.total_seconds())
        return {
            "ratelimit-limit": f"{self.limit};w={window}",
            "ratelimit-remaining": f"{self.remaining};w={window}",
            "docker-ratelimit-source": self.source,
        }


class PullLimits:
    """Counts pulls by source (a user, or else an address) over the last six hours."""

    def __init__(self, anonymous: int = ANONYMOUS, authenticated: int = AUTHENTICATED) -> None:
        self._limits = (anonymous, authenticated)
        self._pulls: dict[str, list[tuple[datetime, str]]] = {}
        self._lock = Lock()

    def look(self, user: str, address: str, now: datetime) -> Allowance:
        """The allowance as it stands, nothing counted."""
        with self._lock:
            return self._allowance(user, address, now)

    def count(
        self, user: str, address: str, now: datetime, manifest: str, *, always: bool = False
    ) -> Allowance:
        """Count a pull of `manifest` (a digest), unless it was counted in this window already.

        With `always`, a manifest counts each time. A pull beyond the limit is not recorded.
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
