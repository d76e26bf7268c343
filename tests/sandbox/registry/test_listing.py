"""Lists: tags and repositories in pages, referrers of an image."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from labs_helpers.oci import digest, media_types
from labs_helpers.sandbox.ecr import lifecycle_runs, repositories, tokens
from tests.sandbox.registry.registry_server import (
    HOME,
    LEARNER,
    REGION,
    RegistryUnderTest,
    describe,
)

TAGS = ["1.0", "1.1", "latest", "v2"]


@pytest.fixture(autouse=True)
def demo(registry: RegistryUnderTest) -> None:
    registry.create("demo")


@pytest.fixture
def tagged(registry: RegistryUnderTest) -> RegistryUnderTest:
    body = registry.image()
    for tag in reversed(TAGS):
        registry.put_manifest(tag, body)
    return registry


def test_tags_are_in_lexical_order(tagged: RegistryUnderTest) -> None:
    assert tagged.send("GET", "/v2/demo/tags/list").json() == {"name": "demo", "tags": TAGS}


def test_an_empty_repository_has_no_tags(registry: RegistryUnderTest) -> None:
    assert registry.send("GET", "/v2/demo/tags/list").json() == {"name": "demo", "tags": []}


def test_pages_follow_their_links(tagged: RegistryUnderTest) -> None:
    seen: list[str] = []
    path: str | None = "/v2/demo/tags/list?n=3"
    while path:
        reply = tagged.send("GET", path)
        seen += reply.json()["tags"]
        link = reply.headers.get("link")
        path = link.partition(">")[0].lstrip("<") if link else None
    assert seen == TAGS


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ("n=2", TAGS[:2]),
        ("n=99", TAGS),
        ("last=1.1", TAGS[2:]),
        ("n=1&last=latest", ["v2"]),
        ("last=zzz&n=5", []),
    ],
)
def test_pages_are_cut_where_asked(tagged: RegistryUnderTest, query: str, tags: list[str]) -> None:
    assert tagged.send("GET", f"/v2/demo/tags/list?{query}").json()["tags"] == tags


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "٣", "9" * 5000])
def test_a_bad_page_size_is_refused(tagged: RegistryUnderTest, number: str) -> None:
    quoted = number.encode("utf-8").hex(" ").replace(" ", "%")
    reply = tagged.send("GET", f"/v2/demo/tags/list?n=%{quoted}")
    assert (reply.status, reply.error[0]) == (400, "PAGINATION_NUMBER_INVALID")


def test_the_catalog_lists_this_registry_only(registry: RegistryUnderTest) -> None:
    registry.create("team/app")
    assert registry.send("GET", "/v2/_catalog").json() == {"repositories": ["demo", "team/app"]}
    other = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    assert registry.send("GET", "/v2/_catalog", host=other).status == 403


def test_referrers_are_an_index_of_what_points_here(registry: RegistryUnderTest) -> None:
    image = registry.image()
    registry.put_manifest("v1", image)
    subject = {
        "mediaType": media_types.OCI_MANIFEST,
        "digest": digest.of_bytes(image),
        "size": len(image),
    }
    sbom = registry.image(
        b"sbom", subject=subject, artifactType="application/spdx+json", annotations={"by": "me"}
    )
    signature = registry.image(b"signature", subject=subject)
    for body in (sbom, signature):
        assert registry.put_manifest(digest.of_bytes(body), body).status == 201

    path = f"/v2/demo/referrers/{digest.of_bytes(image)}"
    reply = registry.send("GET", path)
    assert reply.headers["content-type"] == media_types.OCI_INDEX
    assert reply.json()["manifests"] == [
        {
            "mediaType": media_types.OCI_MANIFEST,
            "digest": digest.of_bytes(sbom),
            "size": len(sbom),
            "artifactType": "application/spdx+json",
            "annotations": {"by": "me"},
        },
        {
            "mediaType": media_types.OCI_MANIFEST,
            "digest": digest.of_bytes(signature),
            "size": len(signature),
            "artifactType": json.loads(signature)["config"]["mediaType"],
        },
    ]
    filtered = registry.send("GET", f"{path}?artifactType=application/spdx%2Bjson")
    assert filtered.headers["oci-filters-applied"] == "artifactType"
    assert [each["digest"] for each in filtered.json()["manifests"]] == [digest.of_bytes(sbom)]


def test_a_referrer_follows_an_image_that_was_deleted_here(registry: RegistryUnderTest) -> None:
    """As after BatchDeleteImage: the next run of the repository's lifecycle policy removes it."""
    image = registry.image()
    registry.put_manifest("v1", image)
    sbom = registry.image(b"sbom", subject=describe(media_types.OCI_MANIFEST, image))
    registry.put_manifest(digest.of_bytes(sbom), sbom)
    repository = repositories.get(registry.store, HOME, "demo")
    keeps_all = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9}
    expire = {"rulePriority": 1, "selection": keeps_all, "action": {"type": "expire"}}
    lifecycle_runs.put_policy(registry.store, repository, json.dumps({"rules": [expire]}))

    assert registry.send("DELETE", f"/v2/demo/manifests/{digest.of_bytes(image)}").status == 202
    path = f"/v2/demo/referrers/{digest.of_bytes(image)}"
    assert len(registry.send("GET", path).json()["manifests"]) == 1
    registry.clock.advance(timedelta(hours=24))
    lifecycle_runs.run_all(registry.store)
    registry.token = tokens.mint(registry.store, LEARNER, REGION).password
    assert registry.send("GET", path).json()["manifests"] == []
    assert registry.send("HEAD", f"/v2/demo/manifests/{digest.of_bytes(sbom)}").status == 404


def test_nothing_refers_to_an_image_that_is_not_here(registry: RegistryUnderTest) -> None:
    reply = registry.send("GET", f"/v2/demo/referrers/sha256:{'0' * 64}")
    assert (reply.status, reply.json()["manifests"]) == (200, [])
    assert registry.send("GET", "/v2/demo/referrers/sha256:x").status == 400
