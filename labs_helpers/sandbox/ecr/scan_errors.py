"""Errors about scans, in ECR's words as quoted in public reports."""

from collections.abc import Mapping

from labs_helpers.sandbox.ecr.errors import EcrError


class ScanNotFound(EcrError):
    """The image was never scanned in the registry's present way."""

    code = "ScanNotFoundException"

    def __init__(self, image_id: Mapping[str, str], name: str, account: str) -> None:
        digest = image_id.get("imageDigest") or "null"
        tag = image_id.get("imageTag") or "null"
        super().__init__(
            f"Image scan does not exist for the image with '{{imageDigest:'{digest}', "
            f"imageTag:'{tag}'}}' in the repository with name '{name}' in the registry with id "
            f"'{account}'"
        )


class UnsupportedImageType(EcrError):
    """An index, or an artifact that is no container image.

    https://github.com/docker/setup-buildx-action/issues/186
    """

    code = "UnsupportedImageTypeException"

    def __init__(self, media_type: str) -> None:
        super().__init__(
            f"An artifact with media type '{media_type}' cannot be scanned. For more information, "
            "see the Amazon ECR documentation."
        )


class FeatureDisabled(EcrError):
    """A scan was asked for by hand in a registry with enhanced scanning.

    https://github.com/alexjurkiewicz/ecr-scan-image/issues/44
    """

    code = "ValidationException"

    def __init__(self) -> None:
        super().__init__("This feature is disabled")
