"""Repositories of the private registry, and how it scans them."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.defaults import REPOSITORY
from labs_helpers.files import LabsError
from labs_helpers.prepare.step import Place, Step, count, few


def empty_repository(name: str = REPOSITORY) -> Step:
    """The repository with AWS's default settings and no image, as just created."""

    def ensure(place: Place) -> None:
        ecr = place.client("ecr")
        if place.mode == "sandbox":
            _renew(place, name)
        else:
            with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
                ecr.create_repository(repositoryName=name)
            _until_seen(ecr, name)
            _empty(place, name)

    def gone(place: Place) -> bool:
        ecr = place.client("ecr")
        try:
            ecr.describe_repositories(repositoryNames=[name])
        except ecr.exceptions.RepositoryNotFoundException:
            return True
        return False

    return Step(f"repository {name} exists, empty", ensure, gone)


def _until_seen(ecr: Any, name: str) -> None:
    """Wait until ECR finds a repository that was just created. Raises LabsError after a minute."""
    for left in reversed(range(60)):
        try:
            ecr.describe_repositories(repositoryNames=[name])
        except ecr.exceptions.RepositoryNotFoundException as error:
            if not left:
                raise LabsError(
                    f"The repository {name} was created, and after a minute ECR does not find it: "
                    f"{error}\nRun the cell again."
                ) from error
            time.sleep(1)
        else:
            return


def no_repository(name: str = REPOSITORY) -> Step:
    """No repository of this name, nor any image in it."""

    def ensure(place: Place) -> None:
        ecr = place.client("ecr")
        with suppress(ecr.exceptions.RepositoryNotFoundException):
            had = _said(_images(ecr, name))
            _delete(ecr, name)
            place.removed.append(f"repository {name} with {had}" if had else f"repository {name}")

    return Step(f"repository {name} does not exist", ensure)


def no_scanning_rules() -> Step:
    """Basic scanning, and no rule that asks for it. Left out on AWS: the rules may be in use."""

    def ensure(place: Place) -> None:
        ecr = place.client("ecr")
        had = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
        ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])
        if had.get("rules") or had["scanType"] != "BASIC":
            place.removed.append("the registry's scanning rules")

    return Step("the registry has no scanning rules", ensure, on_aws=False)


def _renew(place: Place, name: str) -> None:
    ecr = place.client("ecr")
    had = []
    with suppress(ecr.exceptions.RepositoryNotFoundException):
        images = _said(_images(ecr, name))
        had = [images] if images else []
        had += ["the settings you gave it"] if _is_changed(ecr, name) else []
        _delete(ecr, name)
        if had:
            place.removed.append(f"of repository {name}: {' and '.join(had)}")
    ecr.create_repository(repositoryName=name)


def _delete(ecr: Any, name: str) -> None:
    """Delete a repository with its images, also one whose own policy forbids that to everybody.

    Whoever may delete the policy may then delete the repository:
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepositoryPolicy.html
    """
    try:
        ecr.delete_repository(repositoryName=name, force=True)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        ecr.delete_repository_policy(repositoryName=name)
        ecr.delete_repository(repositoryName=name, force=True)


def _empty(place: Place, name: str) -> None:
    ecr = place.client("ecr")
    images = _images(ecr, name) or {}
    digests = sorted(images)
    for start in range(0, len(digests), 100):
        some = {digest: images[digest] for digest in digests[start : start + 100]}
        place.removed.append(f"of repository {name}: {_said(some)}")
    while digests:
        left = []
        for start in range(0, len(digests), 100):
            found = [{"imageDigest": digest} for digest in digests[start : start + 100]]
            answer = ecr.batch_delete_image(repositoryName=name, imageIds=found)
            # what an index listed goes in a later call than the index
            left += [
                one["imageId"]["imageDigest"]
                for one in answer["failures"]
                if one["failureCode"] == "ImageReferencedByManifestList"
            ]
        digests = left if len(left) < len(digests) else []


def _images(ecr: Any, name: str) -> dict[str, set[str]] | None:
    """The tags of each image by digest; None where the repository's policy keeps them from us."""
    found: dict[str, set[str]] = {}
    try:
        for page in ecr.get_paginator("list_images").paginate(repositoryName=name):
            for image in page["imageIds"]:
                tags = found.setdefault(image["imageDigest"], set())
                tags.update([image["imageTag"]] if "imageTag" in image else [])
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return None
    return found


def _said(images: dict[str, set[str]] | None) -> str:
    """Images in words, with their first tags; empty for no image."""
    if images is None:
        return "its images"
    tags = sorted(tag for of_image in images.values() for tag in of_image)
    said = count(len(images), "image") if images else ""
    if not tags:
        return said
    tagged = "" if len(tags) == len(images) else f"with {count(len(tags), 'tag')} "
    return f"{said} {tagged}({few(tags)})"


def _is_changed(ecr: Any, name: str) -> bool:
    """Whether a repository differs from one that was just created, apart from its images."""
    try:
        (one,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
        if (
            one["imageTagMutability"] != "MUTABLE"
            or one["imageScanningConfiguration"]["scanOnPush"]
            or one["encryptionConfiguration"]["encryptionType"] != "AES256"
            or ecr.list_tags_for_resource(resourceArn=one["repositoryArn"])["tags"]
        ):
            return True
        with suppress(ecr.exceptions.RepositoryPolicyNotFoundException):
            return bool(ecr.get_repository_policy(repositoryName=name))
        with suppress(ecr.exceptions.LifecyclePolicyNotFoundException):
            return bool(ecr.get_lifecycle_policy(repositoryName=name))
    except ClientError as error:
        # only a policy of the repository's own refuses the learner, who is an administrator
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return True
    return False
