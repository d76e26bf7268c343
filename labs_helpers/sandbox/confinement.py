"""The sandbox's process starts no program of a request and connects to no other machine.

One exception: in a sandbox that the learner started with LABS_HUB=online, the pull through cache
connects to the upstream registries (`outward`).

Whatever moto or another library would do with a request, and whoever sent the request: Python's
audit hooks see each attempt (https://docs.python.org/3/library/audit_events.html). A hook cannot be
taken away again for the life of the process, so only the sandbox's own process sets one.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_PROGRAMS = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
}
_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_CONNECTIONS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_HERE = {"127.0.0.1", "localhost", "::1"}
_OUTWARD = _LOOKUPS | {"socket.connect"}

_thread = threading.local()


class Confined(PermissionError):
    """The sandbox was about to start a program or to connect to another machine."""


@contextmanager
def outward() -> Iterator[None]:
    """Let this thread look up hosts and connect, if the process is confined with online=True."""
    _thread.outward = True
    try:
        yield
    finally:
        _thread.outward = False


def confine(port: int, programs: Iterable[str] = (), *, online: bool = False) -> None:
    """From now on each attempt raises Confined.

    port: the sandbox's own, which may be connected to. programs: paths of what may be started.
    online: what begins within `outward` may leave the machine.
    """
    allowed = frozenset(programs)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        first = _text(arguments[0]) if arguments else ""
        if event in _PROGRAMS and first not in allowed:
            raise Confined(f"start the program {first[:120]}")
        if online and event in _OUTWARD and _is_outward(event, arguments):
            return
        if event in _LOOKUPS and arguments[0] is not None and first not in _HERE:
            raise Confined(f"look up the host {first[:120]}")
        if event in _CONNECTIONS and not _is_here(arguments[1], port):
            raise Confined(f"connect to {_text(arguments[1])[:120]}")

    sys.addaudithook(hook)


def cause_of(error: BaseException) -> Confined | None:
    """The Confined that an error came from, through every library that wrapped it."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Confined):
            return each
        if each not in seen:
            seen.append(each)
            inner = (each.__cause__, each.__context__, *each.args, getattr(each, "reason", None))
            waiting += [one for one in inner if isinstance(one, BaseException)]
    return None


def _is_outward(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether this thread may leave the machine, and the event is a look-up or goes to a host."""
    named = event in _LOOKUPS or isinstance(arguments[1], tuple)
    return named and getattr(_thread, "outward", False)


def _is_here(address: Any, port: int) -> bool:
    """Whether an address is the sandbox's own port; sendmsg has none on a connected socket."""
    return address is None or (isinstance(address, tuple) and address[:2] == ("127.0.0.1", port))


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
