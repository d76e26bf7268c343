"""Commits that the API makes: files put, deleted and changed on a branch, without a clone.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateCommit.html
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dulwich.object_store import commit_tree_changes
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.repo import Repo

from labs_helpers.sandbox.codecommit import bare
from labs_helpers.sandbox.codecommit.errors import (
    BranchDoesNotExist,
    DirectoryNameConflicts,
    FileContentTooLarge,
    FileNameConflicts,
    InvalidBranchName,
    InvalidPath,
    NoChange,
    ParentCommitIdOutdated,
    ParentCommitIdRequired,
    PathRequired,
)
from labs_helpers.sandbox.service.service import Members

LARGEST = 6 * 1024 * 1024
"""Bytes of a file: https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html"""

MODES = {"NORMAL": 0o100644, "EXECUTABLE": 0o100755, "SYMLINK": 0o120000}

Change = tuple[str, int | None, ObjectID | None]
"""A path, its new mode and object; None for a path that goes."""


def plain_path(path: str) -> str:
    """A path of a file as git has it; raises PathRequired, InvalidPath."""
    found = path.removeprefix("/")
    if not found:
        raise PathRequired()
    if any(each in ("", ".", "..", ".git") for each in found.split("/")) or "\0" in found:
        raise InvalidPath(name=path)
    return found


def blob_of(repo: Repo, path: str, content: bytes) -> Blob:
    """A new object of a file's content; raises FileContentTooLarge."""
    if len(content) > LARGEST:
        raise FileContentTooLarge(name=path)
    blob = Blob.from_string(content)
    repo.object_store.add_object(blob)
    return blob


def tip(repo: Repo, branch: str, parent: str | None) -> Commit | None:
    """The newest commit of a branch; None in a repository without commits.

    parent: what the request takes for that commit. Raises ParentCommitIdRequired,
    ParentCommitIdOutdated, BranchDoesNotExist, InvalidBranchName.
    """
    if bare.branch_reference(branch) is None:
        raise InvalidBranchName(name=branch)
    known = bare.branches(repo)
    if not known:
        return None
    if branch not in known:
        raise BranchDoesNotExist(name=branch)
    if not parent:
        raise ParentCommitIdRequired()
    if parent != known[branch]:
        raise ParentCommitIdOutdated()
    return bare.commit_of(repo, parent)


def check_places(repo: Repo, before: Commit | None, path: str) -> None:
    """Raise where a file cannot stand beside the files and folders that are there."""
    if before is None:
        return
    parts = path.split("/")
    for end in range(1, len(parts)):
        found = bare.entry(repo, before, "/".join(parts[:end]))
        if found is not None and not stat.S_ISDIR(found[0]):
            raise DirectoryNameConflicts(name="/".join(parts[:end]))
    found = bare.entry(repo, before, path)
    if found is not None and stat.S_ISDIR(found[0]):
        raise FileNameConflicts(name=path)


def commit(
    repo: Repo,
    branch: str,
    parents: Sequence[Commit],
    tree: ObjectID,
    message: str,
    author: tuple[str, str],
    at: datetime,
) -> Commit:
    """A new commit of a tree, to which the branch then points; author: name and email."""
    made = Commit()
    made.tree = tree
    made.parents = [each.id for each in parents]
    who = f"{_clean(author[0])} <{_clean(author[1])}>".encode()
    made.author = made.committer = who
    made.author_time = made.commit_time = int(at.timestamp())
    made.author_timezone = made.commit_timezone = 0
    made.message = message.encode()
    made.encoding = b"UTF-8"
    repo.object_store.add_object(made)
    reference = bare.branch_reference(branch)
    if reference is None:
        raise InvalidBranchName(name=branch)
    repo.refs[reference] = made.id
    return made


def changed_tree(repo: Repo, before: Commit | None, changes: Iterable[Change]) -> ObjectID:
    """The tree of a commit with changed paths; raises NoChange."""
    if before is None:
        empty = Tree()
        repo.object_store.add_object(empty)
        old = ObjectID(empty.id)
    else:
        old = ObjectID(before.tree)
    found: Any = repo.object_store[old]
    entries = [(path.encode(), mode, sha) for path, mode, sha in changes]
    new = ObjectID(commit_tree_changes(repo.object_store, found, entries))
    if new == old:
        raise NoChange()
    return new


def author_of(params: Mapping[str, Any], arn: str, key: str) -> tuple[str, str]:
    """Name and email of a request; without a name, that of the caller's ARN."""
    return params.get(key) or arn.rpartition("/")[2], params.get("email") or ""


def described(path: str, mode: int, sha: bytes) -> Members:
    """A file as CreateCommit's answer lists files."""
    name = next((each for each, number in MODES.items() if number == mode), "NORMAL")
    return {"absolutePath": path, "blobId": sha.decode(), "fileMode": name}


def _clean(text: str) -> str:
    """A name or an email without what ends it in a commit."""
    return "".join(each for each in text if each not in "<>\n\0")
