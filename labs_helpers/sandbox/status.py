"""What the sandbox says of itself at /_labs/status."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.control_api import clock_facts
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.iam.people import People
from labs_helpers.sandbox.moto.kept.state import ServiceState
from labs_helpers.sandbox.moto.services import MotoServices
from labs_helpers.sandbox.service.store import Store as KitStore

_COUNTS = """
select (select count(*) from repositories) as repositories,
       (select count(*) from images) as images,
       (select count(*) from blobs) as blobs,
       (select coalesce(sum(size), 0) from blobs) as bytes
"""


class Status:
    """Facts of a running sandbox, gathered when called."""

    def __init__(
        self,
        account: str,
        region: str,
        port: int,
        instance: str,
        clock: Clock,
        store: Store,
        moto: MotoServices,
        who: People,
        services: ServiceState,
        kit: Sequence[KitStore],
    ) -> None:
        self._fixed = {
            "mode": "sandbox",
            "account": account,
            "region": region,
            "port": port,
            "instance": instance,
            "started_at": datetime.now(UTC).isoformat(),
        }
        self._began = time.monotonic()
        self._clock = clock
        self._store = store
        self._moto = moto
        self._who = who
        self._services = services
        self._kit = kit

    def __call__(self) -> dict[str, Any]:
        """A JSON object; sizes in bytes, times ISO 8601.

        `kept` says what of it outlives a restart; `notices` what of IAM, STS and moto's
        services was damaged and set aside, `set_aside` what of ECR and of the kit's
        services was, which the start has said.
        """
        import psutil

        with self._store.read() as connection:
            stored = dict(connection.execute(_COUNTS).fetchone())
        return {
            **self._fixed,
            "uptime_seconds": round(time.monotonic() - self._began, 3),
            "rss_bytes": psutil.Process().memory_info().rss,
            "clock": clock_facts(self._clock),
            "stored": stored,
            "services": ["ecr", *(name for name in self._moto.loaded if name != "ecr")],
            "accounts": len(self._who.records.accounts),
            "notices": [*self._who.notices, *self._services.notices],
            "set_aside": [notice for one in (self._store, *self._kit) for notice in one.notices],
            "kept": dict.fromkeys(
                ("codebuild", "ecr", "events", "iam", "sts", "other services"), "across restarts"
            ),
        }
