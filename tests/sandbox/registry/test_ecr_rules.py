"""Where ECR is stricter than the OCI specification: ECR's answers, and those of the OCI mode."""

from __future__ import annotations

import json

import pytest

from labs_helpers.files import LabsError
from labs_helpers.oci import digest, media_types
from labs_helpers.sandbox.ecr.uploads import SMALLEST_PART
from labs_helpers.sandbox.registry import rules
from tests.sandbox.registry.registry_server import RegistryUnderTest, describe

UPLOADS = "/v2/demo/blobs/uploads/"
EMPTY = digest.of_bytes(b"")


@pytest.fixture(autouse=True)
def demo(registry: RegistryUnderTest) -> None:
    registry.create("demo")


@pytest.fixture
def oci(strict_registry: RegistryUnderTest) -> RegistryUnderTest:
    strict_registry.create("demo")
    return strict_registry


def begin(registry: RegistryUnderTest) -> str:
    return registry.send("POST", UPLOADS).headers["location"]


def push_in_parts(registry: RegistryUnderTest, *parts: bytes) -> tuple[int, str]:
    """Status of the closing PUT, and its error's message; each part but the last is a PATCH."""
    location = begin(registry)
    for part in parts[:-1]:
        assert registry.send("PATCH", location, part).status == 201
    name = digest.of_bytes(b"".join(parts))
    reply = registry.send("PUT", f"{location}?digest={name}", parts[-1])
    return reply.status, "" if reply.status == 201 else " ".join(reply.error)


def test_a_part_is_answered_with_201_created(registry: RegistryUnderTest) -> None:
    """Reported as F4."""
    reply = registry.send("PATCH", begin(registry), b"part")
    assert (reply.status, reply.headers["range"]) == (201, "0-3")


def test_a_part_is_answered_with_202_accepted_in_oci_mode(oci: RegistryUnderTest) -> None:
    assert oci.send("PATCH", begin(oci), b"part").status == 202


def test_every_part_but_the_last_has_five_mebibytes(registry: RegistryUnderTest) -> None:
    """Reported as F4."""
    whole, small = b"x" * SMALLEST_PART, b"x" * (SMALLEST_PART - 1)
    words = "BLOB_UPLOAD_INVALID All layer parts except the last part should be at least 5MB"
    assert push_in_parts(registry, whole, b"end") == (201, "")
    assert push_in_parts(registry, small, b"") == (201, "")
    assert push_in_parts(registry, small, b"end") == (400, words)
    # also when the parts together have enough bytes
    assert push_in_parts(registry, whole, small, whole) == (400, words)
    assert push_in_parts(registry, small, whole, whole) == (400, words)


def test_the_size_of_parts_is_known_after_a_restart(registry: RegistryUnderTest) -> None:
    location = begin(registry)
    registry.send("PATCH", location, b"x" * 10)
    registry.restart()
    registry.send("PATCH", location, b"x" * SMALLEST_PART)
    reply = registry.send("PUT", f"{location}?digest={digest.of_bytes(b'x')}")
    assert (reply.status, reply.error[0]) == (400, "BLOB_UPLOAD_INVALID")
    assert registry.send("GET", location).status == 204, "the upload can go on"


def test_the_empty_blob_has_no_parts(registry: RegistryUnderTest) -> None:
    """Reported as F4."""
    location = begin(registry)
    upload = location.rpartition("/")[2]
    words = (
        f"The upload with id '{upload}' in the repository with name 'demo' in registry with id "
        "'123456789012' cannot be completed because it does not have any parts"
    )
    for patches in ([], [b""]):
        for part in patches:
            registry.send("PATCH", location, part)
        reply = registry.send("PUT", f"{location}?digest={EMPTY}", b"")
        assert (reply.status, reply.error) == (400, ("BLOB_UPLOAD_INVALID", words))
    assert registry.send("POST", f"{UPLOADS}?digest={EMPTY}", b"").status == 400
    assert registry.files == [upload]


def tag_often(registry: RegistryUnderTest, count: int) -> list[str]:
    body = registry.image()
    tags = [f"v{number:04}" for number in range(count)]
    for tag in tags:
        assert registry.put_manifest(tag, body).status == 201
    return tags


def test_tags_come_a_hundred_a_page(registry: RegistryUnderTest) -> None:
    """Reported as F4."""
    tags = tag_often(registry, 119)
    first = registry.send("GET", "/v2/demo/tags/list")
    assert first.json()["tags"] == tags[:100]
    assert first.headers["link"] == '</v2/demo/tags/list?last=v0099&n=100>; rel="next"'
    second = registry.send("GET", "/v2/demo/tags/list?last=v0099&n=100")
    assert (second.json()["tags"], "link" in second.headers) == (tags[100:], False)
    whole = registry.send("GET", "/v2/demo/tags/list?n=1000")
    assert (whole.json()["tags"], "link" in whole.headers) == (tags, False)


