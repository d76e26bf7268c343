"""The engine killed during a push or a pull: nothing half-made is seen, and the next try works."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.engine.front.address import Address
from labs_helpers.engine.front.daemon import DaemonClient
from tests.clients import daemons
from tests.engine.engine_room import require

from .faulty_registry import HOST, Faulty, faulty_registry
from .test_main import connected

CONTENT = random.Random(2).randbytes(2_000_000)
NAME = f"{HOST}/demo:v1"
PULL = f"/images/create?fromImage={HOST}/demo&tag=v1"
PUSH = f"/images/{HOST}/demo/push?tag=v1"


@pytest.fixture(params=["embedded", "dockerd", "podman"])
def daemon(request: pytest.FixtureRequest) -> Iterator[Address | None]:
    """None for the labs' own engine, or the address that it is in front of."""
    if request.param == "embedded":
        yield None
        return
    address = request.getfixturevalue(request.param)
    daemons.empty(address)
    yield address
    daemons.empty(address)


@pytest.fixture
def folder() -> Iterator[Path]:
    found = Path(tempfile.mkdtemp(prefix="labs"))
    yield found
    shutil.rmtree(found)


@pytest.fixture
def registry(folder: Path) -> Iterator[Faulty]:
    with faulty_registry(folder) as found:
        yield found


def started(folder: Path, daemon: Address | None) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "labs_helpers.engine", "--socket", str(folder / "d.sock")),
            *("--state", str(folder / "engine"), "--registries", str(folder / "registries.json")),
            *(("--daemon", str(daemon)) if daemon else ()),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    assert "the labs engine serves on" in said, said + process.stderr.read()
    return process


def ask(folder: Path, method: str, path: str) -> bytes:
    connection = connected(folder)
    connection.request(method, path, headers={"Content-Length": "0"})
    body = connection.getresponse().read()
    connection.close()
    return body


def names(folder: Path) -> list[str]:
    return [
        name
        for image in json.loads(ask(folder, "GET", "/images/json?all=1"))
        for name in image["RepoTags"] or []
    ]


def killed_at(
    folder: Path, registry: Faulty, process: subprocess.Popen[str], line: str, path: str
) -> None:
    """Ask for ``path``, and kill the engine when the registry is asked ``line``."""
    there, go_on = threading.Event(), threading.Event()

    def before(method: str, asked: str) -> None:
        if registry.seen[-1].startswith(line):
            there.set()
            go_on.wait(20)

    registry.before = before
    connection = connected(folder)
    connection.request("POST", path, headers={"Content-Length": "0"})
    assert there.wait(20), registry.seen
    process.kill()
    process.communicate()
    connection.close()
    registry.before = lambda method, asked: None
    go_on.set()


def test_a_pull(folder: Path, registry: Faulty, daemon: Address | None) -> None:
    registry.add_image("v1", b"\0" * 10240, CONTENT)
    process = started(folder, daemon)
    killed_at(folder, registry, process, "GET blobs/", PULL)
    process = started(folder, daemon)
    assert names(folder) == []
    for left in ("passing-*", "scratch-*", "blobs/incoming", "blobs/sha256"):
        found = list((folder / "engine").glob(left))
        assert [list(kept.iterdir()) for kept in found] in ([], [[]])
    process.terminate()
    process.communicate(timeout=20)


def test_a_push(folder: Path, registry: Faulty, daemon: Address | None, tmp_path: Path) -> None:
    require("docker")
    process = started(folder, daemon)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY content /\n")
    (tmp_path / "content").write_bytes(CONTENT * 3)
    built = subprocess.run(
        ["docker", "build", "-t", NAME, str(tmp_path)],
        env={
            **os.environ,
            "DOCKER_HOST": f"unix://{folder}/d.sock",
            "DOCKER_BUILDKIT": "0",
            "DOCKER_CONFIG": str(folder / "docker"),
        },
        capture_output=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    killed_at(folder, registry, process, "PATCH", PUSH)
    assert registry.manifests == {}
    process = started(folder, daemon)
    assert names(folder) == [NAME]
    said = ask(folder, "POST", PUSH)
    assert b"v1: digest: sha256:" in said
    assert set(registry.manifests) == {"v1"}
    killed_at(folder, registry, process, "PUT manifests/", PUSH)
    process = started(folder, daemon)
    assert names(folder) == [NAME]
    process.terminate()
    process.communicate(timeout=20)
    if daemon is not None:
        assert DaemonClient(daemon).image_id(NAME)
