"""``python -m labs_helpers.engine --socket PATH --state FOLDER [--registries FILE] [--log FILE]``.

With ``--daemon unix:///path`` the process is the front of that daemon.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from labs_helpers.files import LabsError
from labs_helpers.runtime.folder_lock import FolderLock
from labs_helpers.runtime.lifetime import Lifetime
from labs_helpers.runtime.rotated_log import log_to

from .errors import EngineError
from .front.address import parse as parse_address
from .server import (
    CannotServe,
    EngineServer,
    check_socket,
    log_message,
    make_server,
    remove_socket,
)

if TYPE_CHECKING:
    from .front.server import FrontServer


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0 then, 1 when the engine cannot start."""
    parser = argparse.ArgumentParser(prog="python -m labs_helpers.engine", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--registries", type=Path)
    parser.add_argument("--daemon", type=parse_address)
    parser.add_argument("--home", type=Path, help="LABS_HOME, with which the engine ends")
    parser.add_argument("--log", type=Path, help="the file that stdout and stderr are, to rotate")
    options = parser.parse_args(arguments)
    log_to(options.log)
    before = os.umask(0o077)
    try:
        return _serve(options)
    finally:
        os.umask(before)


def _serve(options: argparse.Namespace) -> int:
    try:
        check_socket(options.socket)  # before anything is made
        options.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FolderLock.take(options.state, "engine")  # held until the process ends
        server = _server(options)
        lifetime = options.home and Lifetime(options.home, "engine", os.environ, server.is_busy)
        server.prepare()
    except (CannotServe, EngineError, LabsError, OSError, sqlite3.Error) as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1
    # stop() waits for the serving thread, so it cannot run in the signal handler on that thread
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
    if lifetime:
        server.on_request = lifetime.use
        lifetime.watch()
    logging.info(log_message(server))
    try:
        server.serve()
    finally:
        remove_socket(options.socket)
        lock.release()
    return 0


def _server(options: argparse.Namespace) -> EngineServer | FrontServer:
    builds = options.home and options.home / "builds"
    if options.daemon is None:
        return make_server(options.socket, options.state, options.registries, builds)
    from .front.server import make_front  # imports an event loop, which the engine does not need

    return make_front(
        options.socket, options.state, options.registries, options.daemon, builds=builds
    )


if __name__ == "__main__":
    sys.exit(main())
