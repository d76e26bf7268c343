"""Real daemons of our own, in folders of their own: Docker's and Podman's."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs_helpers.engine.front.address import Address, parse
from labs_helpers.engine.front.daemon import DaemonClient, DaemonError
from labs_helpers.oci.reference import Reference
from labs_helpers.oci.reference import parse as parse_reference
from tests.engine.engine_room import require

CONTAINERS_CONF = """\
[containers]
# Podman asks for as many open files as there may be, which a container may not be given
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


@contextmanager
def dockerd() -> Iterator[Address]:
    """That of LABS_TEST_DOCKERD, or one started here with the storage driver it takes itself.

    That is overlay2 nearly everywhere. vfs, its last choice, waits for the next second at every
    commit of a layer (https://github.com/moby/moby/blob/v20.10.24/daemon/graphdriver/fsdiff.go).
    """
    with _dockerd("LABS_TEST_DOCKERD") as address:
        yield address


@contextmanager
def dockerd_on_vfs() -> Iterator[Address]:
    """That of LABS_TEST_DOCKERD_VFS, or one started here: layers are folders, copied.

    overlay2 differs from it, and from the labs' engine, in two things: a hard link into a lower
    layer comes off the file when that is changed
    (https://docs.kernel.org/filesystems/overlayfs.html#non-standard-behavior), and the size of a
    layer has in it what its symbolic links say.
    """
    with _dockerd("LABS_TEST_DOCKERD_VFS", "--storage-driver=vfs") as address:
        yield address


@contextmanager
def containerd() -> Iterator[Address]:
    """That of LABS_TEST_DOCKERD_CONTAINERD, or a current one that is started here.

    It keeps images in containerd's store, as Docker does from 29 on.
    """
    path, _ = current_docker()
    with _dockerd(
        "LABS_TEST_DOCKERD_CONTAINERD",
        *("--storage-driver=native", "--ip6tables=false"),
        config='{"features": {"containerd-snapshotter": true}}',
        environment={"PATH": path},
    ) as address:
        yield address


@contextmanager
def _dockerd(
    variable: str, *options: str, config: str = "{}", environment: Mapping[str, str] | None = None
) -> Iterator[Address]:
    """A dockerd without networks."""
    require("docker")
    if named := os.environ.get(variable):
        yield parse(named)
        return
    require("dockerd")
    folder = Path(tempfile.mkdtemp(prefix="labsd"))
    (folder / "daemon.json").write_text(config)
    command = [
        *("dockerd", f"--config-file={folder}/daemon.json", *options),
        *("--iptables=false", "--ip-forward=false", "--bridge=none"),
        *(f"--data-root={folder}/data", f"--exec-root={folder}/exec"),
        *(f"--pidfile={folder}/pid", f"--host=unix://{folder}/d.sock"),
    ]
    with _running(command, folder, "API listen on", environment or {}) as address:
        yield address


def current_docker() -> tuple[str, Path]:
    """A PATH with a dockerd of version 25 or later, and its buildx; skips where there is none.

    LABS_TEST_DOCKER names a folder with ``usr/``, into which packages were unpacked (.ci/run does
    so: Debian 12 has Docker 20.10); else they are the machine's own.
    """
    root = os.environ.get("LABS_TEST_DOCKER", "")
    path = os.pathsep.join([f"{root}/usr/sbin", f"{root}/usr/bin", os.environ["PATH"]])
    found = shutil.which("dockerd", path=path)
    version = ""
    if found:
        shown = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
        version = shown.stdout.split()[2].rstrip(",")
    places = [Path(f"{root}/usr", where, "docker/cli-plugins") for where in ("libexec", "lib")]
    plugins = [place / "docker-buildx" for place in places if (place / "docker-buildx").is_file()]
    if not found or int(version.split(".")[0]) < 25 or not plugins:
        message = (
            f"no Docker of 25 or later with buildx (dockerd {version or 'is not installed'};"
            f" LABS_TEST_DOCKER={root or 'unset'})"
        )
        if os.environ.get("LABS_REQUIRE_CLIENTS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return path, plugins[0]


@contextmanager
def podman() -> Iterator[Address]:
    """Podman's service, on storage of its own."""
    require("podman")
    folder = Path(tempfile.mkdtemp(prefix="labsp"))
    (folder / "containers.conf").write_text(CONTAINERS_CONF)
    command = [
        *("podman", "--log-level=info", f"--root={folder}/root", f"--runroot={folder}/run"),
        *("--storage-driver=vfs", "system", "service", "--time=0", f"unix://{folder}/d.sock"),
    ]
    environment = {"CONTAINERS_CONF": str(folder / "containers.conf")}
    with _running(command, folder, "API service listening on", environment) as address:
        yield address


@contextmanager
def _running(
    command: list[str], folder: Path, ready: str, environment: Mapping[str, str]
) -> Iterator[Address]:
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            executable=shutil.which(command[0], path=environment.get("PATH")),
            stderr=out,
            env={**os.environ, **environment},
            **QUIET,  # type: ignore[call-overload]
        )
    try:
        if not _said(process, log, ready):
            end = log.read_text(errors="replace")[-2000:]
            if os.environ.get("LABS_REQUIRE_CLIENTS") == "1":
                pytest.fail(f"{command[0]} does not start here:\n{end}")
            pytest.skip(f"{command[0]} does not start here: {end}")
        yield parse(f"unix://{folder}/d.sock")
    finally:
        process.terminate()
        process.wait(timeout=30)
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


def _said(process: subprocess.Popen[bytes], log: Path, ready: str) -> bool:
    """Wait until a line is in the log; False when the process ends before."""
    while process.poll() is None:
        if ready in log.read_text(errors="replace"):
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    return False


def reference(name: str) -> Reference:
    """A name as DaemonClient takes it."""
    return parse_reference(name)


def empty(address: Address) -> None:
    """Remove every image of a daemon of the tests, every container, and what BuildKit keeps."""
    daemon = DaemonClient(address)
    with contextlib.suppress(DaemonError):  # Podman has no build cache to ask of
        daemon._json("POST", "/build/prune?all=1")
    for container in daemon._json("GET", "/containers/json?all=1") or []:
        daemon._json("DELETE", f"/containers/{container['Id']}?force=1")
    for _ in range(5):
        images = daemon._json("GET", "/images/json?all=1") or []
        if not images:
            return
        for image in images:
            with contextlib.suppress(DaemonError):  # it has children, which come first
                daemon._json("DELETE", f"/images/{image['Id']}?force=1")
    raise AssertionError(f"images that cannot be removed: {images}")
