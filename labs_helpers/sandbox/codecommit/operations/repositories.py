"""Repositories: made, listed, changed, tagged, deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.codecommit import store
from labs_helpers.sandbox.codecommit.call import CodeCommitCall
from labs_helpers.sandbox.codecommit.errors import (
    InvalidRepositoryName,
    InvalidResourceArn,
    InvalidSystemTagUsage,
    RepositoryNameExists,
    TooManyTags,
)
from labs_helpers.sandbox.codecommit.store import Document
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

_MOST_TAGS = 50

_NO_REVIEW = "The sandbox has git and branches, and no reviews: merge with git, and push."
NOT_BUILT = {
    "CreatePullRequest": _NO_REVIEW,
    "PostCommentForPullRequest": _NO_REVIEW,
    "MergePullRequestByFastForward": _NO_REVIEW,
    "PutRepositoryTriggers": "An EventBridge rule takes 'CodeCommit Repository State Change'.",
    "UpdateRepositoryEncryptionKey": "The folder of a repository here is not encrypted.",
}


def create_repository(call: CodeCommitCall, params: Members) -> Members:
    name = params["repositoryName"]
    _check_name(name)
    if params.get("kmsKeyId"):
        raise not_here(
            "the operation codecommit:CreateRepository with kmsKeyId",
            "The folder of a repository here is not encrypted.",
        )
    tags = _checked_tags(params.get("tags", {}))
    members: dict[str, Any] = {"tags": tags}
    if description := params.get("repositoryDescription"):
        members["repositoryDescription"] = description
    made = call.repositories.create(call.place, name, **members)
    return {"repositoryMetadata": _shown(made)}


def get_repository(call: CodeCommitCall, params: Members) -> Members:
    return {"repositoryMetadata": _shown(call.found(params["repositoryName"]))}


def batch_get_repositories(call: CodeCommitCall, params: Members) -> Members:
    found, missing = [], []
    with call.store.read() as db:
        for name in dict.fromkeys(params["repositoryNames"]):
            each = store.find(db, call.place, name)
            if each is None:
                missing.append(name)
            else:
                found.append(_shown(each))
    return {"repositories": found, "repositoriesNotFound": missing, "errors": []}


def list_repositories(call: CodeCommitCall, params: Members) -> Members:
    """Names and ids, by name or by the time of the last change."""
    by, order = params.get("sortBy", "repositoryName"), params.get("order", "ascending")
    with call.store.read() as db:
        found = store.every(db, call.place)
    found.sort(key=lambda each: each[by], reverse=order == "descending")
    keyed = [
        (
            [f"{place:08d}"],
            {name: each[name] for name in ("repositoryName", "repositoryId")},
        )
        for place, each in enumerate(found)
    ]
    part, token = call.page(keyed, params, by, order)
    return {"repositories": part, "nextToken": token}


def update_repository_name(call: CodeCommitCall, params: Members) -> Members:
    """Rename a repository: its ARN and its URLs change too.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdateRepositoryName.html
    """
    old, new, place = params["oldName"], params["newName"], call.place
    _check_name(new)
    before = call.found(old)
    with call.store.read() as db:
        if store.find(db, place, new) is not None:
            raise RepositoryNameExists(name=new)
    members: dict[str, Any] = {"repositoryName": new}
    for key in ("cloneUrlHttp", "cloneUrlSsh"):
        members[key] = f"{before[key].rpartition('/')[0]}/{new}"
    members["Arn"] = f"{before['Arn'].rpartition(':')[0]}:{new}"
    call.repositories.change(place, old, members)
    return {}


def update_repository_description(call: CodeCommitCall, params: Members) -> Members:
    members = {"repositoryDescription": params.get("repositoryDescription", "")}
    call.repositories.change(call.place, params["repositoryName"], members)
    return {}


def delete_repository(call: CodeCommitCall, params: Members) -> Members:
    """Delete a repository; one that is not there gives an answer without an id, as on AWS.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DeleteRepository.html
    """
    gone = call.repositories.delete(call.place, params["repositoryName"])
    return {"repositoryId": gone} if gone else {}


def list_tags_for_resource(call: CodeCommitCall, params: Members) -> Members:
    return {"tags": _of_arn(call, params["resourceArn"])["tags"]}


def tag_resource(call: CodeCommitCall, params: Members) -> Members:
    found = _of_arn(call, params["resourceArn"])
    return _tagged(call, found, _checked_tags({**found["tags"], **params["tags"]}))


def untag_resource(call: CodeCommitCall, params: Members) -> Members:
    found = _of_arn(call, params["resourceArn"])
    kept = {key: value for key, value in found["tags"].items() if key not in params["tagKeys"]}
    return _tagged(call, found, kept)


def _tagged(call: CodeCommitCall, found: Document, tags: dict[str, str]) -> Members:
    place = call.place
    call.repositories.change(place, found["repositoryName"], {"tags": tags})
    return {}


def _checked_tags(tags: dict[str, str]) -> dict[str, str]:
    for key in tags:
        if key.lower().startswith("aws:"):
            raise InvalidSystemTagUsage(name=key)
    if len(tags) > _MOST_TAGS:
        raise TooManyTags()
    return tags


def _check_name(name: str) -> None:
    """https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html"""
    if not name.isascii() or name.endswith(".git") or name in (".", ".."):
        raise InvalidRepositoryName()


def _of_arn(call: CodeCommitCall, arn: str) -> Document:
    start = f"arn:aws:codecommit:{call.region}:{call.account}:"
    if not arn.startswith(start):
        raise InvalidResourceArn(name=arn)
    return call.found(arn.removeprefix(start))


def _shown(found: Document) -> Members:
    dates = {
        name: datetime.fromtimestamp(found[name], UTC)
        for name in ("creationDate", "lastModifiedDate")
    }
    return {**{name: value for name, value in found.items() if name != "tags"}, **dates}
