"""EKS over its store: records of clusters with time. No Kubernetes runs here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.eks import operations
from labs_helpers.sandbox.eks.call import EksCall
from labs_helpers.sandbox.eks.errors import InvalidParameter
from labs_helpers.sandbox.eks.store import SCHEMA
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.service import DecidedService
from labs_helpers.sandbox.service.store import Store


class EksService(DecidedService[EksCall]):
    """EKS for every account and region; REST JSON, by `handle_rest`."""

    model_error = InvalidParameter

    def __init__(
        self,
        root: Path,
        clock: Clock,
        authorize: Authorize,
        roles: ServiceRoles,
        exists: Callable[[str], bool],
    ) -> None:
        """exists: whether a principal that an access entry names is there."""
        self.store = Store(root, "EKS", SCHEMA)
        call: Any = partial(EksCall, roles=roles, exists=exists)
        super().__init__("eks", operations, call, self.store, clock, authorize)
