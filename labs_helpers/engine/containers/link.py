"""The engine's connection to the keeper: starting the keeper, requests, and events."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labs_helpers.runtime import isolated

from .. import machine
from ..errors import EngineError
from .keeper import cgroup
from .keeper.words import CannotStart

log = logging.getLogger(__name__)

SOCKET = "keeper.sock"
_MESSAGE = 1 << 16
_SECONDS = 120.0
_NOTED = 30.0
"""Seconds in which the engine notes an end that it has been told."""
_START = "import sys; sys.path[:0] = [sys.argv[1]]; from keeper.main import main; main(sys.argv[2])"
_BACKLOG = 64

Document = dict[str, Any]


class KeeperGone(EngineError):
    """The keeper ended, and all containers with it."""


class Link:
    """One engine's keeper, which is started when it is first needed.

    ``ended`` gets a document for each program that ends, and None when the keeper itself ended.
    """

    def __init__(self, folder: Path, ended: Callable[[Document | None], None]) -> None:
        self._folder, self._ended = folder, ended
        self._lock = threading.Lock()
        self._events: socket.socket | None = None

    def find(self) -> dict[str, int] | None:
        """The pids of running containers by ID, from a keeper that runs; None when none runs."""
        with self._lock:
            if self._events:
                return None
            try:
                connection = self._connect()
            except OSError:
                return None
            return self._listen(connection)

    def ask(self, request: Document, descriptor: int | None = None) -> Document:
        """Send a request, with a descriptor if any; start the keeper when none runs.

        Raises:
            CannotStart: the keeper refuses, in the words for the client.
            KeeperGone: the keeper ended before it replied.
        """
        with self._lock:
            if self._events is None:
                self._start()
        try:
            with self._connect() as connection:
                connection.settimeout(_SECONDS)
                descriptors = [] if descriptor is None else [descriptor]
                socket.send_fds(connection, [json.dumps(request).encode()], descriptors)
                data = connection.recv(_MESSAGE)
        except OSError as error:
            raise KeeperGone(f"the keeper of the containers does not answer: {error}") from error
        if not data:
            raise KeeperGone("the keeper of the containers ended; its log is containers/keeper.log")
        reply: Document = json.loads(data)
        if "error" in reply:
            raise CannotStart(reply["error"], reply["code"])
        return reply

    def settle(self, name: str, changed: threading.Condition, ended: Callable[[], bool]) -> None:
        """Wait until the end of a program is noted, if the keeper has told it.

        A client that has seen the end of the output may ask before. ``changed`` is notified when
        ``ended()`` becomes true.
        """
        if ended():
            return
        try:
            if self.ask({"do": "runs", "id": name})["runs"]:
                return
        except EngineError:
            return  # the keeper has ended, and its end is told otherwise
        with changed:
            changed.wait_for(ended, _NOTED)

    def close(self) -> None:
        """End all containers and the keeper, if it runs."""
        with self._lock:
            if self._events:
                self.ask_to_stop()

    def ask_to_stop(self) -> None:
        """Tell the keeper to end; returns when it has, where its folder is still there."""
        assert self._events
        self._events.settimeout(_SECONDS)
        try:
            connection = self._connect()
        except OSError:
            # the folder with the socket is gone; the keeper reads requests on this connection too
            self._events.send(b'{"do": "stop"}')
            return
        with connection:
            connection.send(b'{"do": "stop"}')
            while connection.recv(_MESSAGE):
                pass

    def _start(self) -> None:
        place = self._folder / SOCKET
        place.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with listener, (self._folder / "keeper.log").open("ab") as output:
            # bound here, so that the keeper can be reached as soon as it is forked
            _at(self._folder, listener.bind)
            place.chmod(0o600)
            listener.listen(_BACKLOG)
            keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _START, machine.KEEPER_HOME, self._folder],
                stdin=listener.fileno(),
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={"LANG": "C.UTF-8"},
            )
            # nobody has asked the keeper for anything yet
            isolated.mark(keeper.pid, isolated.OF_KEEPER)
        self._listen(self._connect())

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            _at(self._folder, connection.connect)
        except OSError:
            connection.close()
            raise
        return connection

    def _listen(self, connection: socket.socket) -> dict[str, int]:
        connection.send(b'{"do": "events"}')
        running: dict[str, int] = json.loads(connection.recv(1 << 20))["running"]
        self._events = connection
        threading.Thread(target=self._follow, args=(connection,), daemon=True).start()
        return running

    def _follow(self, connection: socket.socket) -> None:
        while True:
            try:
                data = connection.recv(_MESSAGE)
            except OSError:
                data = b""
            if not data:
                break
            self._tell(json.loads(data))
        with self._lock:
            self._events = None
            connection.close()
        self._tell(None)

    def _tell(self, event: Document | None) -> None:
        try:
            self._ended(event)
        except Exception:
            # the next end must be heard, too: clients wait for it
            log.exception("the end of a container: %s", event)


def stop_keeper(folder: Path) -> None:
    """End the containers in a folder whose engine does not run any more, if any are left."""
    with contextlib.suppress(OSError):  # none is left
        _tell_to_stop(folder)
    cgroup.sweep(str(folder))


def _tell_to_stop(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(_SECONDS)
        _at(folder, connection.connect)
        connection.send(b'{"do": "stop"}')
        while connection.recv(_MESSAGE):
            pass


def _at(folder: Path, use: Callable[[str], None]) -> None:
    """Use the socket's address in a folder whose path may be longer than an address may be."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        use(f"/proc/self/fd/{descriptor}/{SOCKET}")
    finally:
        os.close(descriptor)
