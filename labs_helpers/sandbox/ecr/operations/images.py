"""Operations on images: put, get, describe, list and delete them."""

import json
import re
from typing import Any

from labs_helpers.sandbox.ecr import images
from labs_helpers.sandbox.ecr.errors import (
    ImageAlreadyExists,
    ImageNotFound,
    ImageReferenced,
    InvalidParameter,
)
from labs_helpers.sandbox.ecr.image_ids import failure, fault, look_up, not_found
from labs_helpers.sandbox.ecr.images import Image
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.validation import IMAGE_TAG, invalid, refuse_paging
from labs_helpers.sandbox.service.service import Members

#: What ListImageReferrers gives when maxResults is not said.
_REFERRERS_PAGE = 20


def put_image(call: Call, params: Members) -> Members:
    """Stores a manifest, whose layers the repository must hold, and lets a tag name it."""
    repository = call.repository(params["repositoryName"])
    tag = params.get("imageTag")
    if tag is not None and not re.fullmatch(IMAGE_TAG, tag):
        raise invalid("imageTag", f"must satisfy regular expression '{IMAGE_TAG}'")
    text, media_type = params["imageManifest"], params.get("imageManifestMediaType")
    if media_type is None and not _names_its_type(text):
        raise InvalidParameter("image manifest mediatype not provided in manifest or parameter")
    put = images.put(
        call.store,
        repository,
        text.encode(),
        media_type=media_type,
        tag=tag,
        digest=params.get("imageDigest"),
    )
    if not put.changed:
        raise ImageAlreadyExists(put.image.digest, tag, repository.name, repository.account)
    return {"image": _shown(repository, put.image, tag)}


def batch_get_image(call: Call, params: Members) -> Members:
    """The manifests asked for; by digest alone, once for each tag that the image has."""
    repository = call.repository(params["repositoryName"])
    accepted = params.get("acceptedMediaTypes")
    found: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for image_id in params["imageIds"]:
        image, failed = look_up(call.store, repository, image_id)
        if image is None:
            failures.append(failed)
            continue
        if accepted and image.media_type not in accepted:
            failures.append(not_found(image_id))
            continue
        tag = image_id.get("imageTag")
        images.record_pull(call.store, image)
        tags: tuple[str | None, ...] = (tag,) if tag else image.tags or (None,)
        found.extend(_shown(repository, image, each) for each in tags)
    return {"images": found, "failures": failures}


def batch_delete_image(call: Call, params: Members) -> Members:
    """Deletes by digest (the image with all its tags) or by tag (the image with its last tag).

    What is listed by an index goes after the index, in whatever order they are asked for.
    """
    repository = call.repository(params["repositoryName"])
    deleted: list[dict[str, str]] = []
    failures: list[dict[str, Any]] = []
    waiting = []
    for image_id in params["imageIds"]:
        image, failed = look_up(call.store, repository, image_id)
        if image is None:
            failures.append(failed)
        else:
            waiting.append(image_id)
    held: list[dict[str, Any]] = []
    while waiting:
        held, again = [], []
        for image_id in waiting:
            try:
                deleted.extend(_delete(call, repository, image_id))
            except ImageReferenced as error:
                again.append(image_id)
                held.append(failure(image_id, error.code, error.message))
        waiting = again if len(again) < len(waiting) else []
    return {"imageIds": deleted, "failures": failures + held}


def describe_images(call: Call, params: Members) -> Members:
    """What is known of the images asked for, else of all, in the order they were pushed."""
    repository = call.repository(params["repositoryName"])
    if "imageIds" in params:
        refuse_paging(params, "imageIds")
        return {"imageDetails": _details(call, repository, params["imageIds"])}
    wanted = params.get("filter", {})
    keyed = [
        ([_order(image)], _detail(repository, image))
        for image in images.list_all(call.store, repository)
        if _passes(wanted, image)
    ]
    part, token = call.page(keyed, params, repository.name)
    return {"imageDetails": part, "nextToken": token}


