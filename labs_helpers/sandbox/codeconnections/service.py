"""CodeConnections over its store, by its new name and by its old one, CodeStar connections."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codeconnections import operations
from labs_helpers.sandbox.codeconnections.call import ConnectionsCall
from labs_helpers.sandbox.codeconnections.connections import KIND, Connections, Pushed
from labs_helpers.sandbox.codeconnections.store import SCHEMA
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk

NAMES = ("codeconnections", "codestar-connections")
"""https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html"""


class CodeConnections:
    """services: by signing name, over one store; connections: for pipelines and `labs connect`."""

    def __init__(
        self, root: Path, clock: Clock, authorize: Authorize, desk: Desk, pushed: Pushed
    ) -> None:
        self.store = Store(root, "CodeConnections", SCHEMA)
        self.connections = Connections(self.store, desk, pushed)
        self.services: dict[str, DecidedService[ConnectionsCall]] = {}
        for name in NAMES:
            call: Any = partial(ConnectionsCall, service=name, forget=self.connections.forget)
            self.services[name] = DecidedService(
                name, operations, call, self.store, clock, authorize
            )
        desk.serve(self.store, {KIND: self.connections})
