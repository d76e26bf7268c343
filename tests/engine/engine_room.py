"""An engine on a socket, in front of the sandbox's registry and hub on a loopback port."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.engine.front.address import Address
from labs_helpers.engine.front.server import FrontServer, make_front
from labs_helpers.engine.server import EngineServer, make_server
from labs_helpers.sandbox.hub.app import HubApp
from tests.sandbox.registry.registry_server import HOME, RegistryUnderTest, Server

REGISTRY = HOME.host
HUB_HOSTS = ("docker.io", "index.docker.io", "registry-1.docker.io", "auth.docker.io")


@dataclass
class Room:
    """What a test holds: the engine's socket, the registry behind it, a home for clients."""

    folder: Path
    server: EngineServer | FrontServer
    registry: RegistryUnderTest
    requests: list[str]

    @property
    def socket(self) -> Path:
        return self.folder / "d.sock"

    @property
    def environment(self) -> dict[str, str]:
        """What a Docker client needs to find the engine, and nothing of the machine's own."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER")}
        return {
            **kept,
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(self.folder / "docker"),
            "DOCKER_BUILDKIT": "0",
            "HOME": str(self.folder),
        }

    def docker(self, *arguments: str | Path, given: bytes | None = None) -> Ended:
        """Run the real docker command."""
        done = subprocess.run(
            ["docker", *map(str, arguments)],
            env=self.environment,
            input=given,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode())

    def login(self) -> None:
        """Log in to the registry as the learner."""
        ended = self.docker(
            *("login", "--username", "AWS", "--password-stdin", REGISTRY),
            given=self.registry.token.encode(),
        )
        assert ended.code == 0, ended

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request to the engine."""
        connection = http.client.HTTPConnection("localhost", timeout=20)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(20)
        connection.sock.connect(str(self.socket))
        try:
            chunked = body is not None and not isinstance(body, bytes)
            connection.request(
                method, path, body=body, headers=dict(headers or {}), encode_chunked=chunked
            )
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def told(self) -> str:
        """The last line of what went wrong."""
        return (self.err.splitlines() or [""])[-1]


@dataclass
class Reply:
    """An answer of the engine."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The text of an error."""
        text = self.json()["message"]
        assert isinstance(text, str)
        return text

    @property
    def stream(self) -> list[dict[str, Any]]:
        """The messages of a stream."""
        return [json.loads(line) for line in self.body.splitlines()]


@contextmanager
def running(hub_root: Path, daemon: Address | None = None) -> Iterator[Room]:
    """An engine, a registry with no repositories, and a hub whose images are kept in a folder.

    With ``daemon``, the engine is the front of that daemon.
    """
    # a unix socket's path is short, pytest's folders are not
    folder = Path(tempfile.mkdtemp(prefix="labs"))
    sandbox = Server()
    registry = RegistryUnderTest(folder / "ecr", sandbox)
    requests: list[str] = []
    ecr, hub = sandbox.app, HubApp(hub_root, registry.clock)
    assert ecr is not None

    def dispatch(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        app = hub if environ["HTTP_HOST"] in HUB_HOSTS else ecr
        return app(environ, start_response)

    sandbox.app = dispatch
    address = f"http://127.0.0.1:{sandbox.port}"
    patterns = ["*.dkr.ecr.*.amazonaws.com", *HUB_HOSTS]
    registries = folder / "registries.json"
    registries.write_text(
        json.dumps(
            {"hosts": [{"pattern": p, "address": address} for p in patterns], "offline": True}
        )
    )
    own: Any
    server: EngineServer | FrontServer
    if daemon is None:
        server = own = make_server(folder / "d.sock", folder / "engine", registries)
    else:
        server = make_front(folder / "d.sock", folder / "engine", registries, daemon)
        own = server.own
    # how long a stop waits
    own.expiration_interval = sandbox._server.expiration_interval = 0.02
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield Room(folder, server, registry, requests)
    finally:
        server.stop()
        thread.join()
        if isinstance(server, EngineServer):
            server.backend.store.close()
        sandbox.stop()
        registry.store.close()
        shutil.rmtree(folder)


def require(command: str) -> None:
    """Skip, or fail where clients are required, when a command is not installed."""
    if shutil.which(command) is None:
        if os.environ.get("LABS_REQUIRE_CLIENTS") == "1":
            pytest.fail(f"{command} is not installed, and LABS_REQUIRE_CLIENTS asks for it")
        pytest.skip(f"{command} is not installed")
