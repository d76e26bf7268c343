"""What differs between two commits."""

from __future__ import annotations

import stat
from typing import Any

from dulwich.diff_tree import tree_changes
from dulwich.objects import ObjectID, Tree

from labs_helpers.sandbox.codecommit import bare
from labs_helpers.sandbox.codecommit.call import CodeCommitCall
from labs_helpers.sandbox.codecommit.errors import CommitDoesNotExist, PathDoesNotExist
from labs_helpers.sandbox.service.errors import not_here
from labs_helpers.sandbox.service.service import Members

_MOST = 100_000
"""Files and folders that are compared."""
_KINDS = {"add": "A", "modify": "M", "delete": "D"}


def get_differences(call: CodeCommitCall, params: Members) -> Members:
    """Files that differ, by path; without beforeCommitSpecifier, all files of the later commit."""
    found = call.found(params["repositoryName"])
    with call.repositories.reading(found) as repo:
        after = _tree(repo, params["afterCommitSpecifier"], params.get("afterPath", ""))
        before = None
        if earlier := params.get("beforeCommitSpecifier"):
            before = _tree(repo, earlier, params.get("beforePath", ""))
        keyed = []
        changes = tree_changes(repo.object_store, before, after, include_trees=True)
        for number, change in enumerate(changes):
            if number == _MOST:
                # some folders in each other, each of them ten times, make a billion
                raise not_here(
                    "the operation codecommit:GetDifferences of more than "
                    f"{_MOST:,} files and folders",
                    "Compare a folder: beforePath, afterPath.",
                )
            if any(stat.S_ISDIR(each.mode or 0) for each in (change.old, change.new) if each):
                continue
            shown: dict[str, Any] = {"changeType": _KINDS[change.type]}
            paths = []
            for name, entry in (("beforeBlob", change.old), ("afterBlob", change.new)):
                if entry is not None and entry.path is not None:
                    path = entry.path.decode(errors="replace")
                    paths.append(path)
                    shown[name] = {
                        "blobId": entry.sha.decode(),
                        "path": path,
                        "mode": f"{entry.mode:o}",
                    }
            keyed.append(([paths[-1]], shown))
    # this operation alone writes its paging members with a capital
    asked = {
        "nextToken": params.get("NextToken"),
        "maxResults": params.get("MaxResults"),
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    place = [params.get(name, "") for name in ("beforeCommitSpecifier", "afterCommitSpecifier")]
    part, token = call.page(
        sorted(keyed, key=lambda each: each[0]), asked, found["repositoryId"], *place
    )
    return {"differences": part, **({"NextToken": token} if token else {})}


def _tree(repo: Any, specifier: str, path: str) -> ObjectID:
    commit = bare.commit_of(repo, specifier)
    if commit is None:
        raise CommitDoesNotExist(name=specifier)
    place = bare.entry(repo, commit, path.strip("/"))
    if place is None or not isinstance(bare.found_object(repo, place[1].decode()), Tree):
        raise PathDoesNotExist(name=path)
    return place[1]
