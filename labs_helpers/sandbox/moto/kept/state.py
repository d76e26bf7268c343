"""The state of moto's services: written before a change is answered, read at a service's first use.

    with state.changing(): ...      around whatever may change what moto holds
    state.ready("s3")               before anything of a service is looked at

One transaction ends the outermost `changing`. When the disk does not take it, the services that
were used are read again as they were, so that nothing is left half-done in memory either.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from labs_helpers.runtime.database import dated
from labs_helpers.sandbox.moto.kept import restored
from labs_helpers.sandbox.moto.kept.bodies import Bodies
from labs_helpers.sandbox.moto.kept.classes import OURS
from labs_helpers.sandbox.moto.kept.graph import Unreadable
from labs_helpers.sandbox.moto.kept.heap import Heap
from labs_helpers.sandbox.moto.kept.rows import Place, Rows
from labs_helpers.sandbox.moto.kept.tracking import Tracking, Turns

log = logging.getLogger(__name__)


class NotKept(Exception):
    """Something that moto holds cannot be written; the message says what."""


_TRIES = 5
"""How often a state is read that another request, which only reads, moves meanwhile."""


_OF_THE_DISK = (sqlite3.Error, OSError)
_OF_THE_PROCESS = (KeyboardInterrupt, SystemExit)


class ServiceState:
    """Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Open what is there; raises OSError or sqlite3.Error. Nothing of moto is imported."""
        self._rows = Rows(folder)
        self._bodies = Bodies(folder / "bodies")
        self._turns = Turns()
        self._tracking = Tracking()
        self._heap = Heap(self._bodies, self._backend)
        self._ready: set[str] = set()
        self._reading: set[str] = set()
        self._swept = False
        self.start_moto: Callable[[], Any] = lambda: None
        """Called before a service is read: imports moto's core and puts our changes onto it."""
        for service in self._rows.aside:
            self._set_bodies_aside(service)

    @property
    def notices(self) -> list[str]:
        """What was set aside since the start, for people."""
        return self._rows.database.notices

    @property
    def services(self) -> frozenset[str]:
        """The packages of moto that have a stored state."""
        return self._rows.services

    def close(self) -> None:
        """Close the database; nobody uses the state after this."""
        with self._turns.taken():
            self._rows.database.close()

    def install(self) -> None:
        """Put the hooks onto moto's core."""
        self._tracking.install(self.ready, self._turns)

    def ready(self, package: str) -> None:
        """Read what is stored of a package of moto, the first time."""
        if package in self._ready or package in OURS:
            return
        with self._turns.taken():
            # the same thread comes here again while it reads the package
            if package in self._ready or package in self._reading:
                return
            listening, self._tracking.listening = self._tracking.listening, False
            self._reading.add(package)
            try:
                self._make_ready(package)
                self._ready.add(package)
            finally:
                self._reading.discard(package)
                self._tracking.listening = listening

    def ready_if_stored(self, package: str) -> bool:
        """Read what is stored of a package; False, and nothing done, where nothing is."""
        if package in self._ready:
            return True
        if package not in self._rows.services:
            return False
        self.ready(package)
        return True

    def used(self, package: str, account: str, region: str, backend: Any) -> None:
        """Tell of a backend that was looked up past moto's own dictionaries."""
        self._tracking.used((package, account, region), backend)

    def key(self, name: str, make: Callable[[], bytes]) -> bytes:
        """A key that is kept with the state, made by the first call; raises sqlite3.Error."""
        return self._rows.key(name, make)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Around a change of anything that moto holds; on disk when the outermost block ends.

        Raises sqlite3.Error, OSError or NotKept, and all is as it was, when it cannot be written.
        """
        with self._turns.taken() as outermost:
            self._tracking.listening = True
            try:
                yield
            finally:
                if outermost:
                    self._tracking.listening = False
                    self._write()

    def keep_new(self) -> None:
        """Write the backends that a request which only reads has made: EC2's default network."""
        if self._tracking.backends:
            with self._turns.taken() as outermost:
                if outermost:
                    self._write()

    def _write(self) -> None:
        tracking = self._tracking
        backends = {
            place: backend for place, backend in tracking.backends.items() if place[0] not in OURS
        }
        try:
            change = self._taken(backends)
            unused = self._rows.write(change) if change else set()
        except BaseException as error:
            self._heap.undo()
            for package in {place[0] for place in backends} | self._heap.packages(tracking.shards):
                self._forget(package)
            if isinstance(error, (*_OF_THE_DISK, *_OF_THE_PROCESS)):
                raise
            raise NotKept(f"{type(error).__name__}: {error}") from error
        finally:
            tracking.backends.clear()
            tracking.shards.clear()
        self._heap.done()
        tracking.known |= backends.keys()
        self._bodies.remove(unused)

    def _make_ready(self, package: str) -> None:
        self.start_moto()
        restored.import_models(package)
        self._tracking.install_on(package)
        self._heap.learn(package)
        if package in self._rows.services:
            self._read(package)

    def _taken(self, backends: dict[Place, Any]) -> Any:
        for _ in range(_TRIES - 1):
            try:
                return self._heap.change(backends, self._tracking.shards)
            except RuntimeError as error:  # "dictionary changed size during iteration"
                log.info("the state is read again: %s", error)
                self._heap.undo()
        return self._heap.change(backends, self._tracking.shards)

    def _read(self, package: str) -> None:
        if not self._swept:
            self._swept = True
            self._bodies.keep_only(self._rows.bodies())
        try:
            left = self._heap.read(package, self._rows)
        except (Unreadable, AttributeError, KeyError, TypeError, ValueError) as error:
            self._heap.forget(package)
            restored.clear(package)
            self._rows.set_aside(package, str(error))
            self._set_bodies_aside(package)
            return
        self._tracking.known |= {
            (package, account, region) for account, region, _ in self._rows.backends(package)
        }
        if left:
            self._rows.drop_shards(package, left)

    def _forget(self, package: str) -> None:
        """Read a package again from disk, at its next use."""
        self._heap.forget(package)
        restored.clear(package)
        self._ready.discard(package)
        self._tracking.known = {one for one in self._tracking.known if one[0] != package}

    def _set_bodies_aside(self, package: str) -> None:
        if package == "s3" and self._bodies.folder.is_dir():
            self._bodies.folder.rename(dated(self._bodies.folder))

    def _backend(self, package: str, account: str, region: str) -> Any:
        self.ready(package)
        return restored.backends(package)[account][region]


_CURRENT: list[ServiceState] = []


def use(state: ServiceState) -> ServiceState:
    """Make this the state of the process, whose backends moto has once."""
    _CURRENT[:] = [state]
    return state


def current() -> ServiceState | None:
    """The state of the process, if there is one."""
    return _CURRENT[0] if _CURRENT else None


@contextmanager
def changing() -> Iterator[None]:
    """`ServiceState.changing` of the process; nothing where there is no state."""
    with nullcontext() if (state := current()) is None else state.changing():
        yield
