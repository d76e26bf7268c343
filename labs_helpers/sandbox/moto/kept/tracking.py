"""Which backends and shards were used since the last writing, told by hooks on moto's classes.

Every backend is reached through moto's dictionaries of backends, and whoever changes a shard sets
an attribute, or reads one that can be changed in place: what is told here is never less than what
was changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import BuiltinMethodType, MethodType
from typing import Any

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.moto.kept.classes import SHARDS
from labs_helpers.sandbox.moto.kept.rows import Place

_UNCHANGING = frozenset(
    {str, bytes, int, float, bool, type(None), datetime, MethodType, BuiltinMethodType}
)
"""Types of values that nobody changes in place."""


class Turns:
    """A lock that whoever holds it may hold several times, and may leave for a while."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Hold the lock; whether this is the outermost holding."""
        with self._lock:
            self._depth += 1
            try:
                yield self._depth == 1
            finally:
                self._depth -= 1

    @contextmanager
    def left(self) -> Iterator[None]:
        """Let others have the lock, if this thread holds it."""
        depth = self._depth if self._lock._is_owned() else 0  # type: ignore[attr-defined]
        if depth:
            self._depth = 0
            for _ in range(depth):
                self._lock.release()
        try:
            yield
        finally:
            if depth:
                for _ in range(depth):
                    self._lock.acquire()
                self._depth = depth


class Tracking:
    """What was used. `listening` is on while a request that may change something is answered."""

    def __init__(self) -> None:
        self.listening = False
        self.backends: dict[Place, Any] = {}
        """Used since they were last written."""
        self.shards: dict[int, Any] = {}
        """Touched since they were last written, by id()."""
        self.known: set[Place] = set()
        """The backends that are on disk."""

    def used(self, place: Place, backend: Any) -> None:
        """A backend was looked up."""
        if self.listening or place not in self.known:
            self.backends[place] = backend

    def install(self, before: Callable[[str], None], turns: Turns) -> None:
        """Put the hooks on moto's dictionaries; before: called with a package before its use."""

        def of_account(backends: Any, account: str) -> Any:
            before(package_of(backends.backend))
            return own_of_account(backends, account)

        def of_region(backends: Any, region: str) -> Any:
            found = own_of_region(backends, region)
            self.used((package_of(found), found.account_id, found.region_name), found)
            return found

        own_of_account = patches.put("moto.core.base_backend:BackendDict.__getitem__", of_account)
        own_of_region = patches.put(
            "moto.core.base_backend:AccountSpecificBackend.__getitem__", of_region
        )
        self._turns = turns

    def install_on(self, package: str) -> None:
        """Put the hooks on the shards of a package, which is imported by this."""
        for target in SHARDS.get(package, ()):
            self._hook(target)
        if package == "sqs":
            self._let_others_while_waiting()

    def _hook(self, target: str) -> None:
        def read(shard: Any, name: str) -> Any:
            found = own_read(shard, name)
            if self.listening and type(found) not in _UNCHANGING:
                self.shards[id(shard)] = shard
            return found

        def write(shard: Any, name: str, value: Any) -> None:
            if self.listening:
                self.shards[id(shard)] = shard
            own_write(shard, name, value)

        own_read = patches.put(f"{target}.__getattribute__", read)
        own_write = patches.put(f"{target}.__setattr__", write)

    def _let_others_while_waiting(self) -> None:
        def wait(queue: Any, timeout: int) -> None:
            listening = self.listening
            with self._turns.left():
                own(queue, timeout)
            self.listening = listening

        own = patches.put("moto.sqs.models:Queue.wait_for_messages", wait)


def package_of(backend: Any) -> str:
    """moto's package of a class of backends."""
    return str(backend.__module__).split(".")[1]
