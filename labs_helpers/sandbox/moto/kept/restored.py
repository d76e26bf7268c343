"""moto's own dictionaries of backends: imported, emptied, and put right once a service is read."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.moto import patches


def import_models(package: str) -> None:
    """Import the models of a package of moto as the sandbox does."""
    if package == "cloudformation":
        from labs_helpers.sandbox.moto.stacks.loading import load_cloudformation

        load_cloudformation()
    elif f"moto.{package}.models" not in sys.modules:
        importlib.import_module(f"moto.{package}.models")
    if package == "s3":
        patches.put("moto.s3.models:FakeKey.__del__", lambda key: key.dispose())


def backends(package: str) -> Any:
    """The dictionary of a package's backends: account -> region -> backend."""
    return getattr(importlib.import_module(f"moto.{package}.models"), f"{package}_backends")


def new_backend(package: str, account: str, region: str) -> Any:
    """An empty backend, in the place where moto looks for it."""
    of_account = backends(package)[account]
    backend = of_account.backend(region, account_id=account)
    dict.__setitem__(of_account, region, backend)
    return backend


def clear(package: str) -> None:
    """Drop every backend of a package."""
    found = backends(package)
    if package == "s3":
        found.bucket_accounts.clear()
    found.clear()


def put_right(package: str) -> None:
    """What moto keeps outside the backends, after a package was read."""
    if function := _OUTSIDE.get(package):
        function(importlib.import_module(f"moto.{package}.models"))


def _of_s3(models: Any) -> None:
    for account, partition, backend in models.s3_backends.iter_backends():
        for name in backend.buckets:
            models.s3_backends.bucket_accounts[name] = (partition, account)


def _of_logs(models: Any) -> None:
    numbers = [
        event.event_id
        for _, _, backend in models.logs_backends.iter_backends()
        for group in backend.groups.values()
        for stream in group.streams.values()
        for event in stream.events
    ]
    models.LogEvent._event_id = max([models.LogEvent._event_id, *(one + 1 for one in numbers)])


_OUTSIDE: Mapping[str, Callable[[Any], None]] = {"s3": _of_s3, "logs": _of_logs}
