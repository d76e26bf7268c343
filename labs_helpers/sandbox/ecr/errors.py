"""ECR's errors: one class each, holding AWS's wording; each plane renders them its own way.

Codes: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html and the errors
of each operation. Wording: what AWS answers, as quoted in public reports.
"""

from __future__ import annotations

from collections.abc import Iterable

from labs_helpers.sandbox.service.errors import ServiceError


class InvalidParameter(ServiceError):
    """A value that ECR itself refuses."""

    code = "InvalidParameterException"

    @classmethod
    def constraint(cls, parameter: str, constraint: str) -> InvalidParameter:
        """ECR's usual sentence: the parameter's path and the constraint it breaks."""
        return cls(f"Invalid parameter at '{parameter}' failed to satisfy constraint: {constraint}")


class InvalidTagParameter(ServiceError):
    """A resource tag with a key or value out of bounds."""

    code = "InvalidTagParameterException"


class TooManyTags(ServiceError):
    """More than fifty resource tags on one repository."""

    code = "TooManyTagsException"


class LimitExceeded(ServiceError):
    """A service quota is used up."""

    code = "LimitExceededException"


class RepositoryNotFound(ServiceError):
    """No repository of that name in that registry."""

    code = "RepositoryNotFoundException"

    def __init__(self, name: str, account: str) -> None:
        super().__init__(
            f"The repository with name '{name}' does not exist in the registry with id '{account}'"
        )


class RepositoryAlreadyExists(ServiceError):
    """The name is taken in this registry."""

    code = "RepositoryAlreadyExistsException"

    def __init__(self, name: str, account: str) -> None:
        super().__init__(
            f"The repository with name '{name}' already exists in the registry with id '{account}'"
        )


class RepositoryNotEmpty(ServiceError):
    """Deletion without `force` of a repository that holds images."""

    code = "RepositoryNotEmptyException"

    def __init__(self, name: str, account: str) -> None:
        super().__init__(
            f"The repository with name '{name}' in registry with id '{account}' "
            "cannot be deleted because it still contains images"
        )


class ImageNotFound(ServiceError):
    """No image with that digest and tag in the repository."""

    code = "ImageNotFoundException"

    def __init__(self, digest: str | None, tag: str | None, name: str, account: str) -> None:
        super().__init__(
            f"The image with imageId {{imageDigest:'{digest or 'null'}', "
            f"imageTag:'{tag or 'null'}'}} does not exist within the repository with name "
            f"'{name}' in the registry with id '{account}'"
        )


class ImageAlreadyExists(ServiceError):
    """PutImage changed nothing: same manifest, same tag."""

    code = "ImageAlreadyExistsException"

    def __init__(self, digest: str, tag: str | None, name: str, account: str) -> None:
        super().__init__(
            f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the "
            f"repository with name '{name}' in registry with id '{account}'"
        )


class ImageTagAlreadyExists(ServiceError):
    """The tag is taken and the repository keeps its tags."""

    code = "ImageTagAlreadyExistsException"

    def __init__(self, tag: str, name: str) -> None:
        super().__init__(
            f"The image tag '{tag}' already exists in the '{name}' repository and cannot be "
            "overwritten because the repository is immutable."
        )


class ImageDigestDoesNotMatch(ServiceError):
    """The manifest's bytes do not hash to the digest it was pushed under."""

    code = "ImageDigestDoesNotMatchException"

    def __init__(self, digest: str, name: str, account: str) -> None:
        super().__init__(
            f"The image with digest '{digest}' in repository '{name}' and registry ID "
            f"'{account}' does not match the image digest that Amazon ECR has calculated."
        )


class LayersNotFound(ServiceError):
    """The manifest names blobs that the repository does not hold."""

    code = "LayersNotFoundException"

    @classmethod
    def for_push(cls, digests: Iterable[str], name: str, account: str) -> LayersNotFound:
        """A manifest was pushed before its layers."""
        return cls(
            f"Layers with digests '[{', '.join(digests)}]' required for pushing image into "
            f"repository with name '{name}' in the registry with id '{account}' do not exist"
        )

    @classmethod
    def for_pull(cls, digest: str, name: str, account: str) -> LayersNotFound:
        """A layer was asked for that the repository does not hold."""
        return cls(
            f"The layer with digest '{digest}' does not exist in the repository with name "
            f"'{name}' in the registry with id '{account}'"
        )


class ReferencedImagesNotFound(ServiceError):
    """An index names manifests that the repository does not hold."""

    code = "ReferencedImagesNotFoundException"

    def __init__(self, digests: Iterable[str], name: str, account: str) -> None:
        super().__init__(
            f"Images with digests '[{', '.join(digests)}]' required for pushing image into "
            f"repository with name '{name}' in the registry with id '{account}' do not exist"
        )


class UploadNotFound(ServiceError):
    """No upload under way with that id in this repository."""

    code = "UploadNotFoundException"

    def __init__(self, upload_id: str, name: str, account: str) -> None:
        super().__init__(
            f"Upload with id '{upload_id}' could not be found for the repository with name "
            f"'{name}' in the registry with id '{account}'"
        )


class InvalidLayerPart(ServiceError):
    """A part that does not start where the last one ended; `received` is the bytes kept."""

    code = "InvalidLayerPartException"

    def __init__(self, first_byte: int, received: int) -> None:
        super().__init__(f"First byte of the layer part is {first_byte} instead of {received}")
        self.received = received


class LayerPartTooSmall(ServiceError):
    """A part, other than the last, of less than 5 MiB."""

    code = "LayerPartTooSmallException"

    def __init__(self) -> None:
        super().__init__("Layer parts must be at least 5 MiB in size.")


class InvalidLayer(ServiceError):
    """The bytes do not hash to the digest given."""

    code = "InvalidLayerException"

    def __init__(self) -> None:
        super().__init__("None of the provided layer digests match the calculated layer digest")


class EmptyUpload(ServiceError):
    """An upload was completed before any part of it arrived."""

    code = "EmptyUploadException"

    def __init__(self, upload_id: str, name: str, account: str) -> None:
        # https://github.com/devcontainers/cli/issues/814
        super().__init__(
            f"The upload with id '{upload_id}' in the repository with name '{name}' in registry "
            f"with id '{account}' cannot be completed because it does not have any parts"
        )


class LayerAlreadyExists(ServiceError):
    """The repository holds that layer already."""

    code = "LayerAlreadyExistsException"

    def __init__(self, digest: str, name: str, account: str) -> None:
        super().__init__(
            f"The layer with digest '{digest}' already exists in the repository with name "
            f"'{name}' in the registry with id '{account}'"
        )


class ImageReferenced(ServiceError):
    """The image is listed by an index of the repository, so it stays."""

    code = "ImageReferencedByManifestList"

    def __init__(self, digest: str, indexes: Iterable[str]) -> None:
        super().__init__(f"Requested image referenced by manifest list: [{', '.join(indexes)}]")
        self.digest = digest


class InvalidToken(ServiceError):
    """The registry password is not a token of this registry; told apart by `http_status`."""

    code = "InvalidToken"


class TokenExpired(ServiceError):
    """The token's twelve hours are over."""

    code = "TokenExpired"

    def __init__(self) -> None:
        super().__init__("Your authorization token has expired. Reauthenticate and try again.", 403)
