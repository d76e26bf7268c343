"""ECR's errors: one class each, with AWS's wording; both planes raise and render them.

Codes: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html and the errors
of each operation. Wording: what AWS answers, as wording.py quotes reports. An error that one
operation alone raises is in that operation's module.
"""

from __future__ import annotations

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
    words = (
        "The repository with name '{repositoryName}' does not exist in the registry with id "
        "'{registryId}'"
    )


class RepositoryAlreadyExists(ServiceError):
    """The name is taken in this registry."""

    code = "RepositoryAlreadyExistsException"
    words = (
        "The repository with name '{repositoryName}' already exists in the registry with id "
        "'{registryId}'"
    )


class RepositoryNotEmpty(ServiceError):
    """DeleteRepository without `force`, of a repository with images."""

    code = "RepositoryNotEmptyException"
    words = (
        "The repository with name '{repositoryName}' in registry with id '{registryId}' cannot "
        "be deleted because it still contains images"
    )


class ImageNotFound(ServiceError):
    """No image with that digest and tag in the repository."""

    code = "ImageNotFoundException"
    words = (
        "The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist "
        "within the repository with name '{repositoryName}' in the registry with id "
        "'{registryId}'"
    )


class ImageAlreadyExists(ServiceError):
    """PutImage changes nothing: the manifest has the tag already."""

    code = "ImageAlreadyExistsException"
    words = (
        "Image with digest '{digest}' and tag '{tag}' already exists in the repository with "
        "name '{repositoryName}' in registry with id '{registryId}'"
    )


class ImageTagAlreadyExists(ServiceError):
    """Another image has the tag, and the tag is immutable."""

    code = "ImageTagAlreadyExistsException"
    # until 2025 "because the repository is immutable": tags can be excluded since, see
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    words = (
        "The image tag '{tag}' already exists in the '{repositoryName}' repository and cannot "
        "be overwritten because the tag is immutable."
    )


class ImageDigestDoesNotMatch(ServiceError):
    """The manifest was pushed under a digest that its bytes do not have."""

    code = "ImageDigestDoesNotMatchException"
    words = (
        "The image with digest '{digest}' in repository '{repositoryName}' and registry ID "
        "'{registryId}' does not match the image digest that Amazon ECR has calculated."
    )


class LayersNotFound(ServiceError):
    """The repository does not hold a layer that somebody pulls, or layers that a manifest names."""

    code = "LayersNotFoundException"
    words = (
        "The layer with digest '{digest}' does not exist in the repository with name "
        "'{repositoryName}' in the registry with id '{registryId}'"
    )


class LayersOfImageNotFound(LayersNotFound):
    """A manifest was pushed before its layers."""

    words = (
        "Layers with digests '{digests}' required for pushing image into repository with name "
        "'{repositoryName}' in the registry with id '{registryId}' do not exist"
    )


class ReferencedImagesNotFound(ServiceError):
    """An index names manifests that the repository does not hold."""

    code = "ReferencedImagesNotFoundException"
    words = (
        "Images with digests '{digests}' required for pushing image into repository with name "
        "'{repositoryName}' in the registry with id '{registryId}' do not exist"
    )


class UploadNotFound(ServiceError):
    """The repository has no unfinished upload with that id."""

    code = "UploadNotFoundException"
    words = (
        "Upload with id '{upload_id}' could not be found for the repository with name "
        "'{repositoryName}' in the registry with id '{registryId}'"
    )


class InvalidLayerPart(ServiceError):
    """A part that does not begin where the last part ended, or is not as long as its range.

    received: the bytes of the upload so far.
    """

    code = "InvalidLayerPartException"

    def __init__(self, message: str, received: int) -> None:
        super().__init__(message)
        self.received = received

    @classmethod
    def elsewhere(cls, first_byte: int, received: int) -> InvalidLayerPart:
        """The part does not follow the last one."""
        return cls(f"First byte of the layer part is {first_byte} instead of {received}", received)

    @classmethod
    def of_size(cls, size: int, first: int, last: int, received: int) -> InvalidLayerPart:
        """The part has not the size of its range; AWS publishes no words for this."""
        wanted = last - first + 1
        message = f"The layer part has {size} bytes, but its range {first}-{last} has {wanted}"
        return cls(message, received)


class LayerPartTooSmall(ServiceError):
    """A part, other than the last, of less than 5 MiB."""

    code = "LayerPartTooSmallException"
    # https://github.com/dotnet/sdk-container-builds/issues/424, from CloudTrail
    words = "All layer parts except the last part should be at least 5MB"


class InvalidLayer(ServiceError):
    """The bytes have none of the digests of the request."""

    code = "InvalidLayerException"
    words = "None of the provided layer digests match the calculated layer digest"


class EmptyUpload(ServiceError):
    """CompleteLayerUpload of an upload without parts."""

    code = "EmptyUploadException"
    # https://github.com/devcontainers/cli/issues/814
    words = (
        "The upload with id '{upload_id}' in the repository with name '{repositoryName}' in "
        "registry with id '{registryId}' cannot be completed because it does not have any parts"
    )


class LayerAlreadyExists(ServiceError):
    """The repository holds that layer already."""

    code = "LayerAlreadyExistsException"
    words = (
        "The layer with digest '{digest}' already exists in the repository with name "
        "'{repositoryName}' in the registry with id '{registryId}'"
    )


class ImageReferenced(ServiceError):
    """An index of the repository lists the image, so the image stays."""

    code = "ImageReferencedByManifestList"
    words = "Requested image referenced by manifest list: {indexes}"


class NoCredentials(ServiceError):
    """A request to the registry carries no user name AWS with a password."""

    code = "NoCredentials"
    words = "Not Authorized"
    http_status = 401


class InvalidToken(ServiceError):
    """The registry password is none that ECR made."""

    code = "InvalidToken"
    words = "Your Authorization Token is invalid."


class TokenOfAnotherRegion(InvalidToken):
    """The token works in the region for which it was made."""

    http_status = 403


class TokenExpired(ServiceError):
    """The token's twelve hours are over."""

    code = "TokenExpired"
    words = "Your authorization token has expired. Reauthenticate and try again."
    http_status = 403
