"""A 200 MB image pushed and pulled by the labs' engine, by its fronts, and by the daemons.

Each front is compared with its own daemon: Docker with its older store, and with containerd's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from labs_helpers.engine.front.address import Address
from labs_helpers.engine.process import FRUGAL
from tests.bench.servers import REGISTRY, running, sandbox
from tests.bench.test_push_and_pull import peak_memory
from tests.clients import daemons

pytestmark = pytest.mark.bench

LAYERS = 4
LAYER = 50 * 1024 * 1024
ROUNDS = 3
KINDS = ("embedded", "front", "daemon")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context of LAYERS files that compress to about two thirds, each its own layer."""
    folder = tmp_path / "context"
    folder.mkdir()
    lines = ["FROM scratch"]
    for number in range(LAYERS):
        with (folder / str(number)).open("wb") as file:
            for block in range(LAYER // 65536):
                seed = number * 10_000 + block
                noise = hashlib.shake_128(seed.to_bytes(4, "big")).digest(43_000)
                file.write(noise + bytes(65536 - len(noise)))
        lines.append(f"COPY {number} /{number}")
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
    return folder


@contextmanager
def engine(folder: Path, port: int, daemon: Address | None) -> Iterator[tuple[int, str]]:
    """Our engine as a process: (pid, DOCKER_HOST)."""
    hosts = [{"pattern": REGISTRY, "address": f"http://127.0.0.1:{port}"}]
    (folder / "registries.json").write_text(json.dumps({"hosts": hosts, "offline": True}))
    command = [
        *(sys.executable, "-m", "labs_helpers.engine", "--socket", f"{folder}/d.sock"),
        *("--state", f"{folder}/engine", "--registries", f"{folder}/registries.json"),
        *(("--daemon", str(daemon)) if daemon else ()),
    ]
    with running(command, FRUGAL) as process:
        while not (folder / "d.sock").exists():
            assert process.poll() is None
        yield process.pid, f"unix://{folder}/d.sock"


def docker(host: str, folder: Path, *arguments: str, given: str = "") -> float:
    """Seconds that a command takes."""
    environment = {"DOCKER_HOST": host, "DOCKER_CONFIG": str(folder), "DOCKER_BUILDKIT": "0"}
    begun = time.perf_counter()
    done = subprocess.run(
        ["docker", *arguments],
        env=os.environ | environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - begun


@pytest.mark.parametrize("store", ["dockerd", "containerd"])
def test_push_and_pull_beside_docker(
    context: Path, store: str, request: pytest.FixtureRequest
) -> None:
    daemon: Address = request.getfixturevalue(store)
    times: dict[str, dict[str, list[float]]] = {
        kind: {"push": [], "push again": [], "pull": []} for kind in KINDS
    }
    peaks: dict[str, float] = {}
    for kind in KINDS * ROUNDS:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labs")))
            daemons.empty(daemon)
            _, port, token = stack.enter_context(sandbox(folder / "sandbox"))
            pid, host, registry = 0, str(daemon), f"127.0.0.1:{port}"
            if kind != "daemon":
                real = daemon if kind == "front" else None
                pid, host = stack.enter_context(engine(folder, port, real))
                registry = REGISTRY
            password = base64.b64decode(token.split()[1]).decode().partition(":")[2]
            log_in = ("login", "-u", "AWS", "--password-stdin", registry)
            docker(host, folder, *log_in, given=password)
            name = f"{registry}/bench/image:1"
            docker(host, folder, "build", "-t", name, str(context))
            figures = times[kind]
            figures["push"].append(docker(host, folder, "push", name))
            figures["push again"].append(docker(host, folder, "push", name))
            docker(host, folder, "rmi", "-f", name)
            figures["pull"].append(docker(host, folder, "pull", name))
            if pid:
                peaks[kind] = max(peaks.get(kind, 0), peak_memory(pid))
    daemons.empty(daemon)
    print(f"\n{store}, 200 MB in {LAYERS} layers:")
    for what in ("push", "push again", "pull"):
        medians = {kind: statistics.median(times[kind][what]) for kind in KINDS}
        ratio = medians["front"] / medians["daemon"]
        shown = ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in medians.items())
        print(f"  {what}: {shown}; front {ratio:.2f}x of the daemon")
    print(f"  peak memory: {', '.join(f'{kind} {peak:.0f} MB' for kind, peak in peaks.items())}")
    assert all(peak < 100 for peak in peaks.values())
