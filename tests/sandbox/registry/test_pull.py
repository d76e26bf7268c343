"""Pulls of whole blobs, of ranges, and with conditions."""

from __future__ import annotations

import json

import pytest

from labs_helpers.oci import digest
from labs_helpers.sandbox.ecr import images, repositories
from tests.sandbox.registry.registry_server import HOME, RegistryUnderTest

DATA = bytes(range(256)) * 20
DIGEST = digest.of_bytes(DATA)
BLOB = f"/v2/demo/blobs/{DIGEST}"
ABSENT = "sha256:" + "0" * 64


@pytest.fixture(autouse=True)
def demo(registry: RegistryUnderTest) -> None:
    registry.create("demo")
    registry.push_blob(DATA)


def test_a_blob_is_served_with_its_digest(registry: RegistryUnderTest) -> None:
    reply = registry.send("GET", BLOB)
    assert (reply.status, reply.body) == (200, DATA)
    assert reply.headers["docker-content-digest"] == DIGEST
    assert reply.headers["docker-distribution-api-version"] == "registry/2.0"
    assert reply.headers["accept-ranges"] == "bytes"


def test_head_gives_the_size_without_the_bytes(registry: RegistryUnderTest) -> None:
    reply = registry.send("HEAD", BLOB)
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-length"] == str(len(DATA))


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=5000-", 5000, 5119),
        ("bytes=-20", 5100, 5119),
        ("bytes=-99999", 0, 5119),
        ("bytes=5119-99999999999999999999999", 5119, 5119),
    ],
)
def test_a_range_is_served(registry: RegistryUnderTest, asked: str, first: int, last: int) -> None:
    reply = registry.send("GET", BLOB, headers={"Range": asked})
    assert reply.status == 206
    assert reply.body == DATA[first : last + 1]
    assert reply.headers["content-range"] == f"bytes {first}-{last}/5120"


@pytest.mark.parametrize("asked", ["bytes=5120-", "bytes=9999-10000", "bytes=-0", "bytes=500-0"])
def test_a_range_beyond_the_end_is_refused(registry: RegistryUnderTest, asked: str) -> None:
    reply = registry.send("GET", BLOB, headers={"Range": asked})
    assert (reply.status, reply.headers["content-range"]) == (416, "bytes */5120")


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "lines=1-2", "bytes=0-1,5-6"])
def test_what_is_not_one_range_gets_the_whole(registry: RegistryUnderTest, asked: str) -> None:
    assert registry.send("GET", BLOB, headers={"Range": asked}).body == DATA


def test_a_range_of_other_content_gets_the_whole(registry: RegistryUnderTest) -> None:
    headers = {"Range": "bytes=0-1", "If-Range": '"another"'}
    assert registry.send("GET", BLOB, headers=headers).status == 200
    headers["If-Range"] = f'"{DIGEST}"'
    assert registry.send("GET", BLOB, headers=headers).status == 206


def test_content_the_client_has_is_not_sent_again(registry: RegistryUnderTest) -> None:
    registry.push_image("v1")
    for path in (BLOB, "/v2/demo/manifests/v1"):
        tag = registry.send("GET", path).headers["etag"]
        for method in ("GET", "HEAD"):
            reply = registry.send(method, path, headers={"If-None-Match": f'"other", {tag}'})
            assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", tag)
        assert registry.send("GET", path, headers={"If-None-Match": '"other"'}).status == 200


def test_a_manifest_is_served_by_tag_and_digest_as_it_was_pushed(
    registry: RegistryUnderTest,
) -> None:
    body = registry.image()
    registry.put_manifest("v1", body)
    for reference in ("v1", digest.of_bytes(body)):
        reply = registry.send("GET", f"/v2/demo/manifests/{reference}")
        assert (reply.status, reply.body) == (200, body)
        assert reply.headers["content-type"] == json.loads(body)["mediaType"]
        assert reply.headers["docker-content-digest"] == digest.of_bytes(body)
        head = registry.send("HEAD", f"/v2/demo/manifests/{reference}")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("reference", ["v2", ABSENT, "sha256:x"])
def test_an_image_that_is_not_there(registry: RegistryUnderTest, reference: str) -> None:
    reply = registry.send("GET", f"/v2/demo/manifests/{reference}")
    assert (reply.status, reply.error) == (
        404,
        ("MANIFEST_UNKNOWN", "Requested image not found"),
    )
    head = registry.send("HEAD", f"/v2/demo/manifests/{reference}")
    assert (head.status, head.body) == (404, b"")


def test_a_pull_is_recorded_and_a_look_is_not(registry: RegistryUnderTest) -> None:
    registry.push_image("v1")
    repository = repositories.get(registry.store, HOME, "demo")
    registry.send("HEAD", "/v2/demo/manifests/v1")
    assert images.get(registry.store, repository, tag="v1").last_pulled_at is None
    registry.send("GET", "/v2/demo/manifests/v1")
    pulled = images.get(registry.store, repository, tag="v1").last_pulled_at
    assert pulled == registry.clock.now()


def test_a_blob_can_be_deleted_once_no_image_needs_it(registry: RegistryUnderTest) -> None:
    registry.push_image("v1", content=DATA)
    reply = registry.send("DELETE", BLOB)
    assert (reply.status, reply.error[0]) == (405, "UNSUPPORTED")
    registry.send("DELETE", "/v2/demo/manifests/v1")
    assert registry.send("DELETE", BLOB).status == 202
    assert registry.send("GET", BLOB).status == 404
    assert registry.send("DELETE", BLOB).status == 404
