"""The errors of CodeCommit.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetRepository.html#API_GetRepository_Errors
Where no public source has CodeCommit's words, the message follows the API reference's description
of the exception.
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


class PathDoesNotExist(ServiceError):
    code = "PathDoesNotExistException"
    words = "Could not find path {name}"


class PathRequired(ServiceError):
    code = "PathRequiredException"
    words = "The folderPath for a location cannot be null"


class InvalidPath(ServiceError):
    code = "InvalidPathException"
    words = "The path {name} is not valid"


class ParentCommitIdRequired(ServiceError):
    code = "ParentCommitIdRequiredException"
    words = (
        "A parent commit ID is required. To view the full commit ID of a branch in a repository, "
        "use GetBranch or a Git command (for example, git pull or git log)"
    )


class ParentCommitIdOutdated(ServiceError):
    code = "ParentCommitIdOutdatedException"
    words = (
        "The file could not be added because the provided parent commit ID is not the current tip "
        "of the specified branch. To view the full commit ID of the current head of the branch, "
        "use GetBranch"
    )


class SameFileContent(ServiceError):
    code = "SameFileContentException"
    words = (
        "The file was not added or updated because the content of the file is exactly the same as "
        "the content of that file in the repository and branch that you specified"
    )


class FileContentTooLarge(ServiceError):
    code = "FileContentSizeLimitExceededException"
    words = "The file {name} cannot be added because it is too large. The maximum file size is 6 MB"


class FileNameConflicts(ServiceError):
    code = "FileNameConflictsWithDirectoryNameException"
    words = "A file cannot be added: its name {name} is the name of a folder in the repository"


class DirectoryNameConflicts(ServiceError):
    code = "DirectoryNameConflictsWithFileNameException"
    words = "A file cannot be added: its path has {name}, which is a file in the repository"


class NoChange(ServiceError):
    code = "NoChangeException"
    words = "The commit cannot be created, because no changes will be made to the repository"


class FileEntryRequired(ServiceError):
    code = "FileEntryRequiredException"
    words = (
        "The commit cannot be created because no files have been specified as added, updated, or "
        "changed (PutFile or DeleteFile) for the commit"
    )


class SamePathRequest(ServiceError):
    code = "SamePathRequestException"
    words = (
        "The commit cannot be created because one or more changes in this commit duplicate actions "
        "in the same file path: {name}"
    )


class SourceFileOrContentRequired(ServiceError):
    code = "SourceFileOrContentRequiredException"
    words = (
        "The commit cannot be created because no source files or file content have been specified "
        "for the commit"
    )


class FileContentAndSourceFile(ServiceError):
    code = "FileContentAndSourceFileSpecifiedException"
    words = (
        "The commit cannot be created because both a source file and file content have been "
        "specified for the same file"
    )


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
