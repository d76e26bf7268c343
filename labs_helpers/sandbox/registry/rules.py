"""Whose rules the `/v2/` API follows where Amazon ECR is stricter than the OCI specification.

ECR's, unless the environment variable LABS_REGISTRY is ``oci`` when the sandbox starts: the strict
OCI mode, under which the checks of the OCI conformance suite pass. Nothing else depends on the
mode: the operations of the ECR API always follow ECR. All sources were read on 2026-11-28.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labs_helpers.files import LabsError

VARIABLE = "LABS_REGISTRY"


@dataclass(frozen=True)
class Rules:
    """What differs between ECR and a registry that keeps to the OCI distribution specification."""

    part_accepted: int
    """Status of a PATCH that added a part. ECR answers 201 where the specification has 202.

    https://github.com/regclient/regclient/issues/81, https://github.com/jdx/mise/pull/11376
    """

    ecr_parts: bool
    """Whether parts but the last have 5 MiB or more, and a blob has at least one part.

    https://github.com/dotnet/sdk-container-builds/issues/424,
    https://github.com/radius-project/radius/issues/7855
    """

    page: int | None
    """Items of a page of tags or repositories when the client names no number; None for all."""

    largest_page: int | None
    """The largest number of items that a client may name.

    https://github.com/google/go-containerregistry/issues/681,
    https://github.com/docker-archive/migrator/issues/96
    """

    checks_tags_of_pulls: bool
    """Whether a pull by a tag that cannot exist is a bad request, not an unknown manifest.

    BatchGetImage says InvalidImageTag of such a tag:
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
    """

    mounts_unreferenced: bool
    """Whether a blob can be mounted that no manifest of its repository names.

    AWS documents mounts of the layers of images only; a client that cannot mount uploads the blob.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
    """

    layerless: bool
    """Whether an image manifest without layers is taken.

    https://github.com/werf/werf/pull/2558
    """

    converts: bool
    """Whether a pull by tag converts a manifest to a format that the client accepts.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html
    """

    refusal_of_parameters: tuple[str, int]
    """Code and status for a parameter that ECR refuses, such as a manifest.

    https://github.com/openai/tart/issues/890 and go-containerregistry's issue above
    """

    missing_blobs: str
    """Code for a manifest whose blobs are not there.

    https://github.com/oras-project/oras-py/issues/54
    """


ECR = Rules(
    part_accepted=201,
    ecr_parts=True,
    page=100,
    largest_page=1000,
    checks_tags_of_pulls=True,
    mounts_unreferenced=False,
    layerless=False,
    converts=True,
    refusal_of_parameters=("UNSUPPORTED", 405),
    missing_blobs="BLOB_UPLOAD_UNKNOWN",
)

OCI = Rules(
    part_accepted=202,
    ecr_parts=False,
    page=None,
    largest_page=None,
    checks_tags_of_pulls=False,
    mounts_unreferenced=True,
    layerless=True,
    converts=False,
    refusal_of_parameters=("MANIFEST_INVALID", 400),
    missing_blobs="MANIFEST_BLOB_UNKNOWN",
)

_BY_NAME = {"": ECR, "ecr": ECR, "oci": OCI}


def chosen(environ: Mapping[str, str]) -> Rules:
    """The rules that LABS_REGISTRY names; raises LabsError for another value."""
    name = environ.get(VARIABLE, "")
    if name not in _BY_NAME:
        raise LabsError(f"{VARIABLE} is {name!r}; it must be ecr (the default) or oci, or unset.")
    return _BY_NAME[name]
