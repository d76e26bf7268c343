"""Branches: made, listed, deleted, and the default branch."""

from __future__ import annotations

from labs_helpers.sandbox.codecommit import bare
from labs_helpers.sandbox.codecommit.call import CodeCommitCall
from labs_helpers.sandbox.codecommit.errors import (
    BranchDoesNotExist,
    BranchNameExists,
    CommitDoesNotExist,
    DefaultBranchCannotBeDeleted,
    InvalidBranchName,
    RepositoryNameRequired,
)
from labs_helpers.sandbox.service.service import Members


def get_branch(call: CodeCommitCall, params: Members) -> Members:
    if not params.get("repositoryName"):
        raise RepositoryNameRequired()
    found = call.found(params["repositoryName"])
    if not params.get("branchName"):
        raise InvalidBranchName(name="")
    with call.repositories.reading(found) as repo:
        return {"branch": _branch(bare.branches(repo), params["branchName"])}


def list_branches(call: CodeCommitCall, params: Members) -> Members:
    found = call.found(params["repositoryName"])
    with call.repositories.reading(found) as repo:
        keyed = [([name], name) for name in bare.branches(repo)]
    part, token = call.page(sorted(keyed), params, found["repositoryId"])
    return {"branches": part, "nextToken": token}


def create_branch(call: CodeCommitCall, params: Members) -> Members:
    found, name = call.found(params["repositoryName"]), params["branchName"]
    reference = bare.branch_reference(name)
    if reference is None:
        raise InvalidBranchName(name=name)
    with call.repositories.changing(found, call.principal.arn) as repo:
        commit = bare.commit_of(repo, params["commitId"])
        if commit is None or not bare.is_id(params["commitId"]):
            raise CommitDoesNotExist(name=params["commitId"])
        if not repo.refs.add_if_new(reference, commit.id):
            raise BranchNameExists(name=name)
    return {}


def delete_branch(call: CodeCommitCall, params: Members) -> Members:
    """Delete a branch other than the default one; a branch that is not there gives no branch.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DeleteBranch.html
    """
    found, name = call.found(params["repositoryName"]), params["branchName"]
    if name == found.get("defaultBranch"):
        raise DefaultBranchCannotBeDeleted(name=name)
    reference = bare.branch_reference(name)
    with call.repositories.changing(found, call.principal.arn) as repo:
        known = bare.branches(repo)
        if reference is None or name not in known:
            return {}
        repo.refs.remove_if_equals(reference, None)
    return {"deletedBranch": _branch(known, name)}


def update_default_branch(call: CodeCommitCall, params: Members) -> Members:
    found, name = call.found(params["repositoryName"]), params["defaultBranchName"]
    with call.repositories.changing(found, call.principal.arn) as repo:
        _branch(bare.branches(repo), name)
        call.repositories.point_head(repo, name)
        place = call.place
        call.repositories.change(place, found["repositoryName"], {"defaultBranch": name})
    return {}


def _branch(known: dict[str, str], name: str) -> Members:
    if name not in known:
        raise BranchDoesNotExist(name=name)
    return {"branchName": name, "commitId": known[name]}
