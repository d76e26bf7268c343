"""The images of isolated clients: for each client a store of its own, which ends with the client.

On AWS a build in privileged mode has a Docker of its own. The Docker has nobody's images when the
build begins, and is gone when the build has ended. So here: what a build pulls, builds, loads and
tags has names and layers of its own, and an ID of another client's image names nothing.
https://docs.aws.amazon.com/codebuild/latest/userguide/sample-docker.html and, on the host of each
build, https://docs.aws.amazon.com/codebuild/latest/userguide/security.html
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from labs_helpers.runtime import isolated

from . import owners
from .errors import EngineError
from .store import ImageStore

log = logging.getLogger(__name__)

StoreOf = Callable[[str], ImageStore]
"""The store of an owner (api/isolated.py); "" is the learner. Raises Ended."""


class Ended(EngineError):
    """The build has ended, and has no images any more."""

    status = 410


class PrivateStores:
    """The stores of the isolated clients of one engine; safe to use from several threads.

    ``folder`` has a folder for each owner. ``ended`` is called with the owner when a build has
    ended, before the build's images go.
    """

    def __init__(self, folder: Path, ended: Callable[[str], None]) -> None:
        self._folder, self._call_ended = folder, ended
        self._open: dict[str, ImageStore] = {}
        self._awaited: set[str] = set()
        self._ended: set[str] = set()
        self._lock = threading.Lock()

    def of(self, owner: str, build: Path | None = None) -> ImageStore:
        """The store of an owner, made with the first request; ``build`` is the folder of a build.

        Raises Ended; OSError and sqlite3.OperationalError as ImageStore.
        """
        with self._lock:
            if owner in self._ended:
                raise Ended(f"the {owner} has ended, and its images are gone")
            if owner not in self._open:
                # a power cut ends the client, too
                store = ImageStore(self._folder / owner, durable=False)
                store.sweep()
                self._open[owner] = store
            if build and owner not in self._awaited:
                self._awaited.add(owner)
                threading.Thread(
                    target=self._wait, args=(owner, build), daemon=True, name=owner
                ).start()
            return self._open[owner]

    def owners(self) -> list[str]:
        """Everybody who has a store on disk."""
        if not self._folder.is_dir():
            return []
        return sorted(place.name for place in self._folder.iterdir())

    def end(self, owner: str) -> None:
        """Let a build's containers and images go, for good."""
        with self._lock:
            self._ended.add(owner)
        self._call_ended(owner)
        self.remove(owner)

    def remove(self, owner: str) -> None:
        """Remove the store of an owner, who has no container. What cannot be removed is logged."""
        with self._lock:
            if store := self._open.pop(owner, None):
                store.close()
            place = self._folder / owner
            try:
                if place.exists():
                    owners.remove(place)
            except OSError as error:
                log.warning("%s cannot be removed: %s", place, error)

    def close(self) -> None:
        """Close all stores; the owners keep their images."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()

    def _wait(self, owner: str, build: Path) -> None:
        try:
            if isolated.wait_for_end(build):
                self.end(owner)
        except OSError as error:
            log.warning("the end of the %s is not seen: %s", owner, error)
