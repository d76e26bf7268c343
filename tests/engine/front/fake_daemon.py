"""A fake daemon, whose connections run a script of the test, and a front of that daemon."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from labs_helpers.engine.front.address import unix
from labs_helpers.engine.front.server import FrontServer, make_front

VERSION = {
    "Platform": {"Name": "Docker Engine - Fake"},
    "Components": [{"Name": "Engine"}],
    "Version": "99.0",
    "ApiVersion": "1.50",
    "MinAPIVersion": "1.24",
}
Script = Callable[[socket.socket], None]
"""What the daemon does with a connection that the front has opened."""


def document(status: int, body: object) -> bytes:
    """Return an answer with a JSON body."""
    encoded = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(encoded)}\r\n\r\n".encode() + encoded


def read_head(connection: socket.socket) -> bytes:
    """Read a head, byte by byte."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return data
        data += byte
    return data


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """Read ``count`` bytes, or fewer if the connection ends."""
    data = b""
    while len(data) < count and (part := connection.recv(count - len(data))):
        data += part
    return data


@dataclass
class Fake:
    """The daemon, its front, and the script for the daemon's next connections."""

    folder: Path
    script: Script
    connections: int = 0
    failures: list[BaseException] = field(default_factory=list)
    front: FrontServer | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "real.sock"

    def client(self) -> socket.socket:
        """Connect to the front."""
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.settimeout(20)
        found.connect(str(self.folder / "d.sock"))
        return found


@contextmanager
def fake_daemon(
    hosts: list[dict[str, str]] | None = None, version: Mapping[str, object] = VERSION
) -> Iterator[Fake]:
    """Run a fake daemon and its front; raise the first error of a script at the end."""
    folder = Path(tempfile.mkdtemp(prefix="labs"))

    def about(connection: socket.socket) -> None:
        # until a test sets a script, the front asks for the version only
        while read_head(connection):
            connection.sendall(document(200, version))

    fake = Fake(folder, about)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(fake.socket))
    listener.listen()

    def run(connection: socket.socket, script: Script) -> None:
        with connection:
            try:
                connection.settimeout(20)
                script(connection)
            except BaseException as error:  # noqa: BLE001 -- told to the test below
                fake.failures.append(error)

    threads = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            fake.connections += 1
            thread = threading.Thread(target=run, args=(connection, fake.script))
            thread.start()
            threads.append(thread)

    accepting = threading.Thread(target=accept)
    accepting.start()
    registries = folder / "registries.json"
    registries.write_text(json.dumps({"hosts": hosts or [], "offline": True}))
    front = make_front(folder / "d.sock", folder / "engine", registries, unix(fake.socket))
    front.own.expiration_interval = 0.02
    front.prepare()
    serving = threading.Thread(target=front.serve)
    serving.start()
    fake.front = front
    try:
        yield fake
    finally:
        front.stop()
        serving.join()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for thread in threads:
            thread.join()
        shutil.rmtree(folder)
    if fake.failures:
        raise fake.failures[0]
