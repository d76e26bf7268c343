"""A container's record, and the folder in which the records are kept."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labs_helpers.files import write_json

from .. import owners
from ..errors import BadRequest, EngineError, NotFound

log = logging.getLogger(__name__)

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time, which Docker shows for what has not happened."""
CREATED, RUNNING, EXITED = "created", "running", "exited"
RESTARTING = "restarting"
"""The program has ended, and a restart policy will start it again after a pause."""
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_WORDS = (
    "amber brisk calm clever daring eager fair gentle happy keen lively merry nimble patient proud"
    " quiet rapid sunny tidy witty",
    "badger beaver crane falcon finch gull heron ibex jay kestrel lark lynx marten newt otter"
    " plover raven robin stork wren",
)

Document = dict[str, Any]


class Conflict(EngineError):
    """The state of a container forbids the request."""

    status = 409


@dataclass
class Container:
    """A container: what was requested, and its state.

    ``config`` and ``host`` are Docker's Config and HostConfig. ``created``, ``started`` and
    ``finished`` are times in Docker's form. ``ports`` are the published ports
    (ports.py). ``mounts`` have ``source``,
    ``target``, ``read_only``, ``kind`` (bind, volume) and ``name`` of a volume.
    """

    id: str
    name: str
    created: str
    image: str
    config: Document
    host: Document
    status: str = CREATED
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    started: str = NEVER
    finished: str = NEVER
    ports: list[Document] = field(default_factory=list)
    mounts: list[Document] = field(default_factory=list)
    restarts: int = 0
    stopped: bool = False
    """Whether a user stopped the container, so that no restart policy starts it again."""
    oom_killed: bool = False
    """Whether the kernel killed a process of the container's last run for want of memory."""
    health: Document | None = None
    endings: int = 0
    """How many times the container's program has ended."""
    owner: str = ""
    """The isolated client that made the container (api/isolated.py); "" for others. The container's
    image is of the owner's store, and its name is one of the owner's."""

    @property
    def running(self) -> bool:
        """Whether the program runs."""
        return self.status == RUNNING

    @property
    def is_up(self) -> bool:
        """Whether the program runs, or is about to be started again: Docker's ``Running``."""
        return self.status in (RUNNING, RESTARTING)

    @property
    def short_id(self) -> str:
        """The twelve digits that Docker prints."""
        return self.id[:12]

    @property
    def tty(self) -> bool:
        """Whether the program has a terminal."""
        return bool(self.config.get("Tty"))


_REMOVED = "removed-"
"""Before the ID, in the name of the folder of a container that is being removed."""
_TRIES, _PAUSE = 100, 0.02
"""Removals of such a folder in which something still writes, and seconds between two."""


class Records:
    """The containers of one engine, on disk and in memory; ``changed`` is notified of each change.

    Hold ``changed`` (a lock) to read or change a container.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.changed = threading.Condition(threading.RLock())
        self._known: dict[str, Container] = {}
        for path in sorted(folder.glob("*/container.json")):
            try:
                found = Container(**json.loads(path.read_text()))
            except (OSError, ValueError, TypeError) as error:
                log.warning("%s is not a container's record: %s", path, error)
                continue
            self._known[found.id] = found
        for left in folder.iterdir():
            # an interrupted create or removal
            if left.is_dir() and left.name not in self._known:
                with contextlib.suppress(OSError):
                    owners.remove(left)

    def __iter__(self) -> Iterator[Container]:
        with self.changed:
            return iter(list(self._known.values()))

    def path(self, container: Container) -> Path:
        """The folder of a container."""
        return self.folder / container.id

    def find(self, name: str, owner: str = "") -> Container:
        """The container with a name, an ID or an unambiguous start of an ID.

        owner: whose containers there are to find; "" is the learner, who finds all, and of two
        with a name the one that is no isolated client's.

        Raises:
            NotFound, BadRequest: none or several have it; the messages are dockerd's.
        """
        with self.changed:
            known = {key: c for key, c in self._known.items() if owner in ("", c.owner)}
            named = [c for c in known.values() if c.name == name.removeprefix("/")]
            if found := known.get(name) or min(named, key=lambda c: bool(c.owner), default=None):
                return found
            starts = [c for key, c in known.items() if key.startswith(name)] if name else []
        if len(starts) > 1:
            raise BadRequest(f"multiple IDs found with provided prefix: {name}")
        if not starts:
            raise NotFound(f"No such container: {name}")
        return starts[0]

    def add(self, container: Container) -> None:
        """Keep a new container; its folder exists. Raises Conflict for a name that is taken.

        A container without a name gets one here: two that are made at once must not get the same.
        """
        with self.changed:
            container.name = container.name or self._new_name()
            self.check_name(container.name, container.owner)
            self._known[container.id] = container
            self.save(container)

    def check_name(self, name: str, owner: str) -> None:
        """Raise Conflict or BadRequest for a name that a new container of an owner may not have."""
        if not _NAME.fullmatch(name):
            raise BadRequest(
                f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
            )
        if other := self._named(name, owner):
            raise Conflict(
                f'Conflict. The container name "/{name}" is already in use by container'
                f' "{other.id}". You have to remove (or rename) that container to be able to reuse'
                " that name."
            )

    def save(self, container: Container) -> None:
        """Notify who waits for a change, and write the record. Raises OSError.

        A container that has been removed has no record.
        """
        with self.changed:
            self.changed.notify_all()
            if container.id not in self._known:
                return
            write_json(self.path(container) / "container.json", asdict(container))

    def remove(self, container: Container) -> None:
        """Forget a container, and remove its folder. Raises OSError."""
        with self.changed:
            self._known.pop(container.id, None)
            (self.path(container) / "container.json").unlink(missing_ok=True)
            self.changed.notify_all()
        gone = self.folder / f"{_REMOVED}{container.id}"
        # a program that just joins the container, as a HEALTHCHECK, would else write in the folder
        # while the folder is emptied
        try:
            self.path(container).rename(gone)
        except FileNotFoundError:
            return  # another client was quicker
        for _ in range(_TRIES):
            try:
                owners.remove(gone)
                return
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
                # a program that joined the container, and is being killed with it, still wrote
                time.sleep(_PAUSE)
        owners.remove(gone)

    def _new_name(self) -> str:
        """A free name of two words; with the lock held."""
        while True:
            name = "_".join(secrets.choice(words.split()) for words in _WORDS)
            if not self._is_taken(name):
                return name
            name += str(secrets.randbelow(1000))
            if not self._is_taken(name):
                return name

    def _is_taken(self, name: str) -> bool:
        return any(c.name == name for c in self._known.values())

    def _named(self, name: str, owner: str) -> Container | None:
        return next((c for c in self._known.values() if (c.name, c.owner) == (name, owner)), None)
