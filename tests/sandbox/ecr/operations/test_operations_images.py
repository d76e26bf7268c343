"""Images by the API: what is stored is what was put, and tags move as they do on AWS."""

import json
from datetime import timedelta

import pytest

from tests.sandbox.ecr.operations.ecr_api import (
    ACCOUNT,
    CONFIG,
    LIST,
    MANIFEST,
    Ecr,
    Refused,
    digest_of,
)


def test_digest_size_and_media_types_are_those_of_the_manifest(demo: Ecr) -> None:
    text = demo.manifest("demo")
    put = demo("PutImage", repositoryName="demo", imageManifest=text, imageTag="v1")["image"]
    assert put["imageId"] == {"imageDigest": digest_of(text), "imageTag": "v1"}
    assert put["imageManifest"] == text
    parsed = json.loads(text)
    (detail,) = demo("DescribeImages", repositoryName="demo")["imageDetails"]
    assert detail == {
        "registryId": ACCOUNT,
        "repositoryName": "demo",
        "imageDigest": digest_of(text),
        "imageTags": ["v1"],
        "imageSizeInBytes": parsed["config"]["size"] + parsed["layers"][0]["size"],
        "imagePushedAt": demo.clock.now().timestamp(),
        "imageManifestMediaType": MANIFEST,
        "artifactMediaType": CONFIG,
        "imageStatus": "ACTIVE",
    }


def test_an_index_is_as_large_as_its_largest_image(demo: Ecr) -> None:
    digest = demo.push("demo", content="a long content")
    index = demo.push_index("demo", [digest], "multi")
    details = demo("DescribeImages", repositoryName="demo")["imageDetails"]
    by_digest = {each["imageDigest"]: each for each in details}
    assert by_digest[index]["imageSizeInBytes"] == by_digest[digest]["imageSizeInBytes"]
    assert by_digest[index]["imageManifestMediaType"] == LIST
    assert "artifactMediaType" not in by_digest[index]
    assert "imageTags" not in by_digest[digest]


def test_moving_a_tag_leaves_the_old_image_untagged(demo: Ecr) -> None:
    old, new = demo.push("demo", "latest", "old"), demo.push("demo", "latest", "new")
    assert demo("ListImages", repositoryName="demo")["imageIds"] == [
        {"imageDigest": old},
        {"imageDigest": new, "imageTag": "latest"},
    ]


def test_putting_the_same_again_is_refused(demo: Ecr) -> None:
    digest = demo.push("demo", "v1")
    text = demo.manifest("demo")
    assert demo.error("PutImage", repositoryName="demo", imageManifest=text, imageTag="v1") == (
        "ImageAlreadyExistsException",
        f"Image with digest '{digest}' and tag 'v1' already exists in the repository with name "
        f"'demo' in registry with id '{ACCOUNT}'",
    )
    demo("PutImage", repositoryName="demo", imageManifest=text, imageTag="v2")
    (detail,) = demo("DescribeImages", repositoryName="demo")["imageDetails"]
    assert detail["imageTags"] == ["v1", "v2"]


def test_an_immutable_tag_cannot_be_moved(demo: Ecr) -> None:
    demo("PutImageTagMutability", repositoryName="demo", imageTagMutability="IMMUTABLE")
    demo.push("demo", "v1", "old")
    with pytest.raises(Refused) as refused:
        demo.push("demo", "v1", "new")
    assert refused.value.code == "ImageTagAlreadyExistsException"
    assert refused.value.message.startswith(
        "The image tag 'v1' already exists in the 'demo' repository and cannot be overwritten"
    )


@pytest.mark.parametrize(
    ("mutability", "moves", "stays"),
    [
        ("IMMUTABLE_WITH_EXCLUSION", "dev-1", "v1"),
        ("MUTABLE_WITH_EXCLUSION", "v1", "dev-1"),
    ],
)
def test_exclusion_filters_turn_mutability_round(
    demo: Ecr, mutability: str, moves: str, stays: str
) -> None:
    demo(
        "PutImageTagMutability",
        repositoryName="demo",
        imageTagMutability=mutability,
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev-*"}],
    )
    demo.push("demo", moves, "old")
    demo.push("demo", moves, "new")
    demo.push("demo", stays, "old")
    with pytest.raises(Refused, match="ImageTagAlreadyExistsException"):
        demo.push("demo", stays, "new")


