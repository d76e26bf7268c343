"""The real skopeo pulls from the hub, over a socket."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from cheroot import wsgi

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.hub.app import HubApp

pytestmark = pytest.mark.skipif(
    shutil.which("skopeo") is None and os.environ.get("LABS_REQUIRE_CLIENTS") != "1",
    reason="skopeo is not installed",
)


@pytest.fixture
def address(tmp_path: Path, clock: Clock) -> Iterator[str]:
    server = wsgi.Server(("127.0.0.1", 0), HubApp(tmp_path / "hub", clock))
    server.prepare()
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.bind_addr[1]}"
    server.stop()
    thread.join()


def skopeo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["skopeo", *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("image", ["nginx:alpine", "nginx:1.21-alpine", "ubuntu:latest"])
def test_skopeo_copies_every_platform(address: str, tmp_path: Path, image: str) -> None:
    source, target = f"docker://{address}/library/{image}", f"oci:{tmp_path / 'copy'}:x"
    done = skopeo("copy", "--all", "--src-tls-verify=false", source, target)
    assert done.returncode == 0, done.stderr
    listed = json.loads(skopeo("inspect", "--raw", target).stdout)
    assert {one["platform"]["architecture"] for one in listed["manifests"]} == {"amd64", "arm64"}


def test_skopeo_says_that_an_unknown_image_is_denied(address: str) -> None:
    done = skopeo("inspect", "--tls-verify=false", f"docker://{address}/library/redis:latest")
    assert done.returncode != 0
    assert "requested access to the resource is denied" in done.stderr


def test_skopeo_may_not_push(address: str, tmp_path: Path) -> None:
    source, local = f"docker://{address}/library/nginx:alpine", f"oci:{tmp_path / 'copy'}:x"
    assert skopeo("copy", "--src-tls-verify=false", source, local).returncode == 0
    target = f"docker://{address}/library/nginx:mine"
    done = skopeo("copy", "--dest-tls-verify=false", local, target)
    assert done.returncode != 0
    assert "requested access to the resource is denied" in done.stderr
