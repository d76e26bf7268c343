"""Lists of images in pages of every size and with every filter; images with many tags and none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.sandbox.ecr.operations.ecr_api import Ecr

TAGS = {"one": ["v1", "latest", "v1.0"], "two": [], "three": ["v3"], "four": [], "five": ["v5"]}
STATUS = {"one": "ACTIVE", "two": "ACTIVE", "three": "ARCHIVED", "four": "ARCHIVED", "five": ""}


@pytest.fixture
def full(demo: Ecr) -> tuple[Ecr, dict[str, str]]:
    """ECR with five images, one on the way back from the archive; names by digest."""
    named = {}
    for content, tags in TAGS.items():
        for tag in tags or [None]:
            digest = demo.push("demo", tag, content)
        named[digest] = content
        for target in {"ACTIVE": [], "ARCHIVED": ["ARCHIVE"], "": ["ARCHIVE", "STANDARD"]}[
            STATUS[content]
        ]:
            demo(
                "UpdateImageStorageClass",
                repositoryName="demo",
                imageId={"imageDigest": digest},
                targetStorageClass=target,
            )
    return demo, named


def pages(ecr: Ecr, operation: str, member: str, **asked: Any) -> Iterator[list[dict[str, Any]]]:
    answer = ecr(operation, repositoryName="demo", **asked)
    yield answer.get(member, [])
    while "nextToken" in answer:
        answer = ecr(operation, repositoryName="demo", nextToken=answer["nextToken"], **asked)
        yield answer.get(member, [])


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_of_every_filter_hold_each_image_once_in_order(
    full: tuple[Ecr, dict[str, str]], size: int
) -> None:
    ecr, named = full
    for tagged, status in product(
        ("ANY", "TAGGED", "UNTAGGED"), ("ANY", "ACTIVE", "ARCHIVED", "ACTIVATING")
    ):
        wanted = [
            name
            for name, tags in TAGS.items()
            if tagged in ("ANY", "TAGGED" if tags else "UNTAGGED")
            and status in ("ANY", STATUS[name] or "ACTIVATING")
        ]
        asked = {"maxResults": size, "filter": {"tagStatus": tagged, "imageStatus": status}}
        described = list(pages(ecr, "DescribeImages", "imageDetails", **asked))
        listed = list(pages(ecr, "ListImages", "imageIds", **asked))
        assert all(len(page) == size for page in [*described[:-1], *listed[:-1]])
        assert [
            (named[one["imageDigest"]], one.get("imageTags", []))
            for page in described
            for one in page
        ] == [(name, sorted(TAGS[name])) for name in wanted]
        assert [
            (named[one["imageDigest"]], one.get("imageTag")) for page in listed for one in page
        ] == [(name, tag) for name in wanted for tag in (sorted(TAGS[name]) or [None])]


def test_what_comes_and_goes_between_two_pages_repeats_and_skips_nothing(
    full: tuple[Ecr, dict[str, str]],
) -> None:
    ecr, named = full
    everything = {"tagStatus": "ANY", "imageStatus": "ANY"}
    first = ecr("DescribeImages", repositoryName="demo", maxResults=2, filter=everything)
    digests = {name: digest for digest, name in named.items()}
    gone = [{"imageDigest": digests[name]} for name in ("one", "three")]
    ecr("BatchDeleteImage", repositoryName="demo", imageIds=gone)
    new = ecr.push("demo", "v6", "six")
    rest = ecr(
        "DescribeImages", repositoryName="demo", filter=everything, nextToken=first["nextToken"]
    )
    seen = [one["imageDigest"] for one in rest["imageDetails"]]
    assert seen == [digests["four"], digests["five"], new]
