"""Which address a registry's name leads to, and which are refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from labs_helpers.engine.errors import EngineError
from labs_helpers.engine.hosts import HostMap, Offline, api_host

ECR = "123456789012.dkr.ecr.us-west-2.amazonaws.com"


def host_map(folder: Path, **more: object) -> HostMap:
    path = folder / "registries.json"
    hosts = [{"pattern": "*.dkr.ecr.*.amazonaws.com", "address": "http://127.0.0.1:4566"}]
    path.write_text(json.dumps({"hosts": hosts, "offline": True, **more}))
    return HostMap(path)


def test_a_mapped_name_keeps_its_name_and_goes_to_the_address(tmp_path: Path) -> None:
    endpoint = host_map(tmp_path).endpoint(ECR.upper())
    assert (endpoint.host, endpoint.address, endpoint.port) == (ECR, "127.0.0.1", 4566)
    assert endpoint.url == f"https://{ECR}"


@pytest.mark.parametrize("host", ["quay.io", "127.0.0.1.evil.example", f"{ECR}.evil.example"])
def test_offline_other_names_are_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(Offline, match=f"registry {host} is not one it serves"):
        host_map(tmp_path).endpoint(host)


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost:5000", "[::1]:5000"])
def test_loopback_is_plain_http_even_offline(tmp_path: Path, host: str) -> None:
    endpoint = host_map(tmp_path).endpoint(host)
    assert (endpoint.tls, endpoint.port, endpoint.url) == (False, 5000, f"http://{host}")


def test_online_other_names_are_https(tmp_path: Path) -> None:
    endpoint = host_map(tmp_path, offline=False).endpoint("quay.io")
    assert (endpoint.tls, endpoint.address, endpoint.port) == (True, "quay.io", 443)


def test_docker_hub_is_served_by_its_registry() -> None:
    assert api_host("docker.io") == "registry-1.docker.io"
    assert api_host(ECR) == ECR


def test_a_changed_map_is_read_again(tmp_path: Path) -> None:
    found = host_map(tmp_path)
    assert found.endpoint(ECR).port == 4566
    host_map(tmp_path, hosts=[{"pattern": "*", "address": "http://127.0.0.1:4570"}])
    os.utime(tmp_path / "registries.json", (1, 1))
    assert found.endpoint(ECR).port == 4570


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"hosts": [{}]}', '{"hosts": [{"pattern":"*","address":"x"}]}']
)
def test_a_map_that_cannot_be_read_is_said(tmp_path: Path, text: str) -> None:
    found = host_map(tmp_path)
    (tmp_path / "registries.json").write_text(text)
    with pytest.raises(EngineError, match=r"registries\.json cannot be read"):
        found.endpoint(ECR)
