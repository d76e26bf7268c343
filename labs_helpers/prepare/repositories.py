"""Repositories of the private registry, and how it scans them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from labs_helpers.defaults import REPOSITORY
from labs_helpers.prepare.step import Place, Step


def empty_repository(name: str = REPOSITORY) -> Step:
    """The repository with AWS's default settings and no image, as just created."""

    def ensure(place: Place) -> None:
        ecr = place.client("ecr")
        if place.mode == "sandbox":
            _delete(ecr, name)
            ecr.create_repository(repositoryName=name)
        else:
            with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
                ecr.create_repository(repositoryName=name)
            _empty(ecr, name)

    return Step(f"repository {name} exists, empty", ensure)


def no_repository(name: str = REPOSITORY) -> Step:
    """No repository of this name, nor any image in it."""

    def ensure(place: Place) -> None:
        _delete(place.client("ecr"), name)

    return Step(f"repository {name} does not exist", ensure)


def no_scanning_rules() -> Step:
    """Basic scanning, and no rule that asks for it. Left out on AWS: the rules may be in use."""

    def ensure(place: Place) -> None:
        place.client("ecr").put_registry_scanning_configuration(scanType="BASIC", rules=[])

    return Step("the registry has no scanning rules", ensure, on_aws=False)


def _delete(ecr: Any, name: str) -> None:
    with suppress(ecr.exceptions.RepositoryNotFoundException):
        ecr.delete_repository(repositoryName=name, force=True)


def _empty(ecr: Any, name: str) -> None:
    pages = ecr.get_paginator("list_images").paginate(repositoryName=name)
    digests = sorted({image["imageDigest"] for page in pages for image in page["imageIds"]})
    for start in range(0, len(digests), 100):
        some = [{"imageDigest": digest} for digest in digests[start : start + 100]]
        ecr.batch_delete_image(repositoryName=name, imageIds=some)
