"""A source on a connection to the stand-in GitHub: a branch of the learner's git folder.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
"""

from __future__ import annotations

from labs_helpers.sandbox.codepipeline.actions.work import ActionFailed, Outcome, Work
from labs_helpers.sandbox.service.errors import AccessDenied


def connection(work: Work) -> Outcome:
    """Have the runner pack the newest commit of the branch, or the commit that the start names."""
    given = work.configuration
    arn, repository, branch = (
        given[key] for key in ("ConnectionArn", "FullRepositoryId", "BranchName")
    )
    if "output" not in work.memory:
        prefix = arn.split(":")[2]
        try:
            work.require(f"{prefix}:UseConnection", arn)
        except AccessDenied as error:
            raise ActionFailed(
                "PermissionError",
                f"Unable to use Connection: {arn}. The provided role does not have sufficient "
                "permissions.",
            ) from error
        try:
            folder = work.folder(arn, repository)
        except LookupError as error:
            raise ActionFailed("ConfigurationError", str(error)) from error
        output = work.place(work.action["outputArtifacts"][0]["name"])
        return Outcome("InProgress", memory={"output": output, "folder": folder})
    output = work.memory["output"]
    found = work.run_elsewhere(
        {
            "folder": work.memory["folder"],
            "branch": branch,
            "commit": work.override.get("revisionValue", ""),
            "bucket": output["bucket"],
            "key": output["key"],
        }
    )
    if found is None:
        return Outcome("InProgress", memory=dict(work.memory))
    if "error" in found:
        raise ActionFailed(found["code"], f"[GitHub] {found['error']}")
    commit, message = found["commit"], found["message"]
    return Outcome(
        "Succeeded",
        summary=message,
        external={"id": commit},
        output=[output],
        variables={
            "AuthorDate": found["date"],
            "AuthorDisplayName": found["author"],
            "AuthorEmail": found["mail"],
            "BranchName": work.override.get("branch", branch),
            "CommitId": commit,
            "CommitMessage": message,
            "ConnectionArn": arn,
            "FullRepositoryName": repository,
        },
        revision={"id": commit, "summary": message},
    )
