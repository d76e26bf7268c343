"""``python -m labs_helpers.engine --socket PATH --state FOLDER [--registries FILE]``."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from .server import CannotServe, log_message, make_server, remove_socket


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0 then, 1 when the engine cannot start."""
    parser = argparse.ArgumentParser(prog="python -m labs_helpers.engine", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--registries", type=Path)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    before = os.umask(0o077)
    try:
        return _serve(options)
    finally:
        os.umask(before)


def _serve(options: argparse.Namespace) -> int:
    try:
        server = make_server(options.socket, options.state, options.registries)
        server.prepare()
    except (CannotServe, OSError, sqlite3.Error) as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1
    # stop() waits for the serving thread, so it cannot run in the signal handler on that thread
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
    logging.info(log_message(server))
    try:
        server.serve()
    finally:
        remove_socket(options.socket)
    return 0


if __name__ == "__main__":
    sys.exit(main())
