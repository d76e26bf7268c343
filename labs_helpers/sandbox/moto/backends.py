"""moto's backends as other modules read them: by an account and a region, or by an ARN.

Nothing of moto is imported for a service that nobody has called: a queue, a topic or a key exists
only where moto's service is loaded or has a state on disk.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.moto.kept import state as kept


@dataclass(frozen=True)
class Arn:
    """An ARN in its parts."""

    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return self.of(self.resource)

    def of(self, resource: str) -> str:
        """The ARN of another resource in the same place."""
        return f"arn:aws:{self.service}:{self.region}:{self.account}:{resource}"

    @property
    def name(self) -> str:
        """What follows the type of the resource."""
        return self.resource.partition("/")[2]


def parsed(text: str) -> Arn | None:
    """An ARN in its parts; None for a text that is no ARN."""
    parts = text.split(":", 5)
    return Arn(*parts[2:]) if len(parts) == 6 else None


def backend(service: str, account: str, region: str) -> Any:
    """moto's backend of a service, where an account has used it; else None."""
    state = kept.current()
    if state is not None:
        state.ready_if_stored(service)
    models = sys.modules.get(f"moto.{service}.models")
    # missing while another thread is importing the module
    backends = getattr(models, f"{service}_backends", None)
    of_account = None if backends is None else dict.get(backends, account)
    found = None if of_account is None else dict.get(of_account, region)
    if state is not None and found is not None:
        state.used(service, account, region, found)
    return found


def bucket(name: str) -> tuple[str, Any]:
    """(account, moto's bucket); an empty account where there is no bucket."""
    if (state := kept.current()) is not None:
        state.ready_if_stored("s3")
    models: Any = sys.modules.get("moto.s3.models")
    if models is None or name not in models.s3_backends.bucket_accounts:
        return "", None
    partition, account = models.s3_backends.bucket_accounts[name]
    return str(account), models.s3_backends[account][partition].buckets.get(name)
