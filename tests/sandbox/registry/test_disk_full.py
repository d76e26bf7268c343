"""A disk that fills during a push: a clear error, nothing damaged, and a push works afterwards."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.files import NO_ROOM
from tests.sandbox.registry.registry_server import RegistryUnderTest, Server

SIZE = 16 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB, which only root can mount."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this container mounts nothing")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> int:
    """Write a file until the disk is full; its length in bytes."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return file.tell()


def test_a_push_that_fills_the_disk_damages_nothing(
    small_disk: Path, registry_server: Server
) -> None:
    registry = RegistryUnderTest(small_disk / "ecr", registry_server)
    try:
        registry.create()
        kept = registry.push_image("kept", content=os.urandom(100_000))
        large = os.urandom(SIZE)
        digest = f"sha256:{hashlib.sha256(large).hexdigest()}"
        for _ in range(3):
            reply = registry.send("POST", f"/v2/demo/blobs/uploads/?digest={digest}", large)
            assert reply.status == 507
            assert NO_ROOM in reply.error[1]
        assert registry.send("HEAD", f"/v2/demo/blobs/{digest}").status == 404
        filler = small_disk / "filler"
        assert fill(filler) > SIZE // 2, "the pushes that failed keep the disk full"
        small = os.urandom(9000)
        name = f"sha256:{hashlib.sha256(small).hexdigest()}"
        reply = registry.send("POST", f"/v2/demo/blobs/uploads/?digest={name}", small)
        assert reply.status == 507
        manifest = registry.send("GET", "/v2/demo/manifests/kept")
        assert manifest.headers["docker-content-digest"] == kept
        reply = registry.put_manifest("again", manifest.body)
        assert reply.status in (201, 507)
        filler.unlink()
        registry.restart()
        assert registry.store.notices == []
        assert (
            registry.send("GET", "/v2/demo/manifests/kept").headers["docker-content-digest"] == kept
        )
        for layer in manifest.json()["layers"]:
            body = registry.send("GET", f"/v2/demo/blobs/{layer['digest']}").body
            assert f"sha256:{hashlib.sha256(body).hexdigest()}" == layer["digest"]
        registry.push_image("after", content=small)
        assert registry.send("GET", f"/v2/demo/blobs/{name}").body == small
    finally:
        registry.store.close()
