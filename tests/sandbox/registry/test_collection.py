"""Blobs of deleted images go in the end, and never under a push that needs them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr import collection, images
from labs_helpers.sandbox.ecr.lifecycle_runs import put_policy, run_all
from labs_helpers.sandbox.ecr.repositories import get
from tests.sandbox.registry.registry_server import HOME, RegistryUnderTest, describe


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the time of every blob that was left be over."""
    return lambda: monkeypatch.setattr(collection, "PATIENCE", timedelta(seconds=-1))


def stored(registry: RegistryUnderTest) -> int:
    return len(list(registry.store.blobs.glob("*/*/*")))


def is_there(registry: RegistryUnderTest, content: bytes) -> bool:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return registry.send("HEAD", f"/v2/demo/blobs/{digest}").status == 200


def delete(registry: RegistryUnderTest, digest: str) -> None:
    assert registry.send("DELETE", f"/v2/demo/manifests/{digest}").status == 202


def test_the_layers_of_a_deleted_image_go_and_shared_ones_stay(
    registry: RegistryUnderTest, impatient: Callable[[], None]
) -> None:
    registry.create()
    one = registry.push_image("one", content=b"only one")
    registry.push_image("two", content=b"only two")
    delete(registry, one)
    assert is_there(registry, b"only one")
    impatient()
    registry.push_image("three", content=b"only three")
    assert not is_there(registry, b"only one")
    assert is_there(registry, b"only two")
    # the configuration, which all images share, and two layers
    assert stored(registry) == 3
    assert registry.send("GET", "/v2/demo/manifests/two").status == 200


def test_what_expires_gives_its_room_back(
    registry: RegistryUnderTest, impatient: Callable[[], None]
) -> None:
    repository = registry.create()
    rule = (
        '{"rules": [{"rulePriority": 1, "action": {"type": "expire"}, "selection": {"tagStatus": '
        '"any", "countType": "imageCountMoreThan", "countNumber": 1}}]}'
    )
    registry.push_image("old", content=b"old")
    registry.clock.advance(timedelta(minutes=1))
    registry.push_image("new", content=b"new")
    put_policy(registry.store, repository, rule)
    impatient()
    registry.clock.advance(timedelta(days=1))
    run_all(registry.store)
    assert not is_there(registry, b"old")
    assert stored(registry) == 2


def test_a_push_that_was_told_of_a_layer_finds_the_layer(registry: RegistryUnderTest) -> None:
    """The image with the layer is deleted between the question and the manifest."""
    registry.create()
    one = registry.push_image("one", content=b"shared")
    body = registry.image(content=b"shared")
    delete(registry, one)
    registry.push_image("other", content=b"other")
    assert registry.put_manifest("again", body).status == 201


def test_a_question_begins_the_time_anew(
    registry: RegistryUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.create()
    digest = registry.push_image("one", content=b"asked")
    registry.push_image("two", content=b"two")
    begun = [1_000_000.0]
    monkeypatch.setattr("labs_helpers.sandbox.ecr.collection.time.time", lambda: begun[0])
    delete(registry, digest)
    begun[0] += 3000
    assert is_there(registry, b"asked")
    begun[0] += 3000
    registry.push_image("three", content=b"three")
    assert is_there(registry, b"asked")
    begun[0] += 3601
    registry.push_image("four", content=b"four")
    assert not is_there(registry, b"asked")


def test_a_mounted_layer_stays_in_its_other_repository(
    registry: RegistryUnderTest, impatient: Callable[[], None]
) -> None:
    registry.create()
    registry.create("other")
    one = registry.push_image("one", content=b"mounted")
    digest = f"sha256:{hashlib.sha256(b'mounted').hexdigest()}"
    mounted = registry.send("POST", f"/v2/other/blobs/uploads/?mount={digest}&from=demo")
    assert mounted.status == 201
    impatient()
    delete(registry, one)
    registry.push_image("two", content=b"two")
    assert not is_there(registry, b"mounted")
    assert registry.send("GET", f"/v2/other/blobs/{digest}").body == b"mounted"


@pytest.mark.parametrize("patient", [True, False])
def test_thirty_clients_push_shared_layers_while_images_are_deleted(
    registry: RegistryUnderTest, impatient: Callable[[], None], patient: bool
) -> None:
    """Every push succeeds; without patience a push may be refused, and leaves no half an image."""
    registry.create()
    if not patient:
        impatient()
    base = os.urandom(3000)

    def client(number: int) -> str | None:
        tag, own = f"t{number}", f"own {number % 10}".encode()
        for layer in (base, own):
            registry.push_blob(layer)
        config = b'{"config": 1}'
        registry.push_blob(config)
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": describe(media_types.OCI_CONFIG, config),
            "layers": [describe(media_types.OCI_LAYER_GZIP, layer) for layer in (base, own)],
        }
        reply = registry.put_manifest(tag, json.dumps(manifest).encode())
        assert reply.status == 201 or (not patient and reply.status in (400, 404)), reply
        if reply.status != 201:
            return None
        if number % 3 == 0:
            delete_reply = registry.send("DELETE", f"/v2/demo/manifests/{tag}")
            assert delete_reply.status in (202, 404), delete_reply
            return None
        return tag

    with ThreadPoolExecutor(30) as pool:
        kept = [tag for tag in pool.map(client, range(30)) if tag]
    for image in images.list_all(registry.store, get(registry.store, HOME, "demo")):
        manifest = registry.send("GET", f"/v2/demo/manifests/{image.digest}").json()
        for part in (manifest["config"], *manifest["layers"]):
            blob = registry.send("GET", f"/v2/demo/blobs/{part['digest']}")
            assert f"sha256:{hashlib.sha256(blob.body).hexdigest()}" == part["digest"]
    # tags of images that another client's deletion took went with those images
    found = registry.send("GET", "/v2/demo/tags/list").json()["tags"] or []
    assert set(found) <= set(kept)
    assert list(registry.store.uploads.iterdir()) == []
