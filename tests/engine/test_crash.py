"""The engine killed in the middle: after the next start nothing half-made is there."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.engine.engine_room import require

LAYER = os.urandom(3_000_000)
HOST = "stalls.example"


class Engine:
    """An engine in a process of its own, on one state through several lives."""

    def __init__(self, folder: Path, registries: Path) -> None:
        self.folder, self.registries = folder, registries
        self.start()

    def start(self) -> None:
        """Start, and wait until it serves."""
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "labs_helpers.engine", "--socket", str(self.folder / "s")),
                *("--state", str(self.folder / "state"), "--registries", str(self.registries)),
            ],
            stderr=subprocess.PIPE,
        )
        assert self.process.stderr
        for line in self.process.stderr:
            if b"serves on" in line:
                return
        raise AssertionError("the engine did not start")

    def kill(self) -> None:
        """End without a chance to clean up, and start again."""
        self.process.kill()
        self.process.communicate()
        (self.folder / "s").unlink()
        self.start()

    def connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("localhost", timeout=20)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(20)
        connection.sock.connect(str(self.folder / "s"))
        return connection

    def ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        connection = self.connection()
        connection.request(method, path, body)
        data = connection.getresponse().read()
        connection.close()
        return [json.loads(line) for line in data.splitlines()]

    @property
    def images(self) -> list[str]:
        (listed,) = self.ask("GET", "/images/json?all=1")
        return sorted(image["Id"] for image in listed)

    @property
    def left(self) -> list[str]:
        """What lies in the folders of blobs and of unfinished things."""
        state = self.folder / "state"
        places = [state / "blobs" / "incoming", state / "blobs" / "sha256"]
        places += state.glob("scratch-*")
        return sorted(str(found.relative_to(state)) for p in places for found in p.iterdir())


class Stalling(BaseHTTPRequestHandler):
    """A registry that goes silent in the middle of a layer, in either direction."""

    protocol_version = "HTTP/1.1"
    reached: threading.Event
    released: threading.Event

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.endswith("/manifests/latest"):
            self._answer(200, manifest(), "application/vnd.docker.distribution.manifest.v2+json")
        elif self.path.endswith(digest(LAYER)):
            self.send_response(200)
            self.send_header("Content-Length", str(len(LAYER)))
            self.end_headers()
            self.wfile.write(LAYER[: len(LAYER) // 2])
            self._stall()
        elif "/blobs/" in self.path:
            self._answer(200, config())
        else:
            self._answer(200, b"{}")

    def do_HEAD(self) -> None:
        self._answer(200 if "/manifests/" in self.path else 404, b"")

    def do_POST(self) -> None:
        self.send_response(202)
        self.send_header("Location", "/v2/x/blobs/uploads/1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PATCH(self) -> None:
        self._stall()

    do_PUT = do_PATCH

    def _stall(self) -> None:
        self.reached.set()
        self.released.wait(20)
        self.close_connection = True

    def _answer(self, status: int, body: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def config() -> bytes:
    rootfs = {"type": "layers", "diff_ids": [digest(LAYER)]}
    return json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode()


def manifest() -> bytes:
    kind = "application/vnd.docker"
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{kind}.distribution.manifest.v2+json",
            "config": {
                "mediaType": f"{kind}.container.image.v1+json",
                "digest": digest(config()),
                "size": len(config()),
            },
            "layers": [
                {
                    "mediaType": f"{kind}.image.rootfs.diff.tar.gzip",
                    "digest": digest(LAYER),
                    "size": len(LAYER),
                }
            ],
        }
    ).encode()


def context(dockerfile: str, **files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in {"Dockerfile": dockerfile.encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def registry() -> Iterator[tuple[int, type[Stalling]]]:
    class Handler(Stalling):
        reached, released = threading.Event(), threading.Event()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, Handler
    Handler.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def engine(registry: tuple[int, type[Stalling]]) -> Iterator[Engine]:
    folder = Path(tempfile.mkdtemp(prefix="labs"))
    mapped = {"pattern": HOST, "address": f"http://127.0.0.1:{registry[0]}"}
    (folder / "registries.json").write_text(json.dumps({"hosts": [mapped], "offline": True}))
    found = Engine(folder, folder / "registries.json")
    yield found
    found.process.terminate()
    found.process.communicate(timeout=20)
    shutil.rmtree(folder)


@pytest.fixture
def kept(engine: Engine) -> list[str]:
    """An image that is there before, and must be there after; the engine's images then."""
    body = context(f"FROM scratch\nCOPY f /\nLABEL kept={os.getpid()}\n", f=LAYER)
    engine.ask("POST", f"/build?t={HOST}/x:latest", body)
    assert len(engine.images) == 2
    return engine.images


