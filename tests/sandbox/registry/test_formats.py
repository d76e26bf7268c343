"""The formats of manifests: what a pull by tag converts, and what is refused.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from labs_helpers.oci import digest, media_types
from tests.sandbox.ecr.operations.ecr_api import Ecr
from tests.sandbox.registry.registry_server import RegistryUnderTest, describe

OCI, DOCKER = media_types.OCI_MANIFEST, media_types.DOCKER_MANIFEST
LAYERS = {OCI: media_types.OCI_LAYER_GZIP, DOCKER: media_types.DOCKER_LAYER_GZIP}
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+json"
SCHEMA_1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
CONFIGS = {OCI: media_types.OCI_CONFIG, DOCKER: media_types.DOCKER_CONFIG}


@pytest.fixture(autouse=True)
def demo(registry: RegistryUnderTest) -> None:
    registry.create("demo")


def push(registry: RegistryUnderTest, media_type: str, **changes: Any) -> bytes:
    """An image of a format under the tag v1; its manifest."""
    members = {
        "mediaType": media_type,
        "config": describe(CONFIGS[media_type], b'{"config": 1}'),
        "layers": [describe(LAYERS[media_type], b"layer")],
        **changes,
    }
    body = registry.image(**members)
    assert registry.put_manifest("v1", body, media_type).status == 201
    return body


@pytest.mark.parametrize(("stored", "wanted"), [(OCI, DOCKER), (DOCKER, OCI)])
def test_a_pull_by_tag_is_converted(registry: RegistryUnderTest, stored: str, wanted: str) -> None:
    """Reported as S6."""
    body = push(registry, stored)
    reply = registry.send("GET", "/v2/demo/manifests/v1", headers={"Accept": wanted})
    assert (reply.status, reply.headers["content-type"]) == (200, wanted)
    assert reply.headers["docker-content-digest"] == digest.of_bytes(reply.body)
    found, before = json.loads(reply.body), json.loads(body)
    assert found["mediaType"] == wanted
    assert found["config"] == {**before["config"], "mediaType": CONFIGS[wanted]}
    assert found["layers"] == [{**before["layers"][0], "mediaType": LAYERS[wanted]}]
    head = registry.send("HEAD", "/v2/demo/manifests/v1", headers={"Accept": wanted})
    assert head.headers["docker-content-digest"] == reply.headers["docker-content-digest"]
    assert head.headers["content-length"] == str(len(reply.body))


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/*", f"{DOCKER}, {OCI}", f"{OCI};q=0.5", f"text/html,{OCI}"]
)
def test_the_stored_format_is_given_where_the_client_accepts_it(
    registry: RegistryUnderTest, accept: str
) -> None:
    body = push(registry, OCI)
    headers = {"Accept": accept} if accept else {}
    assert registry.send("GET", "/v2/demo/manifests/v1", headers=headers).body == body


@pytest.mark.parametrize("wanted", [DOCKER, "application/json", SCHEMA_1])
def test_a_pull_by_digest_is_never_converted(registry: RegistryUnderTest, wanted: str) -> None:
    body = push(registry, OCI)
    path = f"/v2/demo/manifests/{digest.of_bytes(body)}"
    assert registry.send("GET", path, headers={"Accept": wanted}).body == body


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": [describe(media_types.OCI_LAYER_ZSTD, b"layer")]},
        {"config": describe("application/vnd.example", b'{"config": 1}')},
        {"annotations": {"by": "me"}},
    ],
)
def test_what_the_other_format_has_not_is_given_as_stored(
    registry: RegistryUnderTest, changes: dict[str, Any]
) -> None:
    body = push(registry, OCI, **changes)
    assert registry.send("GET", "/v2/demo/manifests/v1", headers={"Accept": DOCKER}).body == body


def test_batch_get_image_converts_by_tag_too(registry: RegistryUnderTest) -> None:
    """Reported as S6."""
    body = push(registry, OCI)
    ecr = Ecr(registry.store, registry.clock)

    def ask(**image_id: str) -> dict[str, Any]:
        return ecr(
            "BatchGetImage",
            repositoryName="demo",
            imageIds=[image_id],
            acceptedMediaTypes=[DOCKER],
        )

    (found,) = ask(imageTag="v1")["images"]
    assert found["imageManifestMediaType"] == DOCKER
    assert found["imageId"]["imageDigest"] == digest.of_bytes(found["imageManifest"].encode())
    (failure,) = ask(imageDigest=digest.of_bytes(body))["failures"]
    assert failure["failureCode"] == "ImageNotFound"


def test_nothing_is_converted_in_oci_mode(strict_registry: RegistryUnderTest) -> None:
    strict_registry.create("demo")
    body = push(strict_registry, OCI)
    reply = strict_registry.send("GET", "/v2/demo/manifests/v1", headers={"Accept": DOCKER})
    assert reply.body == body


def test_schema_1_is_refused_in_words(registry: RegistryUnderTest) -> None:
    """Reported as S7."""
    manifest = {"schemaVersion": 1, "name": "demo", "tag": "v1", "fsLayers": [], "history": []}
    body = json.dumps(manifest).encode()
    reply = registry.put_manifest("v1", body, SCHEMA_1_SIGNED)
    assert (reply.status, reply.error[0]) == (405, "UNSUPPORTED")
    assert "the sandbox does not take Docker's schema 1, which ECR takes" in reply.error[1]
    push(registry, DOCKER)
    accept = {"Accept": SCHEMA_1}
    reply = registry.send("GET", "/v2/demo/manifests/v1", headers=accept)
    assert reply.headers["content-type"] == DOCKER
