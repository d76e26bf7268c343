"""Manifests: which are accepted, which are refused, and how a tag moves."""

from __future__ import annotations

import json
import socket

import pytest

from labs_helpers.oci import digest, media_types
from labs_helpers.sandbox.ecr import events, images, repositories, scan_states
from tests.sandbox.registry.registry_server import HOME, RegistryUnderTest, describe


@pytest.fixture(autouse=True)
def demo(registry: RegistryUnderTest) -> None:
    registry.create("demo")


def test_a_manifest_is_pushed_by_tag_and_by_digest(registry: RegistryUnderTest) -> None:
    body = registry.image()
    name = digest.of_bytes(body)
    for reference in ("v1", name):
        reply = registry.put_manifest(reference, body)
        assert reply.status == 201
        assert reply.headers["location"] == f"/v2/demo/manifests/{name}"
        assert reply.headers["docker-content-digest"] == name


def test_missing_blobs_are_named(registry: RegistryUnderTest) -> None:
    layer, config = b"not here", b"nor this"
    body = json.dumps(
        {
            "schemaVersion": 2,
            "config": describe(media_types.OCI_CONFIG, config),
            "layers": [describe(media_types.OCI_LAYER_GZIP, layer)],
        }
    ).encode()
    reply = registry.put_manifest("v1", body)
    assert (reply.status, reply.error) == (
        404,
        (
            "BLOB_UPLOAD_UNKNOWN",
            f"Layers with digests '[{digest.of_bytes(config)}, {digest.of_bytes(layer)}]' "
            "required for pushing image into repository with name 'demo' in the registry with id "
            "'123456789012' do not exist",
        ),
    )
    assert registry.send("GET", "/v2/demo/manifests/v1").status == 404


def test_an_index_needs_its_manifests(registry: RegistryUnderTest) -> None:
    child = registry.image()
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_INDEX,
            "manifests": [describe(media_types.OCI_MANIFEST, child)],
        }
    ).encode()
    reply = registry.put_manifest("all", index, media_types.OCI_INDEX)
    assert (reply.status, reply.error) == (
        404,
        (
            "MANIFEST_BLOB_UNKNOWN",
            f"Images with digests '[{digest.of_bytes(child)}]' required for pushing image into "
            "repository with name 'demo' in the registry with id '123456789012' do not exist",
        ),
    )
    registry.put_manifest(digest.of_bytes(child), child)
    assert registry.put_manifest("all", index, media_types.OCI_INDEX).status == 201
    assert registry.send("GET", "/v2/demo/manifests/all").body == index


def test_an_image_of_an_index_stays_until_the_index_goes(registry: RegistryUnderTest) -> None:
    child = registry.push_image("v1")
    body = registry.send("GET", "/v2/demo/manifests/v1").body
    index = json.dumps(
        {"schemaVersion": 2, "manifests": [describe(media_types.OCI_MANIFEST, body)]}
    ).encode()
    registry.put_manifest("all", index, media_types.OCI_INDEX)
    reply = registry.send("DELETE", f"/v2/demo/manifests/{child}")
    assert reply.status == 405
    assert "referenced by manifest list" in reply.error[1]
    assert registry.send("DELETE", "/v2/demo/manifests/all").status == 202
    assert registry.send("DELETE", f"/v2/demo/manifests/{child}").status == 202


def test_a_wrong_digest_is_refused(registry: RegistryUnderTest) -> None:
    wrong = "sha256:" + "0" * 64
    reply = registry.put_manifest(wrong, registry.image())
    assert (reply.status, reply.error) == (
        400,
        (
            "MANIFEST_INVALID",
            f"The image with digest '{wrong}' in repository 'demo' and registry ID "
            "'123456789012' does not match the image digest that Amazon ECR has calculated.",
        ),
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b"[]", b'{"schemaVersion": 1}'])
def test_what_is_not_a_manifest_is_refused(registry: RegistryUnderTest, body: bytes) -> None:
    reply = registry.put_manifest("v1", body)
    assert (reply.status, reply.error[0]) == (405, "UNSUPPORTED")


def test_a_manifest_too_large_is_refused(registry: RegistryUnderTest) -> None:
    reply = registry.put_manifest("v1", b" " * (4 * 1024 * 1024 + 1))
    assert (reply.status, reply.error[0]) == (413, "SIZE_INVALID")