def halfway(engine: Engine, path: str, body: bytes) -> None:
    """Send the first half of a body that is longer than any buffer."""
    connection = engine.connection()
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[: len(body) // 2])


def in_background(engine: Engine, method: str, path: str) -> None:
    def ask() -> None:
        # the engine is killed under it
        with contextlib.suppress(OSError, http.client.HTTPException):
            engine.ask(method, path)

    threading.Thread(target=ask, daemon=True).start()


def killed_as(engine: Engine, before: list[str], left: list[str], what: Callable[[], None]) -> None:
    what()
    engine.kill()
    assert engine.images == before
    assert engine.left == left


def test_killed_while_a_context_arrives(engine: Engine, kept: list[str]) -> None:
    body = context("FROM scratch\nCOPY f /\n", f=os.urandom(4_000_000))
    killed_as(engine, kept, engine.left, lambda: halfway(engine, "/build?t=new", body))


def test_killed_while_an_archive_is_loaded(engine: Engine, kept: list[str]) -> None:
    connection = engine.connection()
    connection.request("GET", f"/images/get?names={HOST}/x:latest")
    saved = connection.getresponse().read()
    connection.close()
    engine.ask("DELETE", f"/images/{HOST}/x:latest")
    assert engine.images == engine.left == []
    killed_as(engine, [], [], lambda: halfway(engine, "/images/load", saved))
    engine.ask("POST", "/images/load", saved)
    (loaded,) = engine.images
    assert loaded in kept


def test_killed_in_a_pull(engine: Engine, registry: tuple[int, type[Stalling]]) -> None:
    in_background(engine, "POST", f"/images/create?fromImage={HOST}/x&tag=latest")
    assert registry[1].reached.wait(20)
    killed_as(engine, [], [], lambda: None)


def test_killed_in_a_push(
    engine: Engine, kept: list[str], registry: tuple[int, type[Stalling]]
) -> None:
    left = engine.left
    in_background(engine, "POST", f"/images/{HOST}/x/push?tag=latest")
    assert registry[1].reached.wait(20)
    killed_as(engine, kept, left, lambda: None)
    # the push is not remembered as done
    (described,) = engine.ask("GET", f"/images/{HOST}/x/json")
    assert described["RepoDigests"] == []


def test_killed_in_a_run(engine: Engine, kept: list[str]) -> None:
    require("proot")
    require("busybox")
    busybox = shutil.which("busybox")
    assert busybox
    body = context(
        "FROM scratch\nCOPY busybox /bin/sh\nRUN echo begun; sleep 1004\n",
        busybox=Path(busybox).read_bytes(),
    )
    connection = engine.connection()
    connection.request("POST", "/build?t=new", body)
    stream = connection.getresponse()
    while b"begun" not in (line := stream.readline()):
        assert line, "the command did not begin"
    engine.kill()
    # the finished step before it stays, as cache; the name was never given
    assert set(kept) < set(engine.images)
    assert len(engine.images) == len(kept) + 1
    assert [name for name in engine.left if name.startswith(("scratch", "blobs/incoming"))] == []
    names = [name for image in engine.ask("GET", "/images/json")[0] for name in image["RepoTags"]]
    assert names == [f"{HOST}/x:latest"]
