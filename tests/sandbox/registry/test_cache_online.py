"""The pull through cache of a sandbox that was started with LABS_HUB=online.

There is no internet here: a registry of the tests answers under the registries' names on loopback,
by TLS, and sends blobs by a redirect to a content network, as Docker Hub does.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cheroot.wsgi import Server as PlainServer

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import documents, images, repositories
from labs_helpers.sandbox.ecr.cache_rules import KIND
from labs_helpers.sandbox.ecr.elsewhere import Elsewhere
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.hub.app import HubApp
from labs_helpers.sandbox.registry import internet
from labs_helpers.sandbox.registry.cache import Cache
from labs_helpers.sandbox.registry.context import Made
from labs_helpers.sandbox.registry.upstream import Answer, Upstream, UpstreamError
from tests import tls_server
from tests.aws_mode import names
from tests.sandbox.registry.registry_server import (
    HOME,
    START,
    RegistryUnderTest,
    Reply,
    Server,
    describe,
)
from tests.sandbox.sandbox_process import start

CONTENT = "content.example"
NAMES = (
    *("registry-1.docker.io", "auth.docker.io", "public.ecr.aws", CONTENT),
    *("quay.io", "labs.azurecr.io", "thief.example"),
)
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:ecr-pullthroughcache/hub-AbCdEf"
BASIC = f"Basic {base64.b64encode(b'labs:labs').decode()}"
ACCEPT = {"Accept": ", ".join({*media_types.INDEXES, *media_types.MANIFESTS})}
CONFIG, LAYER = b'{"architecture": "amd64", "os": "linux"}', b"the one layer" * 300_000
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": describe(media_types.OCI_CONFIG, CONFIG),
        "layers": [describe(media_types.OCI_LAYER, LAYER)],
    }
).encode()
BLOBS = {digests.of_bytes(each): each for each in (CONFIG, LAYER)}


class Registries:
    """Docker Hub and ECR Public by the stand-in, quay.io without tokens, Azure by a password."""

    def __init__(self, folder: Path) -> None:
        self._hub = HubApp(folder, Clock(frozen_at=START))
        self.seen: list[tuple[str, str, str]] = []
        """(host, path, scheme of the Authorization) of every request."""
        self.cut = 0
        """So many bytes of each layer are left out."""
        self.blobs = dict(BLOBS)
        self.manifest = MANIFEST
        self.to = f"https://{CONTENT}"
        self.asks_for_login = False
        """Whether the content network names a token service."""
        self.more = 0
        """So many times too much is sent of each layer."""
        self.sent = 0
        self.expired = False
        """Whether each token is good for the manifest only."""

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        host, path = environ["HTTP_HOST"], environ["PATH_INFO"]
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        self.seen.append((host, path, authorization.partition(" ")[0]))
        if host == CONTENT and self.asks_for_login:
            realm = 'Bearer realm="https://thief.example/token"'
            start("401 Unauthorized", [("WWW-Authenticate", realm), ("Content-Length", "0")])
            return []
        if host == "thief.example":
            start("200 OK", [("Content-Length", "15")])
            return [b'{"token": "it"}']
        if host == CONTENT:
            return self._content(environ, start)
        if host == "labs.azurecr.io" and authorization != BASIC:
            start("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="Azure"')])
            return [b"{}"]
        if host in ("quay.io", "labs.azurecr.io"):
            return self._plain(host, path, start)
        if "/blobs/" in path and self.expired:
            self.expired = False
            environ["HTTP_AUTHORIZATION"] = "Bearer old"
        if "/blobs/" in path and self._hub_takes(environ):
            start("307 Temporary Redirect", [("Location", f"{self.to}{path}?signed=yes")])
            return []
        return self._hub(environ, start)

    def _hub_takes(self, environ: dict[str, Any]) -> bool:
        status = ""

        def began(given: str, *_: Any) -> None:
            nonlocal status
            status = given

        list(self._hub(environ | {"REQUEST_METHOD": "HEAD"}, began))
        return status.startswith("200")

    def _content(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """The content network knows no token, and would refuse one."""
        if "HTTP_AUTHORIZATION" in environ or environ["QUERY_STRING"] != "signed=yes":
            start("400 Bad Request", [("Content-Length", "0")])
            return []
        digest = environ["PATH_INFO"].rsplit("/", 1)[1]
        body = self._hub._catalogue.read(digest)
        start("200 OK", [("Content-Length", str(len(body)))])
        return [body[: len(body) - self.cut]]

    def _plain(self, host: str, path: str, start: Any) -> Iterable[bytes]:
        body, kind = b"{}", "application/json"
        if "/manifests/" in path:
            body, kind = self.manifest, f"{media_types.OCI_MANIFEST}; charset=utf-8"
        elif "/blobs/" in path:
            body = self.blobs[path.rsplit("/", 1)[1]]
        if "/blobs/" in path and self.more:
            start("200 OK", [("Content-Type", kind)])
            return self._without_end(body)
        start("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body[: len(body) - self.cut] if "/blobs/" in path else body]

    def _without_end(self, body: bytes) -> Iterator[bytes]:
        yield body
        for _ in range(self.more):
            yield bytes(1 << 20)
            self.sent += 1


@pytest.fixture
def upstream(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Registries]:
    folder = tmp_path_factory.mktemp("upstream")
    registries = Registries(folder / "hub")
    with tls_server.answering(folder, registries, NAMES, monkeypatch) as trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        yield registries


@pytest.fixture
def registry(
    tmp_path: Path, registry_server: Server, upstream: Registries
) -> Iterator[RegistryUnderTest]:
    def made(store: Store) -> Made:
        secret = json.dumps({"username": "labs", "accessToken": "labs"})
        elsewhere = Elsewhere(secret=lambda account, region, arn: secret)
        return Made(elsewhere, Cache(store, elsewhere, internet.ask, online=True))

    under_test = RegistryUnderTest(tmp_path / "ecr", registry_server, made=made)
    rule(under_test, "hub", "registry-1.docker.io", credentialArn=SECRET)
    rule(under_test, "public", "public.ecr.aws")
    rule(under_test, "quay", "quay.io")
    rule(under_test, "azure", "labs.azurecr.io", credentialArn=SECRET)
    yield under_test
    under_test.store.close()


def rule(registry: RegistryUnderTest, prefix: str, host: str, **more: str) -> None:
    body = {"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": host, **more}
    documents.put(registry.store, HOME, KIND, body, prefix)


def pull(registry: RegistryUnderTest, name: str, reference: str = "latest") -> Reply:
    return registry.send("GET", f"/v2/{name}/manifests/{reference}", headers=ACCEPT)


def failure(registry: RegistryUnderTest, prefix: str) -> str:
    cache = registry.made(registry.store).cache
    assert cache is not None
    found = documents.list_all(registry.store, HOME, KIND)[prefix]
    return cache.failure(found, HOME.account, HOME.region)


@pytest.mark.parametrize("name", ["hub/library/alpine", "public/docker/library/alpine"])
def test_an_image_comes_by_token_and_redirect(
    registry: RegistryUnderTest, upstream: Registries, name: str
) -> None:
    reply = pull(registry, name)
    assert reply.status == 200, reply.body
    children = [each["digest"] for each in reply.json()["manifests"]]
    layer = pull(registry, name, children[0]).json()["layers"][0]["digest"]
    blob = registry.send("GET", f"/v2/{name}/blobs/{layer}")
    assert digests.of_bytes(blob.body) == layer
    schemes = {(host, scheme) for host, path, scheme in upstream.seen if path != "/v2/"}
    host = "registry-1.docker.io" if name.startswith("hub/") else "public.ecr.aws"
    service = ("auth.docker.io", "Basic") if name.startswith("hub/") else (host, "")
    assert schemes == {(host, "Bearer"), service, (CONTENT, "")}


@pytest.mark.parametrize("name", ["quay/app", "azure/app"])
def test_registries_without_tokens_are_followed_too(registry: RegistryUnderTest, name: str) -> None:
    reply = pull(registry, name)
    assert (reply.status, reply.body) == (200, MANIFEST)
    assert reply.headers["content-type"] == media_types.OCI_MANIFEST
    layer = registry.send("GET", f"/v2/{name}/blobs/{digests.of_bytes(LAYER)}")
    assert hashlib.sha256(layer.body).digest() == hashlib.sha256(LAYER).digest()


def test_a_token_that_ends_while_layers_come_is_asked_for_again(
    registry: RegistryUnderTest, upstream: Registries
) -> None:
    upstream.expired = True
    assert pull(registry, "public/docker/library/alpine").status == 200
    assert not upstream.expired


def nothing_is_left(registry: RegistryUnderTest, name: str) -> None:
    assert pull(registry, name).status == 404
    repository = repositories.get(registry.store, HOME, name)
    assert images.list_all(registry.store, repository) == []
    assert list(registry.store.uploads.iterdir()) == []


@pytest.mark.parametrize("name", ["quay/app", "hub/library/alpine"])
def test_a_layer_that_breaks_off_is_no_image(
    registry: RegistryUnderTest, upstream: Registries, name: str
) -> None:
    upstream.cut = 7
    nothing_is_left(registry, name)
    upstream.cut = 0
    assert pull(registry, name).status == 200


def test_a_layer_with_other_bytes_is_no_image(
    registry: RegistryUnderTest, upstream: Registries
) -> None:
    upstream.blobs[digests.of_bytes(LAYER)] = LAYER[::-1]
    nothing_is_left(registry, "quay/app")


@pytest.mark.parametrize(
    "body", [b"no manifest", b'{"schemaVersion": 1}', b"{" * 100_000, b"x" * 5_000_000]
)
def test_what_is_no_manifest_is_not_found(
    registry: RegistryUnderTest, upstream: Registries, body: bytes
) -> None:
    upstream.manifest = body
    assert pull(registry, "quay/app").error[0] == "NAME_UNKNOWN"
    assert repositories.list_all(registry.store, HOME) == []


def test_another_manifest_than_the_digests_is_not_found(registry: RegistryUnderTest) -> None:
    assert pull(registry, "quay/app", f"sha256:{'0' * 64}").status == 404
    assert repositories.list_all(registry.store, HOME) == []


NO_ADDRESSES = ["https://h:abc", "https://h:99999", "https://[::1", f"https://{'a' * 70}.example"]


@pytest.mark.parametrize(
    "to", [f"http://{CONTENT}", "https://", "file:///etc/passwd", *NO_ADDRESSES]
)
def test_a_redirect_leads_to_https_only(
    registry: RegistryUnderTest, upstream: Registries, to: str
) -> None:
    upstream.to = to
    nothing_is_left(registry, "public/docker/library/alpine")


@pytest.mark.parametrize("realm", NO_ADDRESSES)
def test_a_token_service_without_an_address_is_said(realm: str) -> None:
    def ask(host: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        if host == "registry.example":
            return 401, {"www-authenticate": f'Bearer realm="{realm}"'}, io.BytesIO()
        return internet.ask(host, path, query, headers)

    with pytest.raises(UpstreamError) as refused:
        Upstream(ask, "registry.example").log_in()
    assert refused.value.status == 502


@pytest.mark.usefixtures("upstream")
@pytest.mark.parametrize("token", ["a\r\nX-Other: 1", "\u2603"])
def test_a_token_that_no_header_can_have_is_said(token: str) -> None:
    def ask(host: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        if "Authorization" in headers:
            return internet.ask("public.ecr.aws", path, query, headers)
        if path == "/token":
            return 200, {}, io.BytesIO(json.dumps({"token": token}).encode())
        return 401, {"www-authenticate": 'Bearer realm="https://auth.example/token"'}, io.BytesIO()

    with pytest.raises(UpstreamError) as refused:
        Upstream(ask, "registry.example").log_in()
    assert refused.value.status == 502


def test_the_password_goes_where_the_registry_says_only(
    registry: RegistryUnderTest, upstream: Registries
) -> None:
    upstream.asks_for_login = True
    nothing_is_left(registry, "hub/library/alpine")
    assert "thief.example" not in {host for host, _, _ in upstream.seen}


def test_no_more_of_a_layer_is_read_than_the_manifest_says(
    registry: RegistryUnderTest, upstream: Registries
) -> None:
    upstream.more = 64
    assert pull(registry, "quay/app").status == 200
    assert upstream.sent < upstream.more


def test_a_circle_of_redirects_ends(registry: RegistryUnderTest, upstream: Registries) -> None:
    upstream.to = "https://public.ecr.aws"
    nothing_is_left(registry, "public/docker/library/alpine")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    registry: RegistryUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "CERTIFICATE_VERIFY_FAILED" in failure(registry, "quay")
    assert pull(registry, "quay/app").status == 404


def test_what_is_out_of_reach_says_so(registry: RegistryUnderTest) -> None:
    rule(registry, "k8s", "registry.k8s.io")
    rule(registry, "ecr", "210987654321.dkr.ecr.us-west-2.amazonaws.com", upstreamRegistry="ecr")
    assert failure(registry, "k8s").startswith("registry.k8s.io cannot be reached: ")
    assert failure(registry, "ecr").startswith("The sandbox has no credentials of AWS")
    assert (failure(registry, "hub"), failure(registry, "quay")) == ("", "")


def test_a_cached_image_is_served_when_the_internet_is_gone(
    registry: RegistryUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pull(registry, "quay/app").status == 200
    monkeypatch.delenv("SSL_CERT_FILE")
    assert pull(registry, "quay/app").status == 200


@pytest.mark.parametrize("chosen", ["online", "offline"])
def test_a_sandbox_leaves_the_machine_only_when_its_learner_chose_so(
    tmp_path: Path, chosen: str
) -> None:
    """The process as it runs, confined; a proxy of the tests is all the internet that there is."""
    hub = PlainServer(("127.0.0.1", 0), HubApp(tmp_path / "hub", Clock()), numthreads=4)
    hub.prepare()
    serving = threading.Thread(target=hub.serve, daemon=True)
    serving.start()
    try:
        with names.proxy(tmp_path / "proxy", hub.bind_addr[1]) as proxy:
            running = start(tmp_path / "home", LABS_HUB=chosen, **proxy.variables)
            try:
                ecr = running.client("ecr")
                ecr.create_pull_through_cache_rule(
                    ecrRepositoryPrefix="public", upstreamRegistryUrl="public.ecr.aws"
                )
                token = ecr.get_authorization_token()["authorizationData"][0]
                headers = {
                    "Authorization": f"Basic {token['authorizationToken']}",
                    "Host": HOME.host,
                    **ACCEPT,
                }
                path = "/v2/public/docker/library/alpine/manifests/latest"
                status, _, body = running.ask("GET", path, headers=headers)
                assert status == 200, body
                assert (proxy.asked == {"public.ecr.aws"}) == (chosen == "online")
                assert (proxy.asked == set()) == (chosen == "offline")
                told = ecr.describe_images(repositoryName="public/docker/library/alpine")
                assert len(told["imageDetails"]) == 1 + len(json.loads(body)["manifests"])
            finally:
                running.stop()
    finally:
        hub.stop()
        serving.join()
