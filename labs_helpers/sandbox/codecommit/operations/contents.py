"""What a repository holds: commits, folders, files."""

from __future__ import annotations

import posixpath
import stat
from typing import Any

from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo

from labs_helpers.sandbox.codecommit import bare
from labs_helpers.sandbox.codecommit.call import CodeCommitCall
from labs_helpers.sandbox.codecommit.errors import (
    BlobIdDoesNotExist,
    CommitDoesNotExist,
    CommitIdDoesNotExist,
    FileDoesNotExist,
    FileTooLarge,
    FolderDoesNotExist,
)
from labs_helpers.sandbox.codecommit.store import Document
from labs_helpers.sandbox.service.service import Members

_LARGEST = 6 * 1024 * 1024
"""https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html"""


def get_commit(call: CodeCommitCall, params: Members) -> Members:
    """A commit by its full id."""
    found, wanted = call.found(params["repositoryName"]), params["commitId"]
    with call.repositories.reading(found) as repo:
        commit = bare.found_object(repo, wanted)
        if not isinstance(commit, Commit):
            raise CommitIdDoesNotExist(name=wanted)
        return {"commit": _commit(commit)}


def batch_get_commits(call: CodeCommitCall, params: Members) -> Members:
    found, commits, errors = call.found(params["repositoryName"]), [], []
    with call.repositories.reading(found) as repo:
        for wanted in dict.fromkeys(params["commitIds"]):
            commit = bare.found_object(repo, wanted)
            if isinstance(commit, Commit):
                commits.append(_commit(commit))
            else:
                refused = CommitIdDoesNotExist(name=wanted)
                said = {"errorCode": refused.code, "errorMessage": refused.message}
                errors.append({"commitId": wanted, **said})
    return {"commits": commits, "errors": errors}


def get_blob(call: CodeCommitCall, params: Members) -> Members:
    found, wanted = call.found(params["repositoryName"]), params["blobId"]
    with call.repositories.reading(found) as repo:
        blob = bare.found_object(repo, wanted)
        if not isinstance(blob, Blob):
            raise BlobIdDoesNotExist(name=wanted)
        return {"content": _content(blob)}


def get_file(call: CodeCommitCall, params: Members) -> Members:
    found, path = call.found(params["repositoryName"]), _plain(params["filePath"])
    with call.repositories.reading(found) as repo:
        commit = _specified(repo, found, params.get("commitSpecifier"))
        place = bare.entry(repo, commit, path)
        blob = None if place is None else bare.found_object(repo, place[1].decode())
        if place is None or not isinstance(blob, Blob):
            raise FileDoesNotExist(name=params["filePath"])
        return {
            "commitId": commit.id.decode(),
            "blobId": blob.id.decode(),
            "filePath": path,
            "fileMode": _mode(place[0]),
            "fileSize": len(blob.data),
            "fileContent": _content(blob),
        }


def get_folder(call: CodeCommitCall, params: Members) -> Members:
    found, path = call.found(params["repositoryName"]), _plain(params["folderPath"])
    with call.repositories.reading(found) as repo:
        commit = _specified(repo, found, params.get("commitSpecifier"))
        place = bare.entry(repo, commit, path)
        tree = None if place is None else bare.found_object(repo, place[1].decode())
        if not isinstance(tree, Tree):
            raise FolderDoesNotExist(name=params["folderPath"])
        answer: dict[str, Any] = {
            "commitId": commit.id.decode(),
            "folderPath": path,
            "treeId": tree.id.decode(),
            "subFolders": [],
            "files": [],
            "symbolicLinks": [],
            "subModules": [],
        }
        for each in tree.iteritems():
            name, sha = each.path.decode(errors="replace"), each.sha.decode()
            paths = {"absolutePath": posixpath.join(path, name), "relativePath": name}
            if stat.S_ISDIR(each.mode):
                answer["subFolders"].append({"treeId": sha, **paths})
            elif stat.S_ISLNK(each.mode):
                answer["symbolicLinks"].append({"blobId": sha, **paths, "fileMode": "SYMLINK"})
            elif stat.S_ISREG(each.mode):
                answer["files"].append({"blobId": sha, **paths, "fileMode": _mode(each.mode)})
            else:
                answer["subModules"].append({"commitId": sha, **paths})
        return answer


def _specified(repo: Repo, found: Document, specifier: str | None) -> Commit:
    """The commit that a specifier names; the newest of the default branch without one."""
    wanted = specifier or found.get("defaultBranch", "HEAD")
    commit = bare.commit_of(repo, wanted)
    if commit is None:
        raise CommitDoesNotExist(name=wanted)
    return commit


def _commit(commit: Commit) -> Members:
    return {
        "commitId": commit.id.decode(),
        "treeId": commit.tree.decode(),
        "parents": [each.decode() for each in commit.parents],
        "message": commit.message.decode(errors="replace"),
        "author": _person(commit.author, commit.author_time, commit.author_timezone),
        "committer": _person(commit.committer, commit.commit_time, commit.commit_timezone),
        "additionalData": "",
    }


def _person(who: bytes, at: int, zone: int) -> Members:
    """Name, email and date ("1484167798 -0800"), as GetCommit writes them.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetCommit.html
    """
    name, _, rest = who.decode(errors="replace").partition("<")
    sign, minutes = "-" if zone < 0 else "+", abs(zone) // 60
    date = f"{at} {sign}{minutes // 60:02d}{minutes % 60:02d}"
    return {"name": name.strip(), "email": rest.rstrip(">"), "date": date}


def _mode(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "SYMLINK"
    return "EXECUTABLE" if mode & 0o100 else "NORMAL"


def _content(blob: Blob) -> bytes:
    if len(blob.data) > _LARGEST:
        raise FileTooLarge(size=len(blob.data))
    return blob.data


def _plain(path: str) -> str:
    """A path without a slash at its ends; "" for the root."""
    return path.strip("/")