def test_a_manifest_wants_its_layers_first(demo: Ecr) -> None:
    text = demo.manifest("demo").replace("sha256:", "sha256:", 1)
    missing = "sha256:" + "0" * 64
    manifest = json.loads(text)
    manifest["layers"][0]["digest"] = missing
    code, message = demo.error(
        "PutImage", repositoryName="demo", imageManifest=json.dumps(manifest)
    )
    assert code == "LayersNotFoundException"
    assert missing in message


def test_an_index_wants_its_images_first(demo: Ecr) -> None:
    with pytest.raises(Refused, match="ReferencedImagesNotFoundException"):
        demo.push_index("demo", ["sha256:" + "0" * 64])


def test_a_digest_that_is_not_the_manifests_is_refused(demo: Ecr) -> None:
    code, _ = demo.error(
        "PutImage",
        repositoryName="demo",
        imageManifest=demo.manifest("demo"),
        imageDigest="sha256:" + "0" * 64,
    )
    assert code == "ImageDigestDoesNotMatchException"


@pytest.mark.parametrize("text", ["x", "[]", "{}", '"text"', "[" * 100_000, '{"schemaVersion": 2}'])
def test_what_is_no_manifest_is_refused(demo: Ecr, text: str) -> None:
    code, _ = demo.error("PutImage", repositoryName="demo", imageManifest=text)
    assert code == "InvalidParameterException"


def test_an_image_tag_has_ecrs_characters(demo: Ecr) -> None:
    text = demo.manifest("demo")
    assert demo.error("PutImage", repositoryName="demo", imageManifest=text, imageTag="a b") == (
        "InvalidParameterException",
        "Invalid parameter at 'imageTag' failed to satisfy constraint: "
        "'must satisfy regular expression '[a-zA-Z0-9-_.]+''",
    )


def test_images_are_got_by_tag_by_digest_and_by_both(demo: Ecr) -> None:
    digest = demo.push("demo", "v1")
    both = {"imageDigest": digest, "imageTag": "v1"}
    for image_id in ({"imageTag": "v1"}, {"imageDigest": digest}, both):
        answer = demo("BatchGetImage", repositoryName="demo", imageIds=[image_id])
        assert [image["imageId"] for image in answer["images"]] == [both]
        assert digest_of(answer["images"][0]["imageManifest"]) == digest


