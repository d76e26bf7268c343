"""Files written to a branch by the API: PutFile, DeleteFile, CreateCommit."""

from __future__ import annotations

from typing import Any

from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo

from labs_helpers.sandbox.codecommit import bare, commits
from labs_helpers.sandbox.codecommit.call import CodeCommitCall
from labs_helpers.sandbox.codecommit.errors import (
    FileContentAndSourceFile,
    FileDoesNotExist,
    FileEntryRequired,
    SameFileContent,
    SamePathRequest,
    SourceFileOrContentRequired,
)
from labs_helpers.sandbox.service.service import Members


def put_file(call: CodeCommitCall, params: Members) -> Members:
    found, path = call.found(params["repositoryName"]), commits.plain_path(params["filePath"])
    branch, mode = params["branchName"], commits.MODES[params.get("fileMode", "NORMAL")]
    with call.repositories.changing(found, call.principal.arn) as repo:
        before = commits.tip(repo, branch, params.get("parentCommitId"))
        commits.check_places(repo, before, path)
        blob = commits.blob_of(repo, path, params["fileContent"])
        if _entry(repo, before, path) == (mode, blob.id):
            raise SameFileContent()
        tree = commits.changed_tree(repo, before, [(path, mode, ObjectID(blob.id))])
        made = _commit(call, repo, params, before, tree)
    return {
        "commitId": made.id.decode(),
        "blobId": blob.id.decode(),
        "treeId": tree.decode(),
    }


def delete_file(call: CodeCommitCall, params: Members) -> Members:
    """Delete a file; git keeps no empty folders, and keepEmptyFolders is refused."""
    call.check_empty_folders(params)
    found, path = call.found(params["repositoryName"]), commits.plain_path(params["filePath"])
    branch = params["branchName"]
    with call.repositories.changing(found, call.principal.arn) as repo:
        before = commits.tip(repo, branch, params["parentCommitId"])
        _, blob = _there(repo, before, path)
        tree = commits.changed_tree(repo, before, [(path, None, None)])
        made = _commit(call, repo, params, before, tree)
    return {
        "commitId": made.id.decode(),
        "blobId": blob.decode(),
        "treeId": tree.decode(),
        "filePath": path,
    }


def create_commit(call: CodeCommitCall, params: Members) -> Members:
    call.check_empty_folders(params)
    found, branch = call.found(params["repositoryName"]), params["branchName"]
    put, gone = params.get("putFiles", []), params.get("deleteFiles", [])
    modes = params.get("setFileModes", [])
    if not put and not gone and not modes:
        raise FileEntryRequired()
    paths = [commits.plain_path(each["filePath"]) for each in (*put, *gone, *modes)]
    for path in paths:
        if paths.count(path) > 1:
            raise SamePathRequest(name=path)
    answer: dict[str, Any] = {"filesAdded": [], "filesUpdated": [], "filesDeleted": []}
    with call.repositories.changing(found, call.principal.arn) as repo:
        before = commits.tip(repo, branch, params.get("parentCommitId"))
        changes: list[commits.Change] = []
        for each in put:
            path = commits.plain_path(each["filePath"])
            commits.check_places(repo, before, path)
            mode = commits.MODES[each.get("fileMode", "NORMAL")]
            sha, moved = _content(repo, before, each, path)
            if moved:
                changes.append((moved, None, None))
            changes.append((path, mode, sha))
            kind = "filesUpdated" if _entry(repo, before, path) else "filesAdded"
            answer[kind].append(commits.described(path, mode, sha))
        for each in gone:
            path = commits.plain_path(each["filePath"])
            answer["filesDeleted"].append(commits.described(path, *_there(repo, before, path)))
            changes.append((path, None, None))
        for each in modes:
            path = commits.plain_path(each["filePath"])
            mode, (_, sha) = commits.MODES[each["fileMode"]], _there(repo, before, path)
            changes.append((path, mode, sha))
            answer["filesUpdated"].append(commits.described(path, mode, sha))
        tree = commits.changed_tree(repo, before, changes)
        made = _commit(call, repo, params, before, tree, "authorName")
    return {"commitId": made.id.decode(), "treeId": tree.decode(), **answer}


def _commit(
    call: CodeCommitCall,
    repo: Repo,
    params: Members,
    before: Commit | None,
    tree: ObjectID,
    author: str = "name",
) -> Commit:
    """The request's commit of a tree; author: the member that has the author's name."""
    return commits.commit(
        repo,
        params["branchName"],
        [before] if before else [],
        tree,
        params.get("commitMessage", ""),
        commits.author_of(params, call.principal.arn, author),
        call.clock.now(),
    )


def _entry(repo: Repo, before: Commit | None, path: str) -> tuple[int, ObjectID] | None:
    """`bare.entry`; None in a repository without commits."""
    return bare.entry(repo, before, path) if before else None


def _there(repo: Repo, before: Commit | None, path: str) -> tuple[int, ObjectID]:
    """Mode and id of what is at a path; raises FileDoesNotExist."""
    if not (found := _entry(repo, before, path)):
        raise FileDoesNotExist(name=path)
    return found


def _content(repo: Repo, before: Commit | None, file: Members, path: str) -> tuple[ObjectID, str]:
    """The object of a new file, and the path that a moved file leaves, "" for none."""
    source = file.get("sourceFile")
    if source is None and "fileContent" not in file:
        raise SourceFileOrContentRequired()
    if source is None:
        return ObjectID(commits.blob_of(repo, path, file["fileContent"]).id), ""
    if "fileContent" in file:
        raise FileContentAndSourceFile()
    old = commits.plain_path(source["filePath"])
    _, sha = _there(repo, before, old)
    return sha, old if source.get("isMove") else ""
