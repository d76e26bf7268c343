"""Where each sentence of ECR's that the sandbox says was seen, and when somebody last looked.

One entry for each class of error with a sentence, by the class's name; `tests/sandbox/ecr/
test_wording.py` holds the list complete. AWS publishes codes and leaves the sentences out, so most
sources are public reports that quote an answer. ``seen`` is the date of the report or page. A
sentence without a source is in the style of its neighbours: nobody was found who quotes it.
"""

from __future__ import annotations

from typing import NamedTuple

READ = "2026-11-28"
"""When every source below was last read."""


class Seen(NamedTuple):
    """A public quotation of a sentence: its address, and its date (year-month)."""

    source: str
    seen: str


_GITHUB = "https://github.com/"

SOURCES: dict[str, Seen] = {
    "RepositoryNotFound": Seen(f"{_GITHUB}turbot/steampipe-plugin-aws/issues/1938", "2023-11"),
    "RepositoryNotEmpty": Seen(
        f"{_GITHUB}DevopsArtFactory/terraform-provisioning/pull/2", "2024-09"
    ),
    "ImageAlreadyExists": Seen(
        f"{_GITHUB}buildkite-plugins/ecr-buildkite-plugin/issues/111", "2025-01"
    ),
    "ImageTagAlreadyExists": Seen(
        # the page has the code; build logs of 2025 and 2026 have the sentence, "the tag is
        # immutable", where reports until 2020 have "the repository is immutable"
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
        "2026-11",
    ),
    "ImageDigestDoesNotMatch": Seen(f"{_GITHUB}google/go-containerregistry/issues/1568", "2023-02"),
    "LayersOfImageNotFound": Seen(f"{_GITHUB}oras-project/oras-py/issues/54", "2022-12"),
    "ReferencedImagesNotFound": Seen(
        f"{_GITHUB}int128/docker-manifest-create-action/pull/63", "2023-03"
    ),
    "LayerPartTooSmall": Seen(f"{_GITHUB}dotnet/sdk-container-builds/issues/424", "2023-06"),
    "InvalidLayer": Seen(f"{_GITHUB}dotnet/sdk-container-builds/issues/472", "2023-07"),
    "EmptyUpload": Seen(f"{_GITHUB}radius-project/radius/issues/7855", "2024-08"),
    "ImageReferenced": Seen(f"{_GITHUB}opensupplyhub/open-supply-hub/pull/1243", "2026-08"),
    "InvalidToken": Seen(
        f"{_GITHUB}TritonDataCenter/node-docker-registry-client/blob/master/lib/"
        "registry-client-v2.js",
        "2017-01",
    ),
    "TokenExpired": Seen(f"{_GITHUB}aws/aws-toolkit-visual-studio/issues/464", "2024-09"),
    "UnsupportedImageType": Seen(f"{_GITHUB}docker/setup-buildx-action/issues/186", "2023-01"),
    "FeatureDisabled": Seen(f"{_GITHUB}alexjurkiewicz/ecr-scan-image/issues/44", "2024-01"),
    "UnsupportedUpstreamRegistry": Seen(f"{_GITHUB}goharbor/harbor/issues/20174", "2024-03"),
    "UpstreamNeedsSecret": Seen(f"{_GITHUB}aws-controllers-k8s/community/issues/2589", "2025-08"),
    "LifecyclePolicyNotFound": Seen(f"{_GITHUB}iann0036/former2/issues/16", "2019-06"),
}

UNQUOTED = frozenset(
    {
        "RepositoryAlreadyExists",
        "ImageNotFound",
        "LayersNotFound",
        "UploadNotFound",
        "LayerAlreadyExists",
        "NoCredentials",
        "ScanNotFound",
        "PullThroughCacheRuleAlreadyExists",
        "PullThroughCacheRuleNotFound",
        "RepositoryPolicyNotFound",
        "LockedOut",
        "TemplateAlreadyExists",
        "TemplateNotFound",
        "RegistryPolicyNotFound",
        "PreviewNotFound",
        "StorageClassUpdateNotSupported",  # botocore's model describes the error so, and the next
        "ImageArchived",
        "ExclusionAlreadyExists",
        "ExclusionNotFound",
        "SecretNotFound",
    }
)
"""Classes whose sentence nobody was found to quote."""
