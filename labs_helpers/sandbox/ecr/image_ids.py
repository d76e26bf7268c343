"""Image identifiers of requests: a digest, a tag or both, and what is wrong with them."""

import re
from collections.abc import Mapping

from labs_helpers.sandbox.ecr import images
from labs_helpers.sandbox.ecr.images import Image
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.ecr.validation import IMAGE_TAG

_DIGEST = r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"

ImageId = Mapping[str, str]


def fault(image_id: ImageId) -> tuple[str, str] | None:
    """ECR's failure code and reason for an identifier that can name no image, else None."""
    if not image_id.get("imageDigest") and not image_id.get("imageTag"):
        return (
            "MissingDigestAndTag",
            "Invalid request parameters: both tag and digest cannot be null",
        )
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    if digest is not None and not re.fullmatch(_DIGEST, digest):
        return (
            "InvalidImageDigest",
            f"Invalid request parameters: image digest should satisfy the regex '{_DIGEST}'",
        )
    if tag is not None and not re.fullmatch(IMAGE_TAG, tag):
        return (
            "InvalidImageTag",
            f"Invalid request parameters: image tag should satisfy the regex '{IMAGE_TAG}'",
        )
    return None


def look_up(
    store: Store, repository: Repository, image_id: ImageId
) -> tuple[Image | None, dict[str, object]]:
    """The image that an identifier names, else None and the entry for ``failures``."""
    wrong = fault(image_id)
    if wrong:
        return None, failure(image_id, *wrong)
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    image = images.find(store, repository, digest=digest, tag=tag)
    if image is None and digest and tag and digest_differs(store, repository, digest, tag):
        return None, failure(
            image_id,
            "ImageTagDoesNotMatchDigest",
            "Invalid request parameters: given tag does not map to the given digest",
        )
    return image, not_found(image_id)


def digest_differs(store: Store, repository: Repository, digest: str, tag: str) -> bool:
    """Whether the tag is there and names another image."""
    tagged = images.find(store, repository, tag=tag)
    return tagged is not None and tagged.digest != digest


def failure(image_id: ImageId, code: str, reason: str) -> dict[str, object]:
    """One entry of an answer's ``failures``."""
    return {"imageId": dict(image_id), "failureCode": code, "failureReason": reason}


def not_found(image_id: ImageId) -> dict[str, object]:
    """The entry for an image that is not there."""
    return failure(image_id, "ImageNotFound", "Requested image not found")
