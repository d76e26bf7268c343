"""Image identifiers in requests: a digest, a tag or both; which are malformed, what they name."""

import re
from collections.abc import Mapping

from labs_helpers.sandbox.ecr import images
from labs_helpers.sandbox.ecr.errors import InvalidParameter
from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.ecr.validation import IMAGE_TAG

_DIGEST = r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
_INVALID = "Invalid request parameters:"

ImageId = Mapping[str, str]


def digest_and_tag(image_id: ImageId) -> dict[str, str | None]:
    """An identifier's digest and tag, by these names."""
    return {"digest": image_id.get("imageDigest"), "tag": image_id.get("imageTag")}


def get(store: Store, repository: Repository, image_id: ImageId) -> Image:
    """The image that an identifier names; raises InvalidParameter or ImageNotFound."""
    if problem := _problem(image_id):
        raise InvalidParameter(problem[1])
    return images.get(store, repository, **digest_and_tag(image_id))


def look_up(
    store: Store, repository: Repository, image_id: ImageId
) -> tuple[Image | None, dict[str, object]]:
    """The image that an identifier names, or None; and the entry of ``failures`` for None."""
    if problem := _problem(image_id):
        return None, failure(image_id, *problem)
    image = images.find(store, repository, **digest_and_tag(image_id))
    if image is None and image_id.get("imageDigest") and image_id.get("imageTag"):
        tagged = images.find(store, repository, tag=image_id["imageTag"])
        if tagged is not None and tagged.digest != image_id["imageDigest"]:
            reason = f"{_INVALID} given tag does not map to the given digest"
            return None, failure(image_id, "ImageTagDoesNotMatchDigest", reason)
    return image, not_found(image_id)


def failure(image_id: ImageId, code: str, reason: str) -> dict[str, object]:
    """One entry of an answer's ``failures``."""
    return {"imageId": dict(image_id), "failureCode": code, "failureReason": reason}


def not_found(image_id: ImageId) -> dict[str, object]:
    """The entry of ``failures`` for an image that does not exist."""
    return failure(image_id, "ImageNotFound", "Requested image not found")


def _problem(image_id: ImageId) -> tuple[str, str] | None:
    """ECR's failure code and reason for a malformed identifier, else None."""
    digest, tag = digest_and_tag(image_id).values()
    if not digest and not tag:
        return "MissingDigestAndTag", f"{_INVALID} both tag and digest cannot be null"
    if digest is not None and not re.fullmatch(_DIGEST, digest):
        reason = f"{_INVALID} image digest should satisfy the regex '{_DIGEST}'"
        return "InvalidImageDigest", reason
    if tag is not None and not re.fullmatch(IMAGE_TAG, tag):
        return "InvalidImageTag", f"{_INVALID} image tag should satisfy the regex '{IMAGE_TAG}'"
    return None
