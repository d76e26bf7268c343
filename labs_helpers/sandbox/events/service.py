"""EventBridge over its store."""

from __future__ import annotations

from functools import partial
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.events import operations
from labs_helpers.sandbox.events.call import EventsCall
from labs_helpers.sandbox.events.router import Router
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store


class EventBridgeService(DecidedService[EventsCall]):
    """EventBridge for every account and region of one store."""

    def __init__(self, state: Store, clock: Clock, authorize: Authorize, router: Router) -> None:
        """state: as `store.opened` makes it; router: over the same state."""
        call: Any = partial(EventsCall, router=router)
        super().__init__("events", operations, call, state, clock, authorize)
