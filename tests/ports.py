"""Loopback ports for servers that are told theirs: no two tests get the same, at any time.

A port that the system has just given and taken back (``bind`` to port 0) may be given to another
worker of the run before the server listens on it, or while a test has it stopped. So each worker
has a block of its own, below those from which systems give ports to whoever asks (from 32768 on
Linux, 49152 on macOS), and above the labs' own (4566).
"""

from __future__ import annotations

import os
import random
import socket

FIRST = 10_000
BLOCK = 1_000
BLOCKS = 20

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_begin = FIRST + _worker % BLOCKS * BLOCK
# another run on this machine has the same blocks, and hardly begins at the same place
_next = random.SystemRandom().randrange(BLOCK)


def free_port() -> int:
    """A port that nobody listens on, and that this run gives to nobody else."""
    global _next
    for _ in range(BLOCK):
        port = _begin + _next
        _next = (_next + 1) % BLOCK
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port from {_begin} to {_begin + BLOCK - 1}")
