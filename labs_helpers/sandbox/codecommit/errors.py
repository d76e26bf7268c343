"""The errors of CodeCommit.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetRepository.html#API_GetRepository_Errors
"""

from __future__ import annotations

from labs_helpers.sandbox.service.errors import ServiceError


class RepositoryDoesNotExist(ServiceError):
    code = "RepositoryDoesNotExistException"
    words = "{name} does not exist"


class RepositoryNameRequired(ServiceError):
    """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetBranch.html#API_GetBranch_Errors"""

    code = "RepositoryNameRequiredException"
    words = "A repository name is required, but was not specified."


class RepositoryNameExists(ServiceError):
    code = "RepositoryNameExistsException"
    words = "Repository named {name} already exists"


class InvalidRepositoryName(ServiceError):
    code = "InvalidRepositoryNameException"
    words = (
        "The repository name is not valid. Repository names can be any valid combination of "
        "letters, numbers, periods, underscores, and dashes between 1 and 100 characters in "
        "length. Names are case sensitive. For more information, see Limits in the AWS CodeCommit "
        "User Guide. "
    )


class BranchDoesNotExist(ServiceError):
    code = "BranchDoesNotExistException"
    words = "Branch {name} does not exist"


class BranchNameExists(ServiceError):
    code = "BranchNameExistsException"
    words = "Branch {name} already exists"


class InvalidBranchName(ServiceError):
    code = "InvalidBranchNameException"
    words = "The branch name {name} is not valid"


class DefaultBranchCannotBeDeleted(ServiceError):
    code = "DefaultBranchCannotBeDeletedException"
    words = "The default branch {name} cannot be deleted. Change the default branch first"


class CommitDoesNotExist(ServiceError):
    code = "CommitDoesNotExistException"
    words = "Commit {name} does not exist"


class CommitIdDoesNotExist(ServiceError):
    code = "CommitIdDoesNotExistException"
    words = "Commit ID {name} does not exist"


class BlobIdDoesNotExist(ServiceError):
    code = "BlobIdDoesNotExistException"
    words = "Blob ID {name} does not exist"


class FileDoesNotExist(ServiceError):
    code = "FileDoesNotExistException"
    words = "Could not find path {name}"


class FolderDoesNotExist(ServiceError):
    code = "FolderDoesNotExistException"
    words = "Could not find path {name}"


class FileTooLarge(ServiceError):
    code = "FileTooLargeException"
    words = "The file has {size} bytes; 6 MB is the most that an answer holds. git clone fetches it"


class InvalidResourceArn(ServiceError):
    code = "InvalidResourceArnException"
    words = "{name} is not the ARN of a repository"


class InvalidSystemTagUsage(ServiceError):
    code = "InvalidSystemTagUsageException"
    words = "The tag key {name} begins with aws:, which is reserved"


class TooManyTags(ServiceError):
    code = "TooManyTagsException"
    words = "A repository has at most 50 tags"


class InvalidParameter(ServiceError):
    """A parameter that breaks the model, for which CodeCommit has no exception of its own."""

    code = "ValidationException"