def test_tags_come_all_at_once_in_oci_mode(oci: RegistryUnderTest) -> None:
    tags = tag_often(oci, 101)
    for query in ("", "?n=10000"):
        assert oci.send("GET", f"/v2/demo/tags/list{query}").json()["tags"] == tags
    assert oci.send("GET", "/v2/demo/tags/list?n=0").json()["tags"] == []


@pytest.mark.parametrize("path", ["/v2/demo/tags/list", "/v2/_catalog"])
@pytest.mark.parametrize(
    ("number", "bound"), [(1001, "less than or equal to 1000"), (0, "greater than or equal to 1")]
)
def test_a_page_has_one_to_a_thousand_items(
    registry: RegistryUnderTest, path: str, number: int, bound: str
) -> None:
    """Reported as F4."""
    reply = registry.send("GET", f"{path}?n={number}")
    assert (reply.status, reply.error) == (
        405,
        (
            "UNSUPPORTED",
            "Invalid parameter at 'maxResults' failed to satisfy constraint: "
            f"'Member must have value {bound}'",
        ),
    )


@pytest.mark.parametrize("tag", ["1.0+b", ".INVALID", "a" * 129, "%20"])
@pytest.mark.parametrize("method", ["HEAD", "GET", "DELETE"])
def test_a_tag_that_cannot_exist_is_a_bad_request(
    registry: RegistryUnderTest, method: str, tag: str
) -> None:
    """Reported as F4."""
    assert registry.send(method, f"/v2/demo/manifests/{tag}").status == 400


def test_a_tag_that_cannot_exist_is_unknown_in_oci_mode(oci: RegistryUnderTest) -> None:
    assert oci.send("HEAD", "/v2/demo/manifests/1.0+b").status == 404


def test_a_blob_is_mounted_once_an_image_has_it(registry: RegistryUnderTest) -> None:
    """Reported as F4."""
    registry.create("base")
    name = registry.push_blob(b"layer", "base")
    for source in ("&from=base", ""):
        assert registry.send("POST", f"{UPLOADS}?mount={name}{source}").status == 202
    registry.push_image(name="base")
    for source in ("&from=base", ""):
        assert registry.send("POST", f"{UPLOADS}?mount={name}{source}").status == 201


def test_an_image_has_a_layer(registry: RegistryUnderTest) -> None:
    """Reported as F4."""
    words = (
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: "
        "'Image has to have at least 1 layer'"
    )
    for changes in ({}, {"artifactType": "application/vnd.example"}):
        reply = registry.put_manifest("v1", registry.image(layers=[], **changes))
        assert (reply.status, reply.error) == (405, ("UNSUPPORTED", words))


def test_an_image_without_layers_is_taken_in_oci_mode(oci: RegistryUnderTest) -> None:
    assert oci.put_manifest("v1", oci.image(layers=[])).status == 201


def test_an_index_needs_no_layer(registry: RegistryUnderTest) -> None:
    child = registry.image()
    registry.put_manifest(digest.of_bytes(child), child)
    children = [describe(media_types.OCI_MANIFEST, child)]
    index = json.dumps({"schemaVersion": 2, "manifests": children}).encode()
    assert registry.put_manifest("all", index, media_types.OCI_INDEX).status == 201


def test_the_codes_of_refused_manifests_are_the_specifications_in_oci_mode(
    oci: RegistryUnderTest,
) -> None:
    reply = oci.put_manifest("v1", b"{}")
    assert (reply.status, reply.error[0]) == (400, "MANIFEST_INVALID")
    missing = describe(media_types.OCI_CONFIG, b"not here")
    reply = oci.put_manifest("v1", oci.image(config=missing))
    assert (reply.status, reply.error[0]) == (404, "MANIFEST_BLOB_UNKNOWN")


def test_the_switch_is_one_variable() -> None:
    assert rules.chosen({}) is rules.chosen({"LABS_REGISTRY": "ecr"}) is rules.ECR
    assert rules.chosen({"LABS_REGISTRY": "oci"}) is rules.OCI
    with pytest.raises(LabsError, match=r"LABS_REGISTRY is 'docker'; it must be ecr .* or oci"):
        rules.chosen({"LABS_REGISTRY": "docker"})
