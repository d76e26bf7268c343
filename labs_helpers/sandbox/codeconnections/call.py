"""One request about connections."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from labs_helpers.sandbox.service.service import Call
from labs_helpers.sandbox.service.store import Store


@dataclass(frozen=True, kw_only=True)
class ConnectionsCall(Call[Store]):
    """service: by which of its two names the caller asks, which is in new ARNs.

    forget: removes a repository, by its id, and ends the watch over its folder.
    """

    service: str
    forget: Callable[[sqlite3.Connection, str], None]
