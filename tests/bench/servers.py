"""The servers that the benchmarks start: ours and the peers, each on a free loopback port."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

REGISTRY = "123456789012.dkr.ecr.us-west-2.amazonaws.com"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(
    command: list[str], environ: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    server = subprocess.Popen(
        command,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield server
    finally:
        server.terminate()
        server.wait(timeout=20)


def until_listening(port: int) -> None:
    """Return when the port takes connections; refused attempts cost no time to speak of."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return


@contextmanager
def sandbox(home: Path) -> Iterator[tuple[int, int, str]]:
    """Our server with a repository `bench/image`: (pid, port, registry token)."""
    home.mkdir(mode=0o700)
    port = free_port()
    module = "labs_helpers.sandbox.server"
    command = [sys.executable, "-m", module, "--home", str(home), "--port", str(port)]
    with running(command) as server:
        until_listening(port)
        key = json.loads((home / "sandbox" / "learner.json").read_text())
        client = boto3.client(
            "ecr",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-west-2",
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
        )
        client.create_repository(repositoryName="bench/image")
        (answer,) = client.get_authorization_token()["authorizationData"]
        yield server.pid, port, f"Basic {answer['authorizationToken']}"


@contextmanager
def distribution(home: Path) -> Iterator[tuple[int, int, str]]:
    """CNCF distribution (Debian's docker-registry) on a folder: (pid, port, no token)."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("CNCF distribution is not installed (Debian: docker-registry)")
    home.mkdir(mode=0o700)
    port = free_port()
    configuration = home / "config.yml"
    configuration.write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {home}/data}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with running([program, "serve", str(configuration)]) as server:
        until_listening(port)
        yield server.pid, port, ""


@contextmanager
def nothing(home: Path) -> Iterator[tuple[int, int, str]]:
    """The registry that throws away what is pushed: (pid, port, no token)."""
    port = free_port()
    with running([sys.executable, "-m", "tests.bench.null_registry", str(port)]) as server:
        until_listening(port)
        yield server.pid, port, ""


@contextmanager
def moto_server() -> Iterator[int]:
    """moto's own server, which has every service and takes any key: the port."""
    port = free_port()
    program = str(Path(sys.executable).with_name("moto_server"))
    with running([program, "-H", "127.0.0.1", "-p", str(port)]):
        until_listening(port)
        yield port