def test_a_manifest_that_announces_gigabytes_is_refused_before_it_comes(
    registry: RegistryUnderTest,
) -> None:
    head = (
        f"PUT /v2/demo/manifests/v1 HTTP/1.1\r\nHost: {HOME.host}\r\n"
        f"Authorization: Bearer {registry.token}\r\nContent-Length: {2 * 1024**3}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", registry.server.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert b" 413 " in connection.makefile("rb").readline()


@pytest.mark.parametrize("tag", ["-a", ".a", "a" * 129, "a%20b"])
def test_a_bad_tag_is_refused(registry: RegistryUnderTest, tag: str) -> None:
    reply = registry.put_manifest(tag, registry.image())
    assert (reply.status, reply.error[0]) == (400, "TAG_INVALID")


def test_a_moved_tag_leaves_the_old_image_untagged(registry: RegistryUnderTest) -> None:
    old = registry.push_image("v1", content=b"old")
    new = registry.push_image("v1", content=b"new")
    repository = repositories.get(registry.store, HOME, "demo")
    found = {image.digest: image.tags for image in images.list_all(registry.store, repository)}
    assert found == {old: (), new: ("v1",)}
    assert registry.send("GET", f"/v2/demo/manifests/{old}").status == 200


IMMUTABLE = (
    "TAG_INVALID",
    "The image tag 'v1' already exists in the 'kept' repository and cannot be overwritten "
    "because the tag is immutable.",
)


def test_an_immutable_tag_stays(registry: RegistryUnderTest) -> None:
    """Reported as F11."""
    registry.create("kept", mutability="IMMUTABLE")
    body = registry.image(name="kept")
    assert registry.put_manifest("v1", body, name="kept").status == 201
    # even for the same image: https://github.com/aws/containers-roadmap/issues/2179
    for again in (body, registry.image(content=b"other", name="kept")):
        reply = registry.put_manifest("v1", again, name="kept")
        assert (reply.status, reply.error) == (400, IMMUTABLE)
    assert registry.send("GET", "/v2/kept/manifests/v1").body == body


@pytest.mark.parametrize(
    ("mutability", "tag", "status"),
    [
        ("IMMUTABLE_WITH_EXCLUSION", "latest", 201),
        ("IMMUTABLE_WITH_EXCLUSION", "dev-7", 201),
        ("IMMUTABLE_WITH_EXCLUSION", "v1", 400),
        ("MUTABLE_WITH_EXCLUSION", "dev-7", 400),
        ("MUTABLE_WITH_EXCLUSION", "v1", 201),
    ],
)
def test_exclusions_turn_immutability_round(
    registry: RegistryUnderTest, mutability: str, tag: str, status: int
) -> None:
    registry.create(
        "kept",
        mutability=mutability,
        mutability_exclusions=[
            {"filterType": "WILDCARD", "filter": "latest"},
            {"filterType": "WILDCARD", "filter": "dev-*"},
        ],
    )
    registry.push_image(tag, name="kept", content=b"one")
    reply = registry.put_manifest(tag, registry.image(b"two", "kept"), name="kept")
    assert reply.status == status


def test_a_tag_is_deleted_before_its_image(registry: RegistryUnderTest) -> None:
    pushed = registry.push_image("v1")
    registry.push_image("v2")
    assert registry.send("DELETE", "/v2/demo/manifests/v1").status == 202
    assert registry.send("GET", "/v2/demo/manifests/v1").status == 404
    assert registry.send("GET", f"/v2/demo/manifests/{pushed}").status == 200
    assert registry.send("DELETE", f"/v2/demo/manifests/{pushed}").status == 202
    assert registry.send("GET", "/v2/demo/manifests/v2").status == 404
    assert registry.send("DELETE", f"/v2/demo/manifests/{pushed}").status == 404


def test_a_subject_is_acknowledged_though_it_is_not_here(registry: RegistryUnderTest) -> None:
    subject = describe(media_types.OCI_MANIFEST, b"elsewhere")
    reply = registry.put_manifest("sig", registry.image(subject=subject))
    assert (reply.status, reply.headers["oci-subject"]) == (201, subject["digest"])


def test_docker_media_types_are_kept(registry: RegistryUnderTest) -> None:
    body = registry.image(mediaType=media_types.DOCKER_MANIFEST)
    assert registry.put_manifest("v1", body, media_types.DOCKER_MANIFEST).status == 201
    reply = registry.send("GET", "/v2/demo/manifests/v1")
    assert reply.headers["content-type"] == media_types.DOCKER_MANIFEST


def test_an_image_pushed_to_a_repository_that_scans_waits_for_its_scan_once(
    registry: RegistryUnderTest,
) -> None:
    registry.create("scanned", scan_on_push=True)
    for reference in ("v1", "v2"):
        registry.push_image(reference, name="scanned")
    registry.push_image("v1")
    with registry.store.read() as db:
        (job,) = scan_states.queue(db)
    assert (job.scan.scan_type, job.scan.status) == ("BASIC", "IN_PROGRESS")


def test_a_push_and_a_deletion_leave_eventbridges_events(registry: RegistryUnderTest) -> None:
    digest = registry.push_image("v1")
    registry.push_image("v1")
    registry.send("DELETE", "/v2/demo/manifests/v1")
    found = [one.event["detail"] for one in events.queue(registry.store)]
    assert [(one["action-type"], one["image-tag"]) for one in found] == [
        ("PUSH", "v1"),
        ("DELETE", "v1"),
    ]
    assert {one["image-digest"] for one in found} == {digest}
