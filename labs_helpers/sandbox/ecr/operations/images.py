"""Operations on images: put, get, describe, list and delete them."""

import json
import re
from datetime import datetime
from typing import Any

from labs_helpers.sandbox.ecr import image_ids, image_lists, images
from labs_helpers.sandbox.ecr.elsewhere import KmsError
from labs_helpers.sandbox.ecr.errors import (
    ImageAlreadyExists,
    ImageNotFound,
    ImageReferenced,
    InvalidParameter,
)
from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.storage import INACCESSIBLE
from labs_helpers.sandbox.ecr.validation import IMAGE_TAG, invalid, refuse_paging
from labs_helpers.sandbox.service.paging import Keyed
from labs_helpers.sandbox.service.service import Members

#: Items of a page of ListImageReferrers when maxResults is left out.
_REFERRERS_PAGE = 20


def put_image(call: Call, params: Members) -> Members:
    """Stores a manifest, whose layers the repository must hold, and tags the image."""
    repository = call.repository(params["repositoryName"])
    call.elsewhere.require_key(repository)
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
        raise ImageAlreadyExists(digest=put.image.digest, tag=tag, **repository.names)
    return {"image": _image(repository, put.image, tag)}


def batch_get_image(call: Call, params: Members) -> Members:
    """The requested manifests; an image requested by digest comes once for each tag.

    An image requested by tag is converted when acceptedMediaTypes has the other format only.
    """
    repository = call.repository(params["repositoryName"])
    accepted = params.get("acceptedMediaTypes")
    unusable = _unusable_key(call, repository)
    found: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for image_id in params["imageIds"]:
        image, failed = image_ids.look_up(call.store, repository, image_id)
        if image is None:
            failures.append(failed)
            continue
        tag = image_id.get("imageTag")
        given = image
        if accepted and image.media_type not in accepted:
            by_tag = tag is not None and "imageDigest" not in image_id
            in_format = images.accepted(image, accepted.__contains__) if by_tag else None
            if in_format is None:
                failures.append(image_ids.not_found(image_id))
                continue
            given = in_format
        if not images.is_pullable(call.store, image):
            failures.append(image_ids.failure(image_id, "ImageInaccessible", INACCESSIBLE))
            continue
        if unusable is not None:
            failures.append(image_ids.failure(image_id, "KmsError", unusable.message))
            continue
        images.record_pull(call.store, call.registry, image, call.principal.arn)
        tags: tuple[str | None, ...] = (tag,) if tag else image.tags or (None,)
        found.extend(_image(repository, given, each) for each in tags)
    return {"images": found, "failures": failures}


def batch_delete_image(call: Call, params: Members) -> Members:
    """Deletes by digest (the image with all its tags) or by tag (the image with its last tag).

    An image that an index listed when the request came stays, although the request deletes the
    index: https://github.com/opensupplyhub/open-supply-hub/pull/1243. Tools that empty a repository
    therefore delete in passes, as
    https://github.com/aws/aws-cdk/blob/main/packages/%40aws-cdk/custom-resource-handlers/lib/aws-ecr/auto-delete-images-handler/index.ts
    """
    repository = call.repository(params["repositoryName"])
    deleted: list[dict[str, str]] = []
    failures: list[dict[str, Any]] = []
    found = []
    indexes: dict[str, list[str]] = {}
    for image_id in params["imageIds"]:
        image, failed = image_ids.look_up(call.store, repository, image_id)
        if image is None:
            failures.append(failed)
        else:
            found.append(image_id)
            indexes[image.digest] = images.indexes_of(call.store, repository, image.digest)
    for image_id in found:
        try:
            deleted.extend(_delete(call, repository, image_id, indexes))
        except ImageReferenced as error:
            failures.append(image_ids.failure(image_id, error.code, error.message))
    return {"imageIds": deleted, "failures": failures}


def describe_images(call: Call, params: Members) -> Members:
    """Details of the requested images, else of all images, in the order of their pushes."""
    repository = call.repository(params["repositoryName"])
    now = call.clock.now()
    if "imageIds" in params:
        refuse_paging(params, "imageIds")
        found = [image_ids.get(call.store, repository, each) for each in params["imageIds"]]
        by_digest = {image.digest: image for image in found}
        return {"imageDetails": [_detail(repository, image, now) for image in by_digest.values()]}
    chosen = _chosen(params, now)

    def after(last: list[str] | None, limit: int) -> Keyed[dict[str, Any]]:
        place = 0 if last is None else int(last[0])
        found = image_lists.after(call.store, repository, chosen, place, limit)
        return [([str(image.id)], _detail(repository, image, now)) for image in found]

    part, token = call.page_after(after, params, repository.name)
    return {"imageDetails": part, "nextToken": token}


