"""A manifest keeps its bytes, and an invalid manifest gets an error that names the fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.oci import digest, manifest, media_types

CONFIG = {"mediaType": media_types.OCI_CONFIG, "digest": digest.of_bytes(b"c"), "size": 7}
LAYER = {"mediaType": media_types.OCI_LAYER_GZIP, "digest": digest.of_bytes(b"l"), "size": 100}
FOREIGN = {**LAYER, "mediaType": media_types.DOCKER_LAYER_FOREIGN}


def image(**changes: Any) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": CONFIG,
        "layers": [LAYER],
        **changes,
    }
    return json.dumps({key: value for key, value in document.items() if value != "absent"}).encode()


def test_an_image_has_the_digest_of_its_bytes_and_the_size_of_what_it_names() -> None:
    body = image()
    parsed = manifest.parse(body, media_types.OCI_MANIFEST)
    assert parsed.body == body
    assert parsed.digest == digest.of_bytes(body)
    assert parsed.size_in_bytes == 107
    assert not parsed.is_index


def test_the_content_type_decides_where_the_body_is_silent() -> None:
    body = image(mediaType="absent")
    assert manifest.parse(body, media_types.DOCKER_MANIFEST).media_type == (
        media_types.DOCKER_MANIFEST
    )
    assert manifest.parse(body, None).media_type == media_types.OCI_MANIFEST


def test_an_index_lists_manifests_with_their_platforms() -> None:
    child = {
        "mediaType": media_types.OCI_MANIFEST,
        "digest": digest.of_bytes(b"m"),
        "size": 3,
        "platform": {"os": "linux", "architecture": "arm64"},
    }
    parsed = manifest.parse(json.dumps({"schemaVersion": 2, "manifests": [child]}).encode(), None)
    assert parsed.is_index
    assert parsed.manifests[0].platform == {"os": "linux", "architecture": "arm64"}


def test_the_artifact_type_falls_back_to_the_configurations() -> None:
    assert manifest.parse(image()).artifact_type == media_types.OCI_CONFIG
    assert manifest.parse(image(artifactType="a/b")).artifact_type == "a/b"


def test_a_layer_kept_elsewhere_is_not_asked_for() -> None:
    parsed = manifest.parse(image(layers=[LAYER, FOREIGN]))
    assert [blob.size for blob in parsed.blobs] == [7, 100]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "not JSON"),
        (image(schemaVersion=1), "schemaVersion"),
        (image(schemaVersion=True), "schemaVersion"),
        (image(config="absent"), "config is missing"),
        (image(layers={}), "layers is not a list"),
        (image(layers=[1]), r"layers\[0\] is not an object"),
        (image(layers=[{**LAYER, "size": -1}]), r"layers\[0\]: size"),
        (image(layers=[{**LAYER, "digest": "sha256:x"}]), r"layers\[0\]"),
        (image(mediaType=media_types.DOCKER_MANIFEST), "differs"),
        (image(annotations={"a": 1}), "annotations"),
        (image(annotations={"\ud800": "a"}), "annotations"),
        (image(artifactType="\ud800"), "artifactType"),
        (image(subject=[]), "subject"),
    ],
)
def test_a_bad_manifest_says_what_is_wrong(body: bytes, reason: str) -> None:
    with pytest.raises(manifest.InvalidManifest, match=reason):
        manifest.parse(body, media_types.OCI_MANIFEST)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(LAYER),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["config", "layers", "manifests", "subject", "annotations", "mediaType"]),
        JSON,
    )
)
def test_any_document_is_a_manifest_or_refused(document: dict[str, Any]) -> None:
    body = json.dumps({"schemaVersion": 2, **document}).encode()
    try:
        parsed = manifest.parse(body)
    except manifest.InvalidManifest:
        return
    assert parsed.body == body
