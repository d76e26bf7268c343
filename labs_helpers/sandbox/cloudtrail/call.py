"""One request to CloudTrail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labs_helpers.sandbox.service.service import Call
from labs_helpers.sandbox.service.store import Store


@dataclass(frozen=True, kw_only=True)
class TrailCall(Call[Store]):
    """flush: writes the calls that were answered before this one."""

    flush: Callable[[], None]