def list_images(call: Call, params: Members) -> Members:
    """Digest and tag for each tag, and the digest of each image without a tag."""
    repository = call.repository(params["repositoryName"])
    chosen = _chosen(params, call.clock.now())

    def after(last: list[str] | None, limit: int) -> Keyed[dict[str, Any]]:
        place = (0, "") if last is None else (int(last[0]), last[1])
        found = image_lists.names_after(call.store, repository, chosen, place, limit)
        return [
            (
                [str(number), tag or ""],
                {"imageDigest": digest, "imageTag": tag} if tag else {"imageDigest": digest},
            )
            for number, digest, tag in found
        ]

    part, token = call.page_after(after, params, repository.name)
    return {"imageIds": part, "nextToken": token}


def list_image_referrers(call: Call, params: Members) -> Members:
    """The artifacts (signatures, SBOMs) whose subject is the image."""
    repository = call.repository(params["repositoryName"])
    filters = params.get("filter", {})
    types = filters.get("artifactTypes")
    now = call.clock.now()
    referrers = images.referrers(call.store, repository, params["subjectId"].get("imageDigest", ""))
    items = [
        ([_order(image)], _referrer(image, now))
        for image in referrers
        if filters.get("artifactStatus", "ACTIVE") in (image.status(now), "ANY")
        and (not types or image.artifact_type in types)
    ]
    part, token = call.page(items, params, repository.name, size=_REFERRERS_PAGE)
    return {"referrers": part, "nextToken": token}


def _unusable_key(call: Call, repository: Repository) -> KmsError | None:
    try:
        call.elsewhere.require_key(repository)
    except KmsError as error:
        return error
    return None


def _names_its_type(manifest: str) -> bool:
    try:
        document = json.loads(manifest)
    except (ValueError, RecursionError):
        return True  # not a manifest: the manifest's own validation says so better
    return not isinstance(document, dict) or "mediaType" in document


def _delete(
    call: Call, repository: Repository, image_id: dict[str, str], indexes: dict[str, list[str]]
) -> list[dict[str, str]]:
    try:
        deletion = images.delete(
            call.store, repository, **image_ids.digest_and_tag(image_id), listed_before=indexes
        )
    except ImageNotFound:
        return []  # another identifier of this request deleted the image
    if not deletion.tags:
        return [{"imageDigest": deletion.digest}]
    return [{"imageDigest": deletion.digest, "imageTag": each} for each in deletion.tags]


def _detail(repository: Repository, image: Image, now: datetime) -> dict[str, Any]:
    """An image in the shape of the API's ``ImageDetail``.

    Without ``imageScanStatus`` and ``imageScanFindingsSummary``: AWS's own basic scanning, the
    only one left, does not fill them, and nor does enhanced scanning. Sources: the note in
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html and
    https://github.com/aws/containers-roadmap/issues/1662
    """
    return {
        **repository.names,
        "imageDigest": image.digest,
        "imageTags": list(image.tags) or None,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "artifactMediaType": image.artifact_type,
        "lastRecordedPullTime": image.last_pulled_at,
        "subjectManifestDigest": image.subject,
        "imageStatus": image.status(now),
        "lastArchivedAt": image.archived_at,
        "lastActivatedAt": image.activated_at,
    }


def _image(repository: Repository, image: Image, tag: str | None) -> dict[str, Any]:
    return {
        **repository.names,
        "imageId": _image_id(image, tag),
        "imageManifest": image.body.decode(),
        "imageManifestMediaType": image.media_type,
    }


def _referrer(image: Image, now: datetime) -> dict[str, Any]:
    return {
        "digest": image.digest,
        "mediaType": image.media_type,
        "artifactType": image.artifact_type,
        "size": len(image.body),
        "annotations": dict(image.annotations) or None,
        "artifactStatus": image.status(now),
    }


def _image_id(image: Image, tag: str | None) -> dict[str, Any]:
    return {"imageDigest": image.digest, "imageTag": tag}


def _order(image: Image) -> str:
    return f"{image.id:020d}"


def _chosen(params: Members, now: datetime) -> image_lists.Chosen:
    """What the request's filter lets through; without imageStatus only images that are ACTIVE.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImagesFilter.html
    """
    asked = params.get("filter", {})
    return image_lists.Chosen(
        asked.get("tagStatus", "ANY"), asked.get("imageStatus", "ACTIVE"), now
    )
