"""One request about connections."""

from __future__ import annotations

from dataclasses import dataclass

from labs_helpers.sandbox.service.service import Call
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk


@dataclass(frozen=True, kw_only=True)
class ConnectionsCall(Call[Store]):
    """service: by which of its two names the caller asks, which is in new ARNs."""

    service: str
    desk: Desk
