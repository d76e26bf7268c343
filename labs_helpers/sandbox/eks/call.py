"""One request about clusters."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from labs_helpers.sandbox.eks import store
from labs_helpers.sandbox.eks.errors import InvalidRequest, no_cluster
from labs_helpers.sandbox.eks.store import Document
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.service.service import Call, Members
from labs_helpers.sandbox.service.store import Store

_TIMES = ("createdAt", "modifiedAt", "associatedAt")


@dataclass(frozen=True, kw_only=True)
class EksCall(Call[Store]):
    """roles: takes the roles that a caller hands over; exists: whether there is a principal."""

    roles: ServiceRoles
    exists: Callable[[str], bool]

    def cluster(self, db: sqlite3.Connection, name: str) -> Document:
        """A cluster that is not gone, with its status; raises NotFound."""
        found = self.with_status(store.cluster(db, self.place, name), store.CLUSTER)
        if found is None:
            raise no_cluster(name)
        return found

    def active(self, db: sqlite3.Connection, name: str) -> Document:
        """A cluster that is ACTIVE; raises NotFound, InvalidRequest."""
        found = self.cluster(db, name)
        if found["status"] != "ACTIVE":
            raise InvalidRequest(f"Cluster '{name}' is not in ACTIVE status")
        return found

    def with_status(self, found: Document | None, kind: str) -> Document | None:
        """The document with its status of this moment; None for none, and for what is gone."""
        if found is None or not (status := store.status(found, kind, self.now)):
            return None
        return {**found, "status": status}


def shown(document: Document) -> Members:
    """A document as an answer has it, with its times as aware datetimes."""
    return {
        name: datetime.fromtimestamp(value, UTC) if name in _TIMES else value
        for name, value in document.items()
        if name not in ("deletedAt", "policies")
    }