def test_what_cannot_be_got_is_a_failure_with_its_reason(demo: Ecr) -> None:
    wanted = [{"imageTag": "none"}, {}, {"imageDigest": "bad"}, {"imageTag": "a b"}]
    answer = demo("BatchGetImage", repositoryName="demo", imageIds=wanted)
    assert answer["images"] == []
    assert answer["failures"] == [
        {
            "imageId": {"imageTag": "none"},
            "failureCode": "ImageNotFound",
            "failureReason": "Requested image not found",
        },
        {
            "imageId": {},
            "failureCode": "MissingDigestAndTag",
            "failureReason": "Invalid request parameters: both tag and digest cannot be null",
        },
        {
            "imageId": {"imageDigest": "bad"},
            "failureCode": "InvalidImageDigest",
            "failureReason": "Invalid request parameters: image digest should satisfy the regex "
            "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        },
        {
            "imageId": {"imageTag": "a b"},
            "failureCode": "InvalidImageTag",
            "failureReason": "Invalid request parameters: image tag should satisfy the regex "
            "'[a-zA-Z0-9-_.]+'",
        },
    ]


def test_getting_an_image_is_a_pull(demo: Ecr) -> None:
    demo.push("demo", "v1")
    demo.clock.advance(timedelta(hours=1))
    demo("BatchGetImage", repositoryName="demo", imageIds=[{"imageTag": "v1"}])
    (detail,) = demo("DescribeImages", repositoryName="demo")["imageDetails"]
    assert detail["lastRecordedPullTime"] == demo.clock.now().timestamp()
    assert detail["imagePushedAt"] == detail["lastRecordedPullTime"] - 3600


def test_describing_an_image_that_is_not_there_names_it(demo: Ecr) -> None:
    assert demo.error("DescribeImages", repositoryName="demo", imageIds=[{"imageTag": "none"}]) == (
        "ImageNotFoundException",
        "The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within the "
        f"repository with name 'demo' in the registry with id '{ACCOUNT}'",
    )


def test_images_are_filtered_by_having_a_tag(demo: Ecr) -> None:
    untagged, tagged = demo.push("demo", content="a"), demo.push("demo", "v1", "b")
    for status, wanted in {"TAGGED": [tagged], "UNTAGGED": [untagged]}.items():
        for operation, member in (("ListImages", "imageIds"), ("DescribeImages", "imageDetails")):
            answer = demo(operation, repositoryName="demo", filter={"tagStatus": status})
            assert [each["imageDigest"] for each in answer[member]] == wanted


def test_a_page_of_image_ids_continues_within_an_image(demo: Ecr) -> None:
    digest = demo.push("demo", "a")
    for tag in ("b", "c"):
        demo(
            "PutImage",
            repositoryName="demo",
            imageManifest=demo.manifest("demo"),
            imageTag=tag,
        )
    first = demo("ListImages", repositoryName="demo", maxResults=2)
    rest = demo("ListImages", repositoryName="demo", nextToken=first["nextToken"])
    assert first["imageIds"] + rest["imageIds"] == [
        {"imageDigest": digest, "imageTag": tag} for tag in ("a", "b", "c")
    ]


def test_a_tag_is_deleted_and_the_image_with_its_last(demo: Ecr) -> None:
    digest = demo.push("demo", "v1")
    demo("PutImage", repositoryName="demo", imageManifest=demo.manifest("demo"), imageTag="v2")
    gone = demo("BatchDeleteImage", repositoryName="demo", imageIds=[{"imageTag": "v1"}])
    assert gone == {"imageIds": [{"imageDigest": digest, "imageTag": "v1"}], "failures": []}
    assert demo("DescribeImages", repositoryName="demo")["imageDetails"][0]["imageTags"] == ["v2"]
    demo("BatchDeleteImage", repositoryName="demo", imageIds=[{"imageTag": "v2"}])
    assert demo("ListImages", repositoryName="demo")["imageIds"] == []


def test_deleting_by_digest_takes_every_tag(demo: Ecr) -> None:
    digest = demo.push("demo", "v1")
    demo("PutImage", repositoryName="demo", imageManifest=demo.manifest("demo"), imageTag="v2")
    gone = demo("BatchDeleteImage", repositoryName="demo", imageIds=[{"imageDigest": digest}])
    assert gone["imageIds"] == [
        {"imageDigest": digest, "imageTag": "v1"},
        {"imageDigest": digest, "imageTag": "v2"},
    ]
    assert demo("ListImages", repositoryName="demo")["imageIds"] == []


def test_an_image_of_an_index_stays_until_the_index_goes(demo: Ecr) -> None:
    child = demo.push("demo", content="child")
    index = demo.push_index("demo", [child], "multi")
    wanted = [{"imageDigest": child}]
    assert demo("BatchDeleteImage", repositoryName="demo", imageIds=wanted) == {
        "imageIds": [],
        "failures": [
            {
                "imageId": {"imageDigest": child},
                "failureCode": "ImageReferencedByManifestList",
                "failureReason": f"Requested image referenced by manifest list: [{index}]",
            }
        ],
    }


@pytest.mark.parametrize("index_first", [True, False])
def test_an_image_that_an_index_lists_goes_in_a_later_call(demo: Ecr, index_first: bool) -> None:
    """Reported as F5."""
    child = demo.push("demo", content="child")
    index = demo.push_index("demo", [child], "multi")
    both = [{"imageDigest": index}, {"imageDigest": child}]
    asked = both if index_first else both[::-1]
    answer = demo("BatchDeleteImage", repositoryName="demo", imageIds=asked)
    assert [one["imageDigest"] for one in answer["imageIds"]] == [index]
    assert answer["failures"] == [
        {
            "imageId": {"imageDigest": child},
            "failureCode": "ImageReferencedByManifestList",
            "failureReason": f"Requested image referenced by manifest list: [{index}]",
        }
    ]
    again = demo("BatchDeleteImage", repositoryName="demo", imageIds=[{"imageDigest": child}])
    assert again["failures"] == []


def test_indexes_of_indexes_go_level_by_level(demo: Ecr) -> None:
    child = demo.push("demo", content="child")
    inner = demo.push_index("demo", [child])
    outer = demo.push_index("demo", [inner])
    every = [{"imageDigest": digest} for digest in (child, inner, outer)]
    for gone in (outer, inner, child):
        answer = demo("BatchDeleteImage", repositoryName="demo", imageIds=every)
        assert [one["imageDigest"] for one in answer["imageIds"]] == [gone]


def test_the_last_tag_of_a_listed_image_stays_and_the_others_go(demo: Ecr) -> None:
    child = demo.push("demo", "v1", content="child")
    demo.push("demo", "v2", content="child")
    demo.push_index("demo", [child])
    tags = [{"imageTag": "v1"}, {"imageTag": "v2"}]
    answer = demo("BatchDeleteImage", repositoryName="demo", imageIds=tags)
    assert answer["imageIds"] == [{"imageDigest": child, "imageTag": "v1"}]
    assert [one["imageId"] for one in answer["failures"]] == [{"imageTag": "v2"}]


def test_referrers_of_an_image_are_listed(demo: Ecr) -> None:
    subject = demo.push("demo", "v1")
    manifest = json.loads(demo.manifest("demo", "sbom"))
    manifest |= {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/spdx+json",
        "subject": {"mediaType": MANIFEST, "digest": subject, "size": 1},
        "annotations": {"made.by": "test"},
    }
    text = json.dumps(manifest)
    demo("PutImage", repositoryName="demo", imageManifest=text)
    ask = {"repositoryName": "demo", "subjectId": {"imageDigest": subject}}
    (referrer,) = demo("ListImageReferrers", **ask)["referrers"]
    assert referrer["digest"] == digest_of(text)
    assert referrer["artifactType"] == "application/spdx+json"
    assert referrer["annotations"] == {"made.by": "test"}
    other = {"artifactTypes": ["application/other"]}
    assert demo("ListImageReferrers", **ask, filter=other)["referrers"] == []


def test_a_tag_and_a_digest_must_agree(demo: Ecr) -> None:
    digest = demo.push("demo", "v1")
    wrong = {"imageTag": "v1", "imageDigest": "sha256:" + "a" * 64}
    absent = {"imageTag": "none", "imageDigest": digest}
    for operation in ("BatchGetImage", "BatchDeleteImage"):
        failures = demo(operation, repositoryName="demo", imageIds=[wrong, absent])["failures"]
        assert failures == [
            {
                "imageId": wrong,
                "failureCode": "ImageTagDoesNotMatchDigest",
                "failureReason": "Invalid request parameters: given tag does not map to the "
                "given digest",
            },
            {
                "imageId": absent,
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            },
        ]


def test_an_image_named_twice_is_deleted_once(demo: Ecr) -> None:
    digest = demo.push("demo", "v1")
    twice = [{"imageDigest": digest}, {"imageTag": "v1"}]
    assert demo("BatchDeleteImage", repositoryName="demo", imageIds=twice) == {
        "imageIds": [{"imageDigest": digest, "imageTag": "v1"}],
        "failures": [],
    }
