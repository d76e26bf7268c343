"""A RUN of many programs in namespaces beside the same under PRoot, in one run."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labs_helpers.engine import machine
from tests.bench.servers import running
from tests.engine.engine_room import require

pytestmark = pytest.mark.bench

PROGRAMS = 300
ROUNDS = 3
DOCKERFILE = f"""\
FROM scratch
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN for each in $(seq {PROGRAMS}); do /bin/stat / > /dev/null; done
"""


def build(socket: Path, context: Path) -> float:
    """Seconds of docker build without the cache."""
    environment = {**os.environ, "DOCKER_HOST": f"unix://{socket}", "DOCKER_BUILDKIT": "0"}
    command = ["docker", "build", "--no-cache", "-q", "-t", "bench", str(context)]
    begun = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - begun


def test_a_run_in_namespaces_beside_proot(tmp_path: Path) -> None:
    for program in ("docker", "proot", "busybox"):
        require(program)
    if machine.kind() != machine.NAMESPACES:
        pytest.skip("this machine gives no namespaces")
    context = tmp_path / "context"
    context.mkdir()
    shutil.copy(str(shutil.which("busybox")), context / "busybox")
    (context / "Dockerfile").write_text(DOCKERFILE)
    times: dict[str, float] = {}
    for kind in (machine.NAMESPACES, machine.PROOT):
        folder = tmp_path / kind
        socket = folder / "s"
        folder.mkdir()
        command = [
            *(sys.executable, "-m", "labs_helpers.engine"),
            *("--socket", str(socket), "--state", str(folder / "state")),
        ]
        with running(command, {"LABS_ISOLATION": kind}) as engine:
            while not socket.exists():
                assert engine.poll() is None
            times[kind] = statistics.median(build(socket, context) for _ in range(ROUNDS))
    ratio = times[machine.NAMESPACES] / times[machine.PROOT]
    print(
        f"\nRUN of {PROGRAMS} programs: namespaces {times[machine.NAMESPACES]:.2f} s,"
        f" PRoot {times[machine.PROOT]:.2f} s ({ratio:.2f}x)"
    )
    assert ratio < 1
