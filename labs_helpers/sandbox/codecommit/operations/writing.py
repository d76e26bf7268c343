"""Files written to a branch by the API: PutFile, DeleteFile, CreateCommit."""

from __future__ import annotations

from typing import Any

from dulwich.objects import ObjectID
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
        if before and bare.entry(repo, before, path) == (mode, blob.id):
            raise SameFileContent()
        tree = commits.changed_tree(repo, before, [(path, mode, ObjectID(blob.id))])
        made = commits.commit(
            repo,
            branch,
            [before] if before else [],
            tree,
            params.get("commitMessage", ""),
            commits.author_of(params, call.principal.arn, "name"),
            call.clock.now(),
        )
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
        place = bare.entry(repo, before, path) if before else None
        if before is None or place is None:
            raise FileDoesNotExist(name=path)
        tree = commits.changed_tree(repo, before, [(path, None, None)])
        made = commits.commit(
            repo,
            branch,
            [before],
            tree,
            params.get("commitMessage", ""),
            commits.author_of(params, call.principal.arn, "name"),
            call.clock.now(),
        )
    return {
        "commitId": made.id.decode(),
        "blobId": place[1].decode(),
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

        def there(path: str) -> tuple[int, ObjectID] | None:
            return bare.entry(repo, before, path) if before else None

        changes: list[commits.Change] = []
        for each in put:
            path = commits.plain_path(each["filePath"])
            commits.check_places(repo, before, path)
            mode = commits.MODES[each.get("fileMode", "NORMAL")]
            sha, moved = _content(repo, each, path, there)
            if moved:
                changes.append((moved, None, None))
            changes.append((path, mode, sha))
            kind = "filesUpdated" if there(path) else "filesAdded"
            answer[kind].append(commits.described(path, mode, sha))
        for each in gone:
            path = commits.plain_path(each["filePath"])
            if not (place := there(path)):
                raise FileDoesNotExist(name=path)
            changes.append((path, None, None))
            answer["filesDeleted"].append(commits.described(path, *place))
        for each in modes:
            path = commits.plain_path(each["filePath"])
            if not (place := there(path)):
                raise FileDoesNotExist(name=path)
            mode = commits.MODES[each["fileMode"]]
            changes.append((path, mode, place[1]))
            answer["filesUpdated"].append(commits.described(path, mode, place[1]))
        tree = commits.changed_tree(repo, before, changes)
        made = commits.commit(
            repo,
            branch,
            [before] if before else [],
            tree,
            params.get("commitMessage", ""),
            commits.author_of(params, call.principal.arn, "authorName"),
            call.clock.now(),
        )
    return {"commitId": made.id.decode(), "treeId": tree.decode(), **answer}


def _content(repo: Repo, file: Members, path: str, there: Any) -> tuple[ObjectID, str]:
    """The object of a new file, and the path that a moved file leaves, "" for none."""
    source = file.get("sourceFile")
    if source is None and "fileContent" not in file:
        raise SourceFileOrContentRequired()
    if source is None:
        return ObjectID(commits.blob_of(repo, path, file["fileContent"]).id), ""
    if "fileContent" in file:
        raise FileContentAndSourceFile()
    old = commits.plain_path(source["filePath"])
    if not (place := there(old)):
        raise FileDoesNotExist(name=old)
    return place[1], old if source.get("isMove") else ""
