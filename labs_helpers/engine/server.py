"""The engine's server, on a unix socket that only its owner can use."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .api import Backend
from .api.app import App
from .api.isolated import build_of, recogniser
from .folders import fresh_folder
from .hosts import HostMap
from .store import ImageStore
from .unix_server import UnixServer

SOCKET_LIMIT = 107
"""The longest path of a unix socket, in bytes: sockaddr_un, unix(7)."""


class CannotServe(Exception):
    """The engine cannot start; the message says what to do."""


class EngineServer(UnixServer):
    """The labs' own engine, which needs no daemon."""

    def __init__(self, path: Path, backend: Backend, builds: Path | None = None) -> None:
        self._app = App(backend)
        super().__init__(path, self._noting, recogniser(builds))
        self.backend = backend
        self.on_request: Callable[[], None] = lambda: None
        """Called for each request but those that only ask whether the engine answers."""

    def is_busy(self) -> bool:
        """Whether a container runs."""
        return any(container.is_up for container in self.backend.containers.records)

    def _noting(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").endswith("/_ping"):
            self.on_request()
        return self._app(environ, start_response)

    def stop(self) -> None:
        """Stop serving, and close the store. All containers are stopped: they are this engine's."""
        self.backend.containers.close()
        super().stop()
        self.backend.private.close()
        self.backend.store.close()


def make_server(
    path: Path, state: Path, registries: Path | None, builds: Path | None = None
) -> EngineServer:
    """An engine that is ready: call ``serve()``, and ``stop()`` from another thread.

    Args:
        path: of the socket.
        state: folder of the images, created when missing.
        registries: the map of registry hosts (hosts.py); None uses DNS.
        builds: the folder of the folders of builds, which the commands of a build may mount.

    Raises:
        CannotServe: the path is too long, or another engine serves there.
    """
    check_socket(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = ImageStore(state)
    store.sweep()
    backend = Backend(store, HostMap(registries), fresh_folder(state, "scratch"), state)
    health = backend.health
    for container in backend.containers.adopt():
        health.watch(container)
    _take_over_private(backend, builds)
    return EngineServer(path, backend, builds)


def _take_over_private(backend: Backend, builds: Path | None) -> None:
    """Keep the stores of builds that still run; all that is left of others goes."""
    kept = {each.owner for each in backend.containers.records}
    for owner in sorted({*kept, *backend.private.owners()} - {""}):
        build = build_of(owner)
        if build and builds and (builds / build).is_dir():
            backend.private.of(owner, builds / build)
        elif build:
            backend.private.end(owner)
        elif owner not in kept:
            backend.private.remove(owner)


def check_socket(path: Path) -> None:
    """Raise CannotServe when no socket can be created at ``path``."""
    length = len(os.fsencode(path.absolute()))
    if length > SOCKET_LIMIT:
        raise CannotServe(
            f"the engine's socket would be {path}, a path of {length} bytes; a socket's may have"
            f" {SOCKET_LIMIT}. Set LABS_HOME to a folder with a shorter path"
        )
    if _answers(path):
        raise CannotServe(f"another engine serves on {path}")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def remove_socket(path: Path) -> None:
    """Remove the socket after serving."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def log_message(server: Any) -> str:
    """The line in the log when the engine is ready."""
    return f"the labs engine serves on {server.bind_addr}"
