"""Names of images in ECR: ``repository:tag`` or ``repository@digest``, with or without registry."""

from __future__ import annotations

from dataclasses import dataclass

from labs_helpers.defaults import registry_of
from labs_helpers.files import LabsError
from labs_helpers.oci import digest as digests
from labs_helpers.oci import reference as references


class InvalidImage(LabsError):
    """The text does not name an image in ECR."""


@dataclass(frozen=True)
class ImageName:
    """An image in a private ECR registry; account and region are None for the caller's own."""

    repository: str
    tag: str | None = None
    digest: str | None = None
    account: str | None = None
    region: str | None = None

    @property
    def image_id(self) -> dict[str, str]:
        """The ``imageId`` for ECR's API."""
        if self.digest:
            return {"imageDigest": self.digest}
        return {"imageTag": self.tag or references.DEFAULT_TAG}

    @property
    def request(self) -> dict[str, str]:
        """The parameters of ECR's API that name registry and repository."""
        registry = {"registryId": self.account} if self.account else {}
        return {**registry, "repositoryName": self.repository}

    def __str__(self) -> str:
        return (
            f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"
        )


def parse(text: str) -> ImageName:
    """Read a name as ``docker push`` takes it; raises InvalidImage."""
    rest, at, digest = text.partition("@")
    host, slash, path = rest.partition("/")
    registry = registry_of(host) if slash else None
    if registry is None:
        path = rest
    path, colon, tag = path.partition(":")
    if not references.is_path(path) or (colon and not references.is_tag(tag)):
        raise InvalidImage(
            f"{text!r} names no image in ECR. Write repository:tag, repository@sha256:..., or "
            "the full name, beginning with <account>.dkr.ecr.<region>.amazonaws.com/."
        )
    if at:
        try:
            digests.parse(digest)
        except digests.DigestError as error:
            raise InvalidImage(f"{text!r}: {error}") from error
    return ImageName(
        repository=path,
        tag=tag or (None if at else references.DEFAULT_TAG),
        digest=digest or None,
        account=registry[0] if registry else None,
        region=registry[1] if registry else None,
    )