def list_images(call: Call, params: Members) -> Members:
    """Digest and tag of each tag, and the digest of each image that has none."""
    repository = call.repository(params["repositoryName"])
    wanted = params.get("filter", {})
    keyed = [
        ([_order(image), tag or ""], _image_id(image, tag))
        for image in images.list_all(call.store, repository)
        if _passes(wanted, image)
        for tag in (image.tags or (None,))
    ]
    part, token = call.page(keyed, params, repository.name)
    return {"imageIds": part, "nextToken": token}


def list_image_referrers(call: Call, params: Members) -> Members:
    """The artifacts (signatures, SBOMs) whose subject is the image."""
    repository = call.repository(params["repositoryName"])
    wanted = params.get("filter", {})
    types = wanted.get("artifactTypes")
    referrers = images.referrers(call.store, repository, params["subjectId"].get("imageDigest", ""))
    keyed = [
        ([_order(image)], _referrer(image))
        for image in referrers
        if wanted.get("artifactStatus", "ACTIVE") in ("ACTIVE", "ANY")
        and (not types or image.artifact_type in types)
    ]
    part, token = call.page(keyed, params, repository.name, size=_REFERRERS_PAGE)
    return {"referrers": part, "nextToken": token}


def _names_its_type(manifest: str) -> bool:
    try:
        document = json.loads(manifest)
    except (ValueError, RecursionError):
        return True  # it is no manifest, which the manifest's own check says better
    return not isinstance(document, dict) or "mediaType" in document


def _delete(call: Call, repository: Repository, image_id: dict[str, str]) -> list[dict[str, str]]:
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    try:
        gone = images.delete(call.store, repository, digest=digest, tag=tag)
    except ImageNotFound:
        return []  # it was there: another identifier of the same request took it
    if not gone.tags:
        return [{"imageDigest": gone.digest}]
    return [{"imageDigest": gone.digest, "imageTag": each} for each in gone.tags]


def _details(
    call: Call, repository: Repository, image_ids: list[dict[str, str]]
) -> list[dict[str, Any]]:
    found: dict[str, Image] = {}
    for image_id in image_ids:
        wrong = fault(image_id)
        if wrong:
            raise InvalidParameter(wrong[1])
        image = images.get(
            call.store, repository, digest=image_id.get("imageDigest"), tag=image_id.get("imageTag")
        )
        found[image.digest] = image
    return [_detail(repository, image) for image in found.values()]


def _detail(repository: Repository, image: Image) -> dict[str, Any]:
    """An image in the shape of the API's ``ImageDetail``.

    Without ``imageScanStatus`` and ``imageScanFindingsSummary``: AWS's own basic scanning, the
    only one left, does not fill them, and nor does enhanced scanning. Sources: the note in
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html and
    https://github.com/aws/containers-roadmap/issues/1662
    """
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        "imageTags": list(image.tags) or None,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "artifactMediaType": image.artifact_type,
        "lastRecordedPullTime": image.last_pulled_at,
        "subjectManifestDigest": image.subject,
        "imageStatus": "ACTIVE",
    }


def _shown(repository: Repository, image: Image, tag: str | None) -> dict[str, Any]:
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageId": _image_id(image, tag),
        "imageManifest": image.body.decode(),
        "imageManifestMediaType": image.media_type,
    }


def _referrer(image: Image) -> dict[str, Any]:
    return {
        "digest": image.digest,
        "mediaType": image.media_type,
        "artifactType": image.artifact_type,
        "size": len(image.body),
        "annotations": dict(image.annotations) or None,
        "artifactStatus": "ACTIVE",
    }


def _image_id(image: Image, tag: str | None) -> dict[str, Any]:
    return {"imageDigest": image.digest, "imageTag": tag}


def _order(image: Image) -> str:
    return f"{image.id:020d}"


def _passes(wanted: dict[str, str], image: Image) -> bool:
    by_tag = {"TAGGED": bool(image.tags), "UNTAGGED": not image.tags}
    active = wanted.get("imageStatus", "ACTIVE") in ("ACTIVE", "ANY")
    return active and by_tag.get(wanted.get("tagStatus", "ANY"), True)
