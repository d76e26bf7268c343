"""The front's process: a private socket for clients, and the front's own application behind it.

Clients' connections run on one event loop. The requests that the front answers itself run in the
threads of a WSGI server, which listens on a second socket in the engine's private folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from ..api.isolated import recogniser
from ..server import check_socket, remove_socket
from ..unix_server import BACKLOG, UnixServer
from .address import Address, unix
from .app import FrontApp
from .connection import Connection
from .conversation import Conversation
from .resources import Resources, open_resources

log = logging.getLogger(__name__)


class FrontServer:
    """Serves a daemon's API on a socket of mode 0600.

    Call ``prepare``, then ``serve``; call ``stop`` from another thread. ``own`` is the server of
    the front's own application.
    """

    def __init__(
        self, path: Path, resources: Resources, state: Path, builds: Path | None = None
    ) -> None:
        self.bind_addr = f"{path}, in front of {resources.daemon.address}"
        self.resources = resources
        self._path, self._own_path = path, state / "own.sock"
        self._recognise = recogniser(builds)
        self.own = UnixServer(self._own_path, FrontApp(resources), self._recognise)
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._stopping = False
        self._stopped = threading.Event()
        self._conversations: set[asyncio.Task[None]] = set()
        self.on_request: Callable[[], None] = lambda: None
        """Called for each connection of a client."""

    def is_busy(self) -> bool:
        """Whether a client is connected. The daemon's containers go on without the front."""
        return bool(self._conversations)

    def prepare(self) -> None:
        """Bind both sockets. Raises OSError."""
        # a killed front may have left its sockets; make_front has checked that nobody serves there
        for left in (self._path, self._own_path):
            left.unlink(missing_ok=True)
        UnixServer.bind_socket(self._listener, str(self._path))
        self._listener.listen(BACKLOG)
        self._listener.setblocking(False)
        self.own.prepare()

    def serve(self) -> None:
        """Serve until ``stop``."""
        own = threading.Thread(target=self.own.serve, name="own")
        own.start()
        try:
            asyncio.run(self._serve())
        finally:
            self.own.stop()
            own.join()
            remove_socket(self._own_path)
            self.resources.records.close()
            self._stopped.set()

    def stop(self) -> None:
        """End ``serve`` from another thread, and wait until it has ended."""
        self._stopping = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._ended.set)
        self._stopped.wait()

    async def _serve(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        accepting = asyncio.create_task(self._accept())
        ended = asyncio.create_task(self._ended.wait())
        if self._stopping:
            self._ended.set()
        try:
            await asyncio.wait({accepting, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # asyncio.run then cancels the conversations that still run
            loop.remove_reader(self._listener)
            self._listener.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(self._listener)
            except OSError as error:
                # too many open files, perhaps: wait until other connections close
                log.warning("cannot accept a client's connection: %s", error)
                await asyncio.sleep(0.1)
                continue
            self.on_request()
            isolated = self._recognise(accepted)
            conversation = Conversation(
                Connection(accepted), self.resources, unix(self._own_path), isolated
            )
            task = asyncio.create_task(conversation.run())
            # keep a reference: the loop itself holds its tasks by weak references only
            self._conversations.add(task)
            task.add_done_callback(self._conversations.discard)


def make_front(
    path: Path,
    state: Path,
    registries: Path | None,
    address: Address,
    seconds: float = 5.0,
    builds: Path | None = None,
) -> FrontServer:
    """Return a front that is ready to serve, as ``make_server`` returns an engine.

    ``address`` is the daemon's; the daemon has ``seconds`` to answer. ``builds`` is as for
    ``make_server``.

    Raises:
        CannotServe: the path is too long, or another engine serves there.
        DaemonError: the daemon does not answer, or is too old.
    """
    check_socket(path)
    resources = open_resources(state, registries, address, seconds)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FrontServer(path, resources, state, builds)
