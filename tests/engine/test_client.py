"""The registry client against a registry that does what it is told."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cheroot.errors import FatalSSLAlert
from cheroot.wsgi import Server

from labs_helpers.engine.credentials import Credentials
from labs_helpers.engine.hosts import HostMap, Offline
from labs_helpers.engine.platform import Platform
from labs_helpers.engine.pull import pull
from labs_helpers.engine.registry_client import Repository, check_login
from labs_helpers.engine.registry_errors import RegistryError, RequestFailed
from labs_helpers.engine.store import ImageStore
from labs_helpers.engine.streams import result_of
from labs_helpers.engine.upload import Blob
from labs_helpers.oci import media_types
from labs_helpers.oci.reference import parse

HOST = "registry.example"
Handler = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Scripted:
    """A registry whose answers are a table: (method, path) -> status, headers, body."""

    def __init__(self, folder: Path) -> None:
        self.answers: dict[tuple[str, str], tuple[int, dict[str, str], bytes]] = {}
        self.seen: list[tuple[str, str, str]] = []
        self.lose = 0
        self.realm = ""
        self._server = Server(("127.0.0.1", 0), self._answer, numthreads=2)
        self._server.expiration_interval = 0.02
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()
        address = f"http://127.0.0.1:{self._server.bind_addr[1]}"
        path = folder / "registries.json"
        hosts = [{"pattern": name, "address": address} for name in (HOST, "auth.example", "cdn")]
        path.write_text(json.dumps({"hosts": hosts, "offline": True}))
        self.hosts = HostMap(path)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if self.lose:
            self.lose -= 1
            # the one error cheroot closes a connection for without an answer
            raise FatalSSLAlert
        self.seen.append(
            (method, f"{environ['HTTP_HOST']}{path}", environ.get("HTTP_AUTHORIZATION", ""))
        )
        status, headers, body = self.answers.get((method, path), (404, {}, b""))
        if path == "/v2/" and self.realm and "HTTP_AUTHORIZATION" not in environ:
            status, headers, body = 401, {"WWW-Authenticate": self.realm}, b""
        kept = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        start_response(f"{status} x", list(kept.items()))
        return [] if method == "HEAD" else [body]

    def stop(self) -> None:
        self._server.stop()
        self._thread.join()

    def put(self, path: str, body: bytes, **headers: str) -> str:
        """Serve bytes at a path; returns their digest."""
        for method in ("GET", "HEAD"):
            self.answers[method, path] = (200, headers, body)
        return "sha256:" + hashlib.sha256(body).hexdigest()


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Scripted]:
    found = Scripted(tmp_path)
    found.put("/v2/", b"{}")
    yield found
    found.stop()


def repository(scripted: Scripted, credentials: Credentials | None = None) -> Repository:
    return Repository(HOST, "demo", scripted.hosts, credentials or Credentials())


def test_a_token_is_fetched_where_the_challenge_says_and_sent(scripted: Scripted) -> None:
    scripted.realm = 'Bearer realm="https://auth.example/token",service="s"'
    scripted.put("/token", b'{"token": "abc"}')
    scripted.put("/v2/demo/tags/list", b'{"tags": ["a"]}')
    assert repository(scripted, Credentials("u", "p")).tags() == ["a"]
    basic = "Basic " + base64.b64encode(b"u:p").decode()
    assert scripted.seen == [
        ("GET", f"{HOST}/v2/", ""),
        ("GET", "auth.example/token", basic),
        ("GET", f"{HOST}/v2/demo/tags/list", "Bearer abc"),
    ]


def test_a_token_server_that_refuses_is_named(scripted: Scripted) -> None:
    scripted.realm = 'Bearer realm="https://auth.example/token"'
    refused = json.dumps(
        {"errors": [{"code": "UNAUTHORIZED", "message": "incorrect username or password"}]}
    )
    scripted.answers["GET", "/token"] = (401, {}, refused.encode())
    with pytest.raises(RequestFailed, match="incorrect username or password"):
        check_login(HOST, scripted.hosts, Credentials("u", "p"))


def test_a_token_server_elsewhere_is_not_asked(scripted: Scripted) -> None:
    scripted.realm = 'Bearer realm="https://elsewhere.example/token"'
    with pytest.raises(Offline):
        repository(scripted).tags()


def test_a_redirect_is_followed_without_the_credentials(scripted: Scripted) -> None:
    scripted.realm = "Basic realm=x"
    scripted.answers["GET", "/v2/demo/blobs/sha256:x"] = (307, {"Location": "https://cdn/b"}, b"")
    scripted.put("/b", b"blob")
    with repository(scripted, Credentials("u", "p")).blob("sha256:x") as stream:
        assert stream.read() == b"blob"
    assert scripted.seen[-1] == ("GET", "cdn/b", "")


def test_a_lost_connection_is_tried_again(scripted: Scripted) -> None:
    scripted.put("/v2/demo/tags/list", b'{"tags": null}')
    found = repository(scripted)
    assert found.tags() == []
    scripted.lose = 1
    assert found.tags() == []


def test_the_pages_of_a_list_are_followed(scripted: Scripted) -> None:
    link = '</v2/demo/tags/more?n=1>; rel="next"'
    scripted.put("/v2/demo/tags/list", b'{"tags": ["a"]}', Link=link)
    scripted.put("/v2/demo/tags/more", b'{"tags": ["b"]}')
    assert repository(scripted).tags() == ["a", "b"]


def test_an_upload_is_a_post_a_patch_and_a_put(scripted: Scripted) -> None:
    uploads = "/v2/demo/blobs/uploads/"
    scripted.answers["POST", uploads] = (202, {"Location": f"{uploads}1?state=x"}, b"")
    scripted.answers["PATCH", f"{uploads}1"] = (202, {"Location": f"{uploads}2"}, b"")
    scripted.answers["PUT", f"{uploads}2"] = (201, {}, b"")
    sent = list(
        repository(scripted).upload(lambda: Blob("sha256:x", 5, lambda: io.BytesIO(b"bytes")))
    )
    assert sent == [5]
    assert [method for method, _, _ in scripted.seen] == ["GET", "POST", "PATCH", "PUT"]


def test_a_mounted_blob_is_not_sent(scripted: Scripted) -> None:
    scripted.answers["POST", "/v2/demo/blobs/uploads/"] = (201, {}, b"")
    mounting = repository(scripted).upload(
        lambda: Blob("sha256:x", 5, io.BytesIO), ("sha256:x", "other")
    )
    assert result_of(mounting)


def image(scripted: Scripted, platform: dict[str, str], layer: bytes = b"tar") -> dict[str, Any]:
    """Serve an image; its descriptor for an index."""
    diff = "sha256:" + hashlib.sha256(layer).hexdigest()
    config = json.dumps({**platform, "rootfs": {"diff_ids": [diff]}}).encode()
    described = []
    for kind, data in ((media_types.OCI_CONFIG, config), (media_types.OCI_LAYER, layer)):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        scripted.put(f"/v2/demo/blobs/{digest}", data)
        described.append({"mediaType": kind, "digest": digest, "size": len(data)})
    body = json.dumps({"schemaVersion": 2, "config": described[0], "layers": described[1:]})
    digest = "sha256:" + hashlib.sha256(body.encode()).hexdigest()
    scripted.put(
        f"/v2/demo/manifests/{digest}", body.encode(), **{"Content-Type": media_types.OCI_MANIFEST}
    )
    return {
        "mediaType": media_types.OCI_MANIFEST,
        "digest": digest,
        "size": len(body),
        "platform": platform,
    }


def index(scripted: Scripted, *entries: dict[str, Any]) -> str:
    body = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    return scripted.put("/v2/demo/manifests/v1", body, **{"Content-Type": media_types.OCI_INDEX})


ARM = {"os": "linux", "architecture": "arm64"}
AMD = {"os": "linux", "architecture": "amd64"}


@pytest.mark.parametrize("wanted", [ARM, AMD])
def test_the_platform_is_chosen_from_an_index(
    scripted: Scripted, tmp_path: Path, wanted: dict[str, str]
) -> None:
    digest = index(scripted, image(scripted, ARM), image(scripted, AMD, b"another"))
    store = ImageStore(tmp_path / "engine")
    platform = Platform.parse("linux/" + wanted["architecture"])
    said = list(pull(parse(f"{HOST}/demo:v1"), store, scripted.hosts, Credentials(), platform))
    found = store.find(f"{HOST}/demo:v1")
    assert found.config["architecture"] == wanted["architecture"]
    assert found.digests == (f"{HOST}/demo@{digest}",)
    assert {"status": f"Digest: {digest}"} in said


def test_a_platform_that_is_not_there(scripted: Scripted, tmp_path: Path) -> None:
    index(scripted, image(scripted, ARM))
    store = ImageStore(tmp_path / "engine")
    said = pull(
        parse(f"{HOST}/demo:v1"), store, scripted.hosts, Credentials(), Platform.parse("s390x")
    )
    with pytest.raises(Exception, match="no matching manifest for linux/s390x in the manifest"):
        list(said)


def test_content_that_is_not_its_digest_is_not_kept(scripted: Scripted, tmp_path: Path) -> None:
    entry = image(scripted, AMD)
    scripted.put(f"/v2/demo/manifests/{entry['digest']}", b'{"schemaVersion": 2}')
    store = ImageStore(tmp_path / "engine")
    name = parse(f"{HOST}/demo@{entry['digest']}")
    with pytest.raises(RegistryError, match="manifest verification failed for digest"):
        list(pull(name, store, scripted.hosts, Credentials()))

    image(scripted, AMD)
    for path in [path for _, path in scripted.answers if "/blobs/" in path]:
        scripted.put(path, b"other")
    with pytest.raises(Exception, match="verification failed for digest"):
        list(pull(name, store, scripted.hosts, Credentials()))
    assert store.list() == []
    assert list(store.blobs.digests()) == []
