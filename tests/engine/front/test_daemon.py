"""The front's own requests to its daemon."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from .fake_daemon import VERSION, document, fake_daemon, read_head

PODMAN = {**VERSION, "Components": [{"Name": "Podman Engine"}]}
CONTAINERD = {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}


@pytest.mark.parametrize(
    ("version", "info", "compressed", "requests"),
    [
        (PODMAN, {}, True, []),
        (VERSION, CONTAINERD, True, [b"GET /v1.47/info"]),
        (VERSION, {"DriverStatus": None}, False, [b"GET /v1.47/info"]),
    ],
)
def test_a_front_knows_the_daemons_kind_and_asks_for_its_store_only(
    version: dict[str, Any], info: dict[str, Any], compressed: bool, requests: list[bytes]
) -> None:
    seen = []

    def script(connection: socket.socket) -> None:
        seen.append(read_head(connection).split(b" HTTP/1.1")[0])
        connection.sendall(document(200, info))

    with fake_daemon(version=version) as fake:
        fake.script = script
        assert fake.front is not None
        assert fake.front.resources.daemon.keeps_layers_compressed() is compressed
    assert seen == requests
