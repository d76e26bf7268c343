"""LABS_HUB=online: the real Docker Hub and ECR Public, over TLS that is verified.

There is no internet here. A hub of the tests answers under Docker's own names, on loopback, with a
certificate of an authority that the system's store is told to trust.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.engine import process
from labs_helpers.engine.credentials import Credentials
from labs_helpers.engine.errors import EngineError
from labs_helpers.engine.hosts import HostMap
from labs_helpers.engine.pull import pull
from labs_helpers.engine.retry import RetryPolicy
from labs_helpers.engine.store import ImageStore
from labs_helpers.engine.transport import Transport
from labs_helpers.files import LabsError, read_json
from labs_helpers.oci.reference import parse
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.hub.app import HubApp
from labs_helpers.workspace import Workspace
from tests import tls_server

NAMES = ("registry-1.docker.io", "auth.docker.io", "public.ecr.aws")
NOBODY = Credentials()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The hub answers under NAMES; the certificate of its authority, which nobody trusts yet."""
    hub = HubApp(tmp_path / "hub", Clock())
    with tls_server.answering(tmp_path, hub, NAMES, monkeypatch) as trusted:
        yield trusted


@pytest.fixture
def online(tmp_path: Path) -> HostMap:
    """The map that the engine has with LABS_HUB=online."""
    workspace = Workspace(tmp_path / "labs").create()
    process.map_registries(workspace, 4566, {"LABS_HUB": "online"})
    return HostMap(workspace.registries, RetryPolicy(pauses=()))


@pytest.mark.parametrize("name", ["nginx:alpine", "public.ecr.aws/docker/library/nginx:alpine"])
def test_an_image_of_the_real_hubs_is_pulled_over_tls(
    name: str, authority: Path, online: HostMap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    store = ImageStore(tmp_path / "engine")
    said = list(pull(parse(name), store, online, NOBODY))
    assert said[-1]["status"].startswith("Status: Downloaded newer image for")
    assert store.find(name).config["architecture"] == "amd64"
    store.close()


def test_a_certificate_nobody_vouches_for_is_refused(
    authority: Path, online: HostMap, tmp_path: Path
) -> None:
    store = ImageStore(tmp_path / "engine")
    with pytest.raises(EngineError) as caught:
        list(pull(parse("nginx:alpine"), store, online, NOBODY))
    assert str(caught.value).startswith(
        'Get "https://registry-1.docker.io/v2/": tls: failed to verify certificate: x509: '
    )
    store.close()


def test_a_certificate_for_another_name_is_refused(
    authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setattr(tls_server, "also", ("evil.example",))
    with pytest.raises(EngineError, match="tls: failed to verify certificate: x509: Hostname"):
        Transport("evil.example", HostMap(None, RetryPolicy(pauses=())), NOBODY).request("GET", "/")


def test_a_name_that_is_none_is_said_in_dockers_words(
    authority: Path, online: HostMap, tmp_path: Path
) -> None:
    store = ImageStore(tmp_path / "engine")
    with pytest.raises(EngineError, match=r"dial tcp: lookup nowhere\.example: no such host"):
        list(pull(parse("nowhere.example/x"), store, online, NOBODY))
    store.close()


def test_the_private_registry_stays_the_sandboxs(online: HostMap) -> None:
    ecr = online.endpoint("123456789012.dkr.ecr.us-west-2.amazonaws.com")
    assert (ecr.mapped, ecr.address, ecr.tls) == (True, "127.0.0.1", False)
    hub = online.endpoint("registry-1.docker.io")
    assert (hub.mapped, hub.address, hub.port, hub.tls) == (
        False,
        "registry-1.docker.io",
        443,
        True,
    )


def test_a_proxy_is_used_for_the_internet_only(
    online: HostMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "public.ecr.aws")

    def goes_to(host: str) -> tuple[str, str | None]:
        transport = Transport(host, online, NOBODY)
        connection, _, _ = transport._connection(transport.url("/v2/"))
        return connection.host, connection._tunnel_host  # type: ignore[attr-defined]

    assert goes_to("registry-1.docker.io") == ("proxy.example", "registry-1.docker.io")
    assert goes_to("public.ecr.aws") == ("public.ecr.aws", None)
    assert goes_to("123456789012.dkr.ecr.us-west-2.amazonaws.com") == ("127.0.0.1", None)


def test_offline_is_what_it_is_without_a_word(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "labs").create()
    process.map_registries(workspace, 4566, {})
    document = read_json(workspace.registries)
    assert document["offline"] is True
    assert "docker.io" in json.dumps(document)
    with pytest.raises(LabsError, match="LABS_HUB is 'on'"):
        process.map_registries(workspace, 4566, {"LABS_HUB": "on"})


def test_the_systems_certificates_are_those_that_count() -> None:
    assert HostMap().tls is None
    context = ssl.create_default_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
