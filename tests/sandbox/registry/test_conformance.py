"""The checks of the OCI conformance suite, in its order: push and pull every kind of content.

Source: https://github.com/opencontainers/distribution-spec/tree/main/conformance (run.go, api.go);
the suite is a Go program, so its checks are told again here, and its conversations of version 1.1
in conversations.py.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from labs_helpers.oci import digest, media_types
from tests.sandbox.registry.registry_server import RegistryUnderTest

REPOSITORY = "conformance/repo1"
EXAMPLE = "application/vnd.example.oci.conformance.v1"
ALGORITHMS = ["sha256", "sha512"]


@pytest.fixture
def registry(strict_registry: RegistryUnderTest) -> RegistryUnderTest:
    return strict_registry


@pytest.fixture(autouse=True)
def repository(registry: RegistryUnderTest) -> None:
    registry.create(REPOSITORY)


@dataclass
class Content:
    """Blobs and manifests to push, in the order in which a registry takes them."""

    algorithm: str = "sha256"
    blobs: list[bytes] = field(default_factory=list)
    manifests: list[bytes] = field(default_factory=list)
    tags: dict[str, bytes] = field(default_factory=dict)

    def name(self, data: bytes) -> str:
        return digest.of_bytes(data, self.algorithm)

    def descriptor(self, content: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        return {
            "mediaType": media_type,
            "digest": self.name(content),
            "size": len(content),
            **more,
        }

    def image(
        self,
        seed: str,
        *,
        config: bytes = b"",
        config_type: str = media_types.OCI_CONFIG,
        layers: int = 2,
        layer_type: str = media_types.OCI_LAYER_GZIP,
        **more: Any,
    ) -> bytes:
        config = config or json.dumps({"seed": seed}).encode()
        parts = [f"{seed} layer {number}".encode() for number in range(layers)]
        if layer_type not in media_types.FOREIGN_LAYERS:
            self.blobs += parts
        self.blobs.append(config)
        document = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": self.descriptor(config, config_type),
            "layers": [self.descriptor(part, layer_type) for part in parts],
            **more,
        }
        return self.add(document)

    def index(self, children: list[bytes], child_type: str, **more: Any) -> bytes:
        platforms = [{"os": "linux", "architecture": name} for name in ("amd64", "arm64")]
        document = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_INDEX,
            "manifests": [
                self.descriptor(child, child_type, platform=platforms[number % 2])
                for number, child in enumerate(children)
            ],
            **more,
        }
        return self.add(document)

    def add(self, document: dict[str, Any]) -> bytes:
        body = json.dumps(document).encode()
        self.manifests.append(body)
        return body


def image() -> Content:
    content = Content()
    content.tags["image"] = content.image("image")
    return content


def uncompressed() -> Content:
    content = Content()
    content.tags["image"] = content.image("plain", layer_type=media_types.OCI_LAYER)
    return content


def large_manifest() -> Content:
    content = Content()
    annotations = {f"large-annotation-{number}": "A" * 10_000 for number in range(390)}
    content.tags["large"] = content.image("large", annotations=annotations)
    return content


def index() -> Content:
    content = Content()
    children = [content.image("amd"), content.image("arm")]
    content.tags["index"] = content.index(children, media_types.OCI_MANIFEST)
    return content


def nested_index() -> Content:
    content = Content()
    inner = [
        content.index(
            [content.image(f"{name}1"), content.image(f"{name}2")], media_types.OCI_MANIFEST
        )
        for name in ("a", "b")
    ]
    content.tags["nested"] = content.index(inner, media_types.OCI_INDEX)
    return content


def empty_index() -> Content:
    content = Content()
    content.tags["index"] = content.index([], media_types.OCI_MANIFEST)
    return content


def artifact() -> Content:
    content = Content()
    content.tags["artifact"] = content.image(
        "artifact",
        artifactType=EXAMPLE,
        config=b"{}",
        config_type=media_types.OCI_EMPTY,
        layers=1,
        layer_type=EXAMPLE,
    )
    return content


def artifact_index() -> Content:
    content = Content()
    children = [content.image("one"), content.image("two")]
    content.tags["index"] = content.index(children, media_types.OCI_MANIFEST, artifactType=EXAMPLE)
    return content


def no_layers() -> Content:
    content = Content()
    content.tags["bare"] = content.image("bare", layers=0)
    return content


def foreign_layers() -> Content:
    content = Content()
    content.tags["foreign"] = content.image(
        "foreign", layer_type=media_types.OCI_LAYER_FOREIGN_GZIP
    )
    return content


def custom_fields() -> Content:
    content = Content()
    content.tags["custom"] = content.image("custom", **{"org.example.custom": {"a": [1, None]}})
    return content


def data_field() -> Content:
    content = Content()
    child = content.image("child")
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_INDEX,
        "manifests": [
            content.descriptor(
                child, media_types.OCI_MANIFEST, data=base64.b64encode(child).decode()
            )
        ],
    }
    content.tags["data"] = content.add(document)
    return content


def sha512() -> Content:
    content = Content("sha512")
    children = [content.image("one"), content.image("two")]
    content.index(children, media_types.OCI_MANIFEST)
    return content


KINDS = [
    image,
    uncompressed,
    large_manifest,
    index,
    nested_index,
    empty_index,
    artifact,
    artifact_index,
    no_layers,
    foreign_layers,
    custom_fields,
    data_field,
    sha512,
]


def media_type(body: bytes) -> str:
    found: str = json.loads(body)["mediaType"]
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_content_there_and_back_and_gone(registry: RegistryUnderTest, kind: Any) -> None:
    content: Content = kind()
    base = f"/v2/{REPOSITORY}"
    for blob in content.blobs:
        query = f"digest={content.name(blob)}"
        assert registry.send("POST", f"{base}/blobs/uploads/?{query}", blob).status == 201
    for body in content.manifests:
        reply = registry.put_manifest(content.name(body), body, media_type(body), REPOSITORY)
        assert (reply.status, reply.headers["docker-content-digest"]) == (201, content.name(body))
        assert registry.send("GET", reply.headers["location"]).body == body
    for tag, body in content.tags.items():
        assert registry.put_manifest(tag, body, media_type(body), REPOSITORY).status == 201

    listed = registry.send("GET", f"{base}/tags/list").json()["tags"]
    assert listed == sorted(content.tags)
    named = {content.name(body): body for body in content.manifests} | content.tags
    for reference, body in named.items():
        path = f"{base}/manifests/{reference}"
        reply = registry.send("GET", path)
        assert (reply.body, reply.headers["content-type"]) == (body, media_type(body))
        head = registry.send("HEAD", path)
        assert (head.body, head.headers["content-length"]) == (b"", str(len(body)))
    for blob in content.blobs:
        path = f"{base}/blobs/{content.name(blob)}"
        assert registry.send("GET", path).body == blob
        assert registry.send("HEAD", path).headers["content-length"] == str(len(blob))

    gone = [f"{base}/manifests/{tag}" for tag in content.tags]
    gone += [f"{base}/manifests/{content.name(body)}" for body in reversed(content.manifests)]
    gone += [f"{base}/blobs/{content.name(blob)}" for blob in content.blobs]
    for path in gone:
        assert registry.send("DELETE", path).status in {202, 404}, path
        assert registry.send("GET", path).status == 404
    assert registry.files == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_blobs_by_every_way_in(registry: RegistryUnderTest, algorithm: str) -> None:
    data = b"0123456789" * 60
    name = digest.of_bytes(data, algorithm)
    uploads = f"/v2/{REPOSITORY}/blobs/uploads/"

    def start() -> str:
        return registry.send("POST", uploads).headers["location"]

    def chunked(last_in_put: bool) -> int:
        location = start()
        for first in (0, 200, 400):
            part, range_ = data[first : first + 200], {"Content-Range": f"{first}-{first + 199}"}
            wrong = {"Content-Range": f"{(first + 200) % 600}-{(first + 200) % 600 + 199}"}
            assert registry.send("PATCH", location, part, wrong).status == 416
            status = registry.send("GET", location)
            assert (status.status, status.headers["range"]) == (204, f"0-{max(first - 1, 0)}")
            if last_in_put and first == 400:
                return registry.send("PUT", f"{location}?digest={name}", part, range_).status
            assert registry.send("PATCH", location, part, range_).status == 202
        return registry.send("PUT", f"{location}?digest={name}").status

    def stream() -> int:
        location = start()
        assert registry.send("PATCH", location, iter([data])).status == 202
        return registry.send("PUT", f"{location}?digest={name}").status

    ways = {
        "post only": lambda: registry.send("POST", f"{uploads}?digest={name}", data).status,
        "post and put": lambda: registry.send("PUT", f"{start()}?digest={name}", data).status,
        "chunked": lambda: chunked(last_in_put=False),
        "chunked, last in put": lambda: chunked(last_in_put=True),
        "stream": stream,
    }
    path = f"/v2/{REPOSITORY}/blobs/{name}"
    for way, push in ways.items():
        assert registry.send("GET", path).status == 404
        assert push() == 201, way
        assert registry.send("GET", path).body == data
        assert registry.send("DELETE", path).status == 202


def test_mounts_with_a_source_without_one_and_of_nothing(registry: RegistryUnderTest) -> None:
    registry.create("conformance/repo2")
    uploads = f"/v2/{REPOSITORY}/blobs/uploads/"
    for number, source in enumerate(("&from=conformance/repo2", "")):
        name = registry.push_blob(b"blob %d" % number, "conformance/repo2")
        reply = registry.send("POST", f"{uploads}?mount={name}{source}")
        assert (reply.status, reply.headers["docker-content-digest"]) == (201, name)
        assert registry.send("GET", reply.headers["location"]).status == 200
    missing = digest.of_bytes(b"missing")
    reply = registry.send("POST", f"{uploads}?mount={missing}&from=conformance/repo2")
    assert (reply.status, "location" in reply.headers) == (202, True)


def test_errors_of_manifests(registry: RegistryUnderTest) -> None:
    base = f"/v2/{REPOSITORY}/manifests"
    assert registry.send("GET", f"{base}/{digest.of_bytes(b'no')}").status == 404
    assert registry.send("GET", f"{base}/missing-tag").status == 404
    body = registry.image(name=REPOSITORY)
    bad = "sha256:baddigeststring"
    assert registry.put_manifest(bad, body, name=REPOSITORY).status == 400
    assert registry.send("GET", f"{base}/{bad}").status in {400, 404}
    assert registry.put_manifest(digest.of_bytes(body), body + b"  ", name=REPOSITORY).status == 400
