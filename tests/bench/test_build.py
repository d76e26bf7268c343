"""A context of 200 MB built beside dockerd's classic builder, in one run."""

import hashlib
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labs_helpers.engine.front.address import Address
from labs_helpers.engine.process import FRUGAL
from tests.bench.servers import running
from tests.bench.test_push_and_pull import peak_memory

pytestmark = pytest.mark.bench

SIZE = 200
ROUNDS = 3


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """200 files of 1 MB that do not compress, and a Dockerfile that copies them."""
    folder = tmp_path / "context"
    folder.mkdir()
    for number in range(SIZE):
        content = hashlib.shake_128(number.to_bytes(4, "big")).digest(1024 * 1024)
        (folder / f"{number:03}").write_bytes(content)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /data/\nLABEL built=yes\n")
    return folder


def build(host: str, context: Path) -> float:
    """Seconds of docker build without the cache."""
    environment = {**os.environ, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "0"}
    begun = time.perf_counter()
    subprocess.run(
        ["docker", "build", "--no-cache", "-q", "-t", "bench", str(context)],
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - begun


def test_a_build_beside_dockerd(tmp_path: Path, context: Path, dockerd: Address) -> None:
    socket = tmp_path / "s"
    command = [
        *(sys.executable, "-m", "labs_helpers.engine"),
        *("--socket", str(socket), "--state", str(tmp_path / "state")),
    ]
    times: dict[str, list[float]] = {"engine": [], "dockerd": []}
    with running(command, FRUGAL) as engine:
        while not socket.exists():
            assert engine.poll() is None
        for _ in range(ROUNDS):
            times["engine"].append(build(f"unix://{socket}", context))
            times["dockerd"].append(build(str(dockerd), context))
        peak = peak_memory(engine.pid)
    one, other = (statistics.median(found) for found in times.values())
    print(
        f"\nbuild of {SIZE} MB: engine {one:.2f} s, dockerd {other:.2f} s ({one / other:.2f}x);"
        f" peak memory {peak:.0f} MB"
    )
    assert peak < 100
