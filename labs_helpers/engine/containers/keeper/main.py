"""The keeper's process: requests of the engine on a unix socket, a JSON document each.

A request is ``{"do": ...}``; the reply is a document, with ``error`` and ``code`` on failure.
After ``{"do": "events"}`` the connection gets a document for each program that ends. Files below
the keeper's folder: ``<id>/spec.json`` says what to start, ``<id>/log`` is the log, and
``<id>/exit.json`` says how the program ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
from sys import exc_info
from sys import excepthook as sys_excepthook

from . import cgroup, peers, publishing, rights
from . import syscalls as sys
from .client import Client
from .logfile import LogFile, now
from .loop import READ, Loop, close, close_socket
from .namespaces import receive
from .process import Process
from .relay import Relay
from .words import CannotStart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]


class Keeper:
    """All containers of one engine."""

    def __init__(self, folder: str) -> None:
        self._loop = Loop()
        self._folder = folder
        self._processes: dict[str, Process] = {}
        self._containers: dict[str, tuple[Process, list[Relay]]] = {}
        self._early: dict[str, list[Client]] = {}
        """Clients that attached before the start, by container."""
        self._connections: dict[int, socket.socket] = {}
        self._listening: set[socket.socket] = set()
        # the engine has bound it, and passes it as standard input
        self._server = socket.socket(fileno=os.dup(0))
        self._loop.watch(self._server.fileno(), READ, self._accept)

    def run(self) -> None:
        """Serve until no engine is connected and no container is left, or until told to stop."""
        self._loop.run()
        for process in list(self._processes.values()):
            process.signal(signal.SIGKILL)
        for process in list(self._processes.values()):
            process.wait()

    def _accept(self, events: int) -> None:
        connection, _ = self._server.accept()
        if _is_isolated(connection):
            # whoever asks here starts any program, with any folder
            connection.close()
            return
        connection.settimeout(5)
        self._connections[connection.fileno()] = connection
        self._loop.watch(connection.fileno(), READ, lambda _: self._ready(connection))

    def _ready(self, connection: socket.socket) -> None:
        try:
            data, descriptors = receive(connection)
        except OSError:
            data, descriptors = b"", []
        if not data:
            self._leave(connection)
            return
        request = json.loads(data)
        try:
            reply = getattr(self, f"do_{request['do']}")(request, connection, descriptors)
        except CannotStart as error:
            reply = {"error": str(error), "code": error.code}
        except OSError as error:
            reply = {"error": str(error), "code": 125, "errno": error.errno}
        except Exception as error:  # noqa: BLE001 - an end of this process ends all containers
            sys_excepthook(*exc_info())
            reply = {"error": f"{type(error).__name__}: {error}", "code": 125}
        self._send(connection, reply)

    def _leave(self, connection: socket.socket) -> None:
        self._connections.pop(connection.fileno(), None)
        self._listening.discard(connection)
        close_socket(self._loop, connection)
        if not self._containers and not self._listening:
            self._loop.running = False

    def _send(self, connection: socket.socket, document: Document) -> None:
        try:
            connection.send(json.dumps(document).encode())
        except OSError:
            self._leave(connection)

    # requests

    def do_events(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """Send an event for each end from now on; the reply lists what runs."""
        self._listening.add(connection)
        return {"running": {name: p.pid for name, (p, _) in self._containers.items()}}

    def do_stop(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """End all containers, and the keeper."""
        self._loop.running = False
        return {}

    def do_start(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """Start a container; the reply has its pid, and the ports it got."""
        name = request["id"]
        spec = _read(f"{name}/spec.json")
        spec["folder"] = f"{self._folder}/{name}"
        listeners = publishing.published(spec["ports"])
        clients = self._early.pop(name, [])
        log = None
        try:
            log = LogFile(f"{name}/log")
            process = Process(self._loop, spec, log, clients, lambda p: self._ended(name, p))
        except BaseException:
            if log is not None:
                log.close()
            for listener in listeners:
                listener.close()
            for client in clients:
                client.end()
            raise
        relays = publishing.relays(self._loop, spec, process, listeners)
        self._processes[name] = process
        self._containers[name] = (process, relays)
        ports = [listener.getsockname()[1] for listener in listeners]
        return {"pid": process.pid, "ports": ports, "started": now()}

    def do_exec(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """Add a program to a running container."""
        name, of = request["id"], request["of"]
        if of not in self._containers:
            # it ended after the engine had looked
            raise CannotStart(f"container {of} is not running", 126)
        spec = _read(f"{of}/exec-{name}.json")
        container = self._containers[of][0]
        clients = self._early.pop(name, [])
        try:
            process = Process(
                self._loop,
                spec,
                None,
                clients,
                lambda p: self._exec_ended(name, of, p),
                container.pid,
            )
        except BaseException:
            for client in clients:
                client.end()
            raise
        self._processes[name] = process
        return {"pid": process.pid}

    def do_attach(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """Attach a client, whose connection comes with the request, now or at the start."""
        client = Client(
            self._loop,
            socket.socket(fileno=fds[0]),
            set(request["streams"]),
            bytes.fromhex(request["detach"]),
            bytes.fromhex(request["early"]),
        )
        process = self._processes.get(request["id"])
        if process:
            process.attach(client)
        else:
            self._early.setdefault(request["id"], []).append(client)
        return {}

    def do_release(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """Let clients go that wait for a container which will not start."""
        for client in self._early.pop(request["id"], []):
            client.end()
        return {}

    def do_signal(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """Send a signal to a program."""
        if process := self._processes.get(request["id"]):
            process.signal(request["signal"])
        return {}

    def do_runs(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """Say whether a program runs; events of its end have been sent before."""
        return {"runs": request["id"] in self._processes}

    def do_resize(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """Set the size of a program's terminal."""
        if process := self._processes.get(request["id"]):
            process.resize(request["rows"], request["columns"])
        return {}

    def do_archive(self, request: Document, connection: socket.socket, fds: list[int]) -> Document:
        """Copy files in or out, in a process of its own, over the socket of the request."""
        name = request["id"]
        spec = {**_read(f"{name}/spec.json"), "folder": f"{self._folder}/{name}", "name": name}
        stream = socket.socket(fileno=fds[0])
        container = self._containers.get(name)
        pid = os.fork()
        if pid == 0:
            try:
                from . import archive  # a large import, for this process alone

                # with the keeper's sockets, a copy that waits would hold who waits for the keeper
                os.closerange(3, stream.fileno())
                os.closerange(stream.fileno() + 1, 1 << 16)
                archive.run(spec, container[0].pid if container else None, request, stream)
            except BaseException:  # noqa: BLE001 - the log is all that can be told
                sys_excepthook(*exc_info())
            finally:
                os._exit(0)
        stream.close()
        ended = os.pidfd_open(pid)

        def reap(events: int) -> None:
            os.waitpid(pid, 0)
            close(self._loop, ended)

        self._loop.watch(ended, READ, reap)
        return {}

    # ends

    def _ended(self, name: str, process: Process) -> None:
        for relay in self._containers.pop(name)[1]:
            relay.close()
        self._tell(name, process, {"event": "die", "id": name})

    def _exec_ended(self, name: str, of: str, process: Process) -> None:
        self._tell(name, process, {"event": "exec_die", "id": of, "exec": name})

    def _tell(self, name: str, process: Process, event: Document) -> None:
        self._processes.pop(name, None)
        event = {**event, "code": process.code, "time": now(), "oom": process.oom}
        if event["event"] == "die":
            with contextlib.suppress(OSError):  # a full disk: whoever listens still knows
                _write(f"{name}/exit.json", event)
        for connection in list(self._listening):
            self._send(connection, event)
        if not self._containers and not self._listening:
            self._loop.running = False


def _is_isolated(connection: socket.socket) -> bool:
    """Whether a client is a program of a container or of a build, which has no business here."""
    try:
        peer = peers.peer_of(connection)
    except peers.Unknown:
        return True
    # the engine gave this process the mark, too, for all that it starts
    return peer is not None and peer.is_isolated(peers.Peer(os.getpid()).locks)


def _read(path: str) -> Document:
    with open(path) as file:  # noqa: PTH123 - no pathlib: memory
        document: Document = json.load(file)
    return document


def _write(path: str, document: Document) -> None:
    """Write the whole file or nothing."""
    with open(f"{path}.new", "w") as file:  # noqa: PTH123
        json.dump(document, file)
    os.replace(f"{path}.new", path)  # noqa: PTH105


def main(folder: str) -> None:
    """Keep containers in ``folder``, which becomes the working folder."""
    # about twelve descriptors for each container; a program gets the machine's limit again
    hard = rights.OPEN_FILES[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.closerange(3, 1 << 16)  # whatever the engine, or who started it, left open
    os.chdir(folder)
    cgroup.sweep(folder)
    os.umask(0o077)
    # the program of a container is forked by a process that ends, and then is a child of this one
    sys.prctl(sys.SUBREAPER, 1)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    Keeper(folder).run()
