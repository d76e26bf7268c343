"""Operations on lifecycle policies and their previews, and on the storage classes of images."""

from datetime import UTC, datetime
from functools import partial

from labs_helpers.sandbox.ecr import (
    documents,
    image_ids,
    images,
    lifecycle_runs,
    previews,
    storage,
)
from labs_helpers.sandbox.ecr.lifecycle_text import as_ecr_prints, check_lifecycle_policy
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.validation import refuse_paging
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members

#: ``lastEvaluatedAt`` of a lifecycle policy that ECR has not evaluated yet.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class LifecyclePolicyNotFound(ServiceError):
    """The repository has no lifecycle policy."""

    code = "LifecyclePolicyNotFoundException"
    words = (
        "Lifecycle policy does not exist for the repository with name '{repositoryName}' in the "
        "registry with id '{registryId}'"
    )


class PreviewNotFound(ServiceError):
    """Nobody has started a preview in the repository; AWS publishes no words for this."""

    code = "LifecyclePolicyPreviewNotFoundException"
    words = (
        "Lifecycle policy preview does not exist for the repository with name '{repositoryName}' "
        "in the registry with id '{registryId}'"
    )


class StorageClassUpdateNotSupported(ServiceError):
    """The image cannot go to that storage class now.

    The words are those of botocore's model; the reason after them is the sandbox's.
    """

    code = "ImageStorageClassUpdateNotSupportedException"
    words = "The requested image storage class update is not supported. ({reason})"


def put_lifecycle_policy(call: Call, params: Members) -> Members:
    """Replaces the policy; ECR applies the new policy within 24 hours (`lifecycle_runs`)."""
    repository = call.repository(params["repositoryName"])
    text = _checked(params["lifecyclePolicyText"])
    lifecycle_runs.put_policy(call.store, repository, text)
    return {**repository.names, "lifecyclePolicyText": text}


def get_lifecycle_policy(call: Call, params: Members) -> Members:
    """The lifecycle policy; ``lastEvaluatedAt`` is 1970 for one that was never evaluated."""
    repository = call.repository(params["repositoryName"])
    last = lifecycle_runs.evaluated_at(call.store, repository) or NEVER
    text = _stored(call, repository)
    return {**repository.names, "lifecyclePolicyText": text, "lastEvaluatedAt": last}


def delete_lifecycle_policy(call: Call, params: Members) -> Members:
    """Removes the lifecycle policy and answers with it."""
    answer = get_lifecycle_policy(call, params)
    lifecycle_runs.delete_policy(call.store, call.repository(params["repositoryName"]))
    return answer


def start_lifecycle_policy_preview(call: Call, params: Members) -> Members:
    """Evaluates a policy, without effect; without ``lifecyclePolicyText`` the repository's own.

    The answer says IN_PROGRESS, as on AWS, and the preview is complete when somebody asks.
    """
    repository = call.repository(params["repositoryName"])
    if "lifecyclePolicyText" in params:
        text = _checked(params["lifecyclePolicyText"])
    else:
        text = _stored(call, repository)
    outcomes = lifecycle_runs.outcomes(call.store, repository, text)
    previews.keep(call.store, repository, text, outcomes)
    return {**repository.names, "lifecyclePolicyText": text, "status": "IN_PROGRESS"}


def get_lifecycle_policy_preview(call: Call, params: Members) -> Members:
    """The images that the policy of the last preview would expire or archive, the oldest first."""
    repository = call.repository(params["repositoryName"])
    preview = previews.find(call.store, repository)
    if preview is None:
        raise PreviewNotFound(**repository.names)
    found = partial(
        previews.results,
        call.store,
        repository,
        params.get("filter", {}).get("tagStatus", "ANY"),
    )
    token = None
    if "imageIds" in params:
        refuse_paging(params, "imageIds")
        wanted = params["imageIds"]
        part = [
            each
            for _, each in found(None, -1)
            if any(previews.is_named(each, one) for one in wanted)
        ]
    else:
        part, token = call.page_after(found, params, repository.name, preview.text)
    archived = {"targetStorageClass": "ARCHIVE", "imageTotalCount": preview.archiving}
    return {
        **repository.names,
        "lifecyclePolicyText": preview.text,
        "status": "COMPLETE",
        "nextToken": token,
        "previewResults": part,
        "summary": {
            "expiringImageTotalCount": preview.expiring,
            "transitioningImageTotalCounts": [archived] if preview.archiving else [],
        },
    }


def update_image_storage_class(call: Call, params: Members) -> Members:
    """Moves an image to the archive, or starts the way back, which takes `storage.RESTORE_TIME`."""
    repository = call.repository(params["repositoryName"])
    image = image_ids.get(call.store, repository, params["imageId"])
    now = call.clock.now()
    status = image.status(now)
    wanted = params["targetStorageClass"]
    if status == "ACTIVATING" or (status == "ARCHIVED") == (wanted == "ARCHIVE"):
        raise StorageClassUpdateNotSupported(reason=f"the image is {status}")
    if wanted == "ARCHIVE":
        active = [
            index
            for index in images.indexes_of(call.store, repository, image.digest)
            if not images.get(call.store, repository, digest=index).archived
        ]
        if active:
            reason = f"the index {active[0]} lists the image: archive the index first"
            raise StorageClassUpdateNotSupported(reason=reason)
    with call.store.write() as db:
        if wanted == "ARCHIVE":
            storage.archive(db, image, now)
        else:
            storage.activate(db, image.id, now + storage.RESTORE_TIME)
    return {
        **repository.names,
        "imageId": params["imageId"],
        "imageStatus": "ARCHIVED" if wanted == "ARCHIVE" else "ACTIVATING",
    }


def _checked(text: str) -> str:
    check_lifecycle_policy(text)
    return as_ecr_prints(text)


def _stored(call: Call, repository: Repository) -> str:
    missing = LifecyclePolicyNotFound(**repository.names)
    found = documents.get(call.store, repository, lifecycle_runs.POLICY, missing=missing)
    return str(found)
