"""A source in CodeCommit: the newest commit of a branch, or the commit that the start names.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.sandbox.codepipeline.actions.work import (
    LARGEST,
    ActionFailed,
    Outcome,
    Work,
    refused,
    words,
)
from labs_helpers.sandbox.service.errors import AccessDenied


def codecommit(work: Work) -> Outcome:
    """Pack the commit into the artifact store, with the role's GetBranch, GetCommit, UploadArchive.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
    """
    name, branch = work.configuration["RepositoryName"], work.configuration["BranchName"]
    try:
        commit = _commit(work, name, branch)
    except ClientError as error:
        code = "PermissionError" if refused(error) else "ConfigurationError"
        text = words(error, "AWSCodeCommit")
        raise ActionFailed(code, _denied(name, text) if refused(error) else text) from error
    wanted, message = commit["commitId"], commit["message"].strip()
    arn = f"arn:aws:codecommit:{work.region}:{work.account}:{name}"
    try:
        work.require("codecommit:UploadArchive", arn)
    except AccessDenied as error:
        raise ActionFailed("PermissionError", _denied(name, error.message)) from error
    try:
        content = work.archive(name, wanted)
    except LookupError as error:
        raise ActionFailed("ConfigurationError", str(error)) from error
    if len(content) > LARGEST:
        raise ActionFailed(
            "ConfigurationError", f"The commit is larger than {LARGEST >> 20} MiB as a ZIP file."
        )
    return Outcome(
        "Succeeded",
        summary=message,
        external={"id": wanted},
        output=[work.write(content)],
        variables={
            "AuthorDate": commit["author"]["date"],
            "BranchName": branch,
            "CommitId": wanted,
            "CommitMessage": message,
            "CommitterDate": commit["committer"]["date"],
            "RepositoryName": name,
        },
        revision={"id": wanted, "summary": message},
    )


def _commit(work: Work, name: str, branch: str) -> dict[str, Any]:
    """GetCommit's answer; raises ClientError."""
    client = work.client("codecommit")
    wanted = work.override.get("revisionValue")
    if not wanted:
        found = client.get_branch(repositoryName=name, branchName=branch)
        wanted = found["branch"]["commitId"]
    answer: dict[str, Any] = client.get_commit(repositoryName=name, commitId=wanted)["commit"]
    return answer


def _denied(name: str, error: str) -> str:
    """In the words that CodePipeline has for a bucket; of a repository none are published."""
    return (
        "The service role or action role doesn't have the permissions required to access the AWS "
        f"CodeCommit repository named {name}. Update the IAM role permissions, and then try again. "
        f"Error: {error}"
    )
