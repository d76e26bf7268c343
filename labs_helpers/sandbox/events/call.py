"""One request to EventBridge, with what the request needs beside the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from labs_helpers.sandbox.events import store
from labs_helpers.sandbox.events.errors import no_bus
from labs_helpers.sandbox.events.router import Router
from labs_helpers.sandbox.events.store import Place
from labs_helpers.sandbox.service import paging
from labs_helpers.sandbox.service.service import Call, Members
from labs_helpers.sandbox.service.store import Store

T = TypeVar("T")


@dataclass(frozen=True)
class Bus:
    """The bus that a request means; row: of the store."""

    place: Place
    name: str
    row: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class EventsCall(Call[Store]):
    """router: gives events to rules."""

    router: Router

    def named(self, text: str | None) -> tuple[Place, str]:
        """Place and name of a bus by its name or ARN; the default bus for no text."""
        text = text or store.BUS
        if not text.startswith("arn:"):
            return self.place, text
        parts = text.split(":", 5)
        return (parts[4], parts[3]), parts[5].removeprefix("event-bus/")

    def bus(self, text: str | None) -> Bus:
        """The bus of a name or ARN; raises NotFound."""
        place, name = self.named(text)
        with self.store.read() as db:
            row = store.bus(db, place, name)
        if row is None:
            raise no_bus(name)
        return Bus(place, name, row)

    def listed(
        self, items: paging.Keyed[T], params: Members, *within: str
    ) -> tuple[list[T], Members]:
        """A page, and the members of the answer that say where the next page begins."""
        asked = {"nextToken": params.get("NextToken"), "maxResults": params.get("Limit")}
        found, token = self.page(items, asked, *within)
        return found, {"NextToken": token} if token else {}
