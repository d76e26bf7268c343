"""What both planes build on: repositories, images, tokens, documents."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from labs_helpers.oci import digest, media_types
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import documents, errors, images, repositories, tokens, uploads
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.identity import Principal

HOME = Registry("123456789012", "us-west-2")
LEARNER = Principal("123456789012", "arn:aws:iam::123456789012:user/learner", "AIDA", "AKIA")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "ecr", Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC)))
    yield opened
    opened.close()


@pytest.fixture
def demo(store: Store) -> Repository:
    return repositories.create(store, HOME, "demo")


def blob(store: Store, repository: Repository, data: bytes) -> dict[str, object]:
    upload_id = uploads.initiate(store, repository)
    uploads.append(store, repository, upload_id, io.BytesIO(data))
    uploads.complete(store, repository, upload_id, [digest.of_bytes(data)])
    return {
        "mediaType": media_types.OCI_LAYER_GZIP,
        "digest": digest.of_bytes(data),
        "size": len(data),
    }


def image(store: Store, repository: Repository, content: bytes = b"layer") -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": blob(store, repository, b"{}"),
            "layers": [blob(store, repository, content)],
        }
    ).encode()


def test_a_repository_has_the_names_aws_gives_it(demo: Repository) -> None:
    assert demo.arn == "arn:aws:ecr:us-west-2:123456789012:repository/demo"
    assert demo.uri == "123456789012.dkr.ecr.us-west-2.amazonaws.com/demo"


def test_a_name_is_taken_once_in_a_registry(store: Store, demo: Repository) -> None:
    with pytest.raises(errors.RepositoryAlreadyExists) as raised:
        repositories.create(store, HOME, "demo")
    assert raised.value.message == (
        "The repository with name 'demo' already exists in the registry with id '123456789012'"
    )
    elsewhere = Registry("123456789012", "eu-west-1")
    assert repositories.create(store, elsewhere, "demo").registry == elsewhere
    assert [each.id for each in repositories.list_all(store, HOME)] == [demo.id]


def test_settings_change_and_stay(store: Store, demo: Repository) -> None:
    exclusions = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    repositories.set_mutability(store, demo, "IMMUTABLE_WITH_EXCLUSION", exclusions)
    repositories.set_scan_on_push(store, demo, True)
    now = repositories.get(store, HOME, "demo")
    assert now.scan_on_push
    assert (now.is_immutable("v1"), now.is_immutable("dev-1")) == (True, False)


def test_resource_tags_are_added_and_removed(store: Store, demo: Repository) -> None:
    repositories.tag(store, demo, {"a": "1", "b": "2"})
    repositories.tag(store, demo, {"b": "3"})
    repositories.untag(store, demo, ["a", "never"])
    assert repositories.tags(store, demo) == {"b": "3"}


def test_a_repository_with_images_goes_by_force_only(store: Store, demo: Repository) -> None:
    images.put(store, demo, image(store, demo), tag="v1")
    with pytest.raises(errors.RepositoryNotEmpty):
        repositories.delete(store, demo)
    repositories.delete(store, demo, force=True)
    with pytest.raises(errors.RepositoryNotFound):
        repositories.get(store, HOME, "demo")


def test_an_image_has_its_true_digest_and_size(store: Store, demo: Repository) -> None:
    body = image(store, demo, b"twelve bytes")
    put = images.put(store, demo, body, tag="v1")
    assert put.image.digest == digest.of_bytes(body)
    assert put.image.size == len(b"{}") + 12
    assert put.image.pushed_at == store.clock.now()


def test_an_index_is_as_large_as_its_largest_image(store: Store, demo: Repository) -> None:
    bodies = [image(store, demo, b"x" * size) for size in (10, 500)]
    for body in bodies:
        images.put(store, demo, body)
    children = [
        {"mediaType": media_types.OCI_MANIFEST, "digest": digest.of_bytes(body), "size": len(body)}
        for body in bodies
    ]
    index = json.dumps({"schemaVersion": 2, "manifests": children}).encode()
    assert images.put(store, demo, index, tag="all").image.size == 502


def test_putting_the_same_again_changes_nothing(store: Store, demo: Repository) -> None:
    body = image(store, demo)
    assert images.put(store, demo, body, tag="v1").changed
    assert not images.put(store, demo, body, tag="v1").changed
    assert not images.put(store, demo, body).changed
    assert images.put(store, demo, body, tag="v2").changed
    assert images.get(store, demo, tag="v1").tags == ("v1", "v2")


def test_tag_and_digest_must_agree(store: Store, demo: Repository) -> None:
    one, two = (
        images.put(store, demo, image(store, demo, c), tag=c.decode()) for c in (b"a", b"b")
    )
    assert images.find(store, demo, tag="a", digest=one.image.digest) == one.image
    assert images.find(store, demo, tag="a", digest=two.image.digest) is None
    assert images.find(store, demo) is None
    with pytest.raises(errors.ImageNotFound) as raised:
        images.get(store, demo, tag="c")
    assert raised.value.message == (
        "The image with imageId {imageDigest:'null', imageTag:'c'} does not exist within the "
        "repository with name 'demo' in the registry with id '123456789012'"
    )


def test_deleting_the_last_tag_deletes_the_image(store: Store, demo: Repository) -> None:
    body = image(store, demo)
    images.put(store, demo, body, tag="v1")
    images.put(store, demo, body, tag="v2")
    first = images.delete(store, demo, tag="v1")
    assert (first.tags, first.image) == (("v1",), False)
    second = images.delete(store, demo, tag="v2")
    assert (second.tags, second.image) == (("v2",), True)
    assert images.list_all(store, demo) == []


def test_documents_go_with_their_owner(store: Store, demo: Repository) -> None:
    put = images.put(store, demo, image(store, demo), tag="v1").image
    for owner in (HOME, demo, put):
        documents.put(store, owner, "policy", {"a": [1]})
        documents.put(store, owner, "policy", {"b": 2}, name="other")
        assert documents.list_all(store, owner, "policy") == {"": {"a": [1]}, "other": {"b": 2}}
    assert documents.delete(store, HOME, "policy") == {"a": [1]}
    assert documents.delete(store, HOME, "policy") is None
    repositories.delete(store, demo, force=True)
    again = repositories.create(store, HOME, "demo")
    assert documents.get(store, again, "policy") is None
    assert documents.get(store, put, "policy") is None


def test_a_token_is_its_callers_for_twelve_hours(store: Store) -> None:
    token = tokens.mint(store, LEARNER, "us-west-2")
    assert token.expires_at == store.clock.now() + timedelta(hours=12)
    assert tokens.verify(store, token.password, HOME) == LEARNER
    store.clock.advance(timedelta(hours=12))
    with pytest.raises(errors.TokenExpired):
        tokens.verify(store, token.password, HOME)


def test_a_token_opens_like_awss(store: Store) -> None:
    token = tokens.mint(store, LEARNER, "us-west-2")
    assert base64.b64decode(token.authorization_token).decode() == f"AWS:{token.password}"
    opened = json.loads(base64.b64decode(token.password))
    assert sorted(opened) == ["datakey", "expiration", "payload", "type", "version"]
    assert opened["expiration"] == int(token.expires_at.timestamp())


def test_no_token_is_written_down(store: Store) -> None:
    token = tokens.mint(store, LEARNER, "us-west-2")
    for path in store.root.rglob("*"):
        if path.is_file():
            assert token.password.encode() not in path.read_bytes()
