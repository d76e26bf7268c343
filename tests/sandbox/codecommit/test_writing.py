"""Files written to a branch by the API, and what differs between commits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies import allow
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Any:
    return sandbox.client("codecommit")


def tip(api: Any, name: str) -> str:
    found = api.get_branch(repositoryName=name, branchName="main")["branch"]
    return str(found["commitId"])


def begun(api: Any, name: str) -> str:
    """A repository with one file, "app/words"; the commit."""
    api.create_repository(repositoryName=name)
    made = api.put_file(
        repositoryName=name,
        branchName="main",
        fileContent=b"one\n",
        filePath="app/words",
        commitMessage="Begin",
        name="Ada",
        email="ada@example.com",
    )
    return str(made["commitId"])


def test_files_are_put_read_and_deleted_without_a_clone(api: Any) -> None:
    first = begun(api, "written")
    place = {"repositoryName": "written", "branchName": "main"}
    commit = api.get_commit(repositoryName="written", commitId=first)["commit"]
    assert commit["message"] == "Begin"
    assert commit["author"]["name"] == "Ada"
    assert commit["parents"] == []
    second = api.put_file(
        **place,
        filePath="/run.sh",
        fileContent=b"#!/bin/sh\n",
        fileMode="EXECUTABLE",
        parentCommitId=first,
    )
    found = api.get_file(repositoryName="written", filePath="run.sh")
    assert found["fileContent"] == b"#!/bin/sh\n"
    assert found["fileMode"] == "EXECUTABLE"
    assert found["commitId"] == second["commitId"]
    gone = api.delete_file(**place, filePath="run.sh", parentCommitId=second["commitId"])
    assert gone["blobId"] == second["blobId"]
    assert tip(api, "written") == gone["commitId"]
    assert api.get_commit(repositoryName="written", commitId=gone["commitId"])["commit"][
        "parents"
    ] == [second["commitId"]]


def test_one_commit_puts_moves_deletes_and_changes_modes(api: Any) -> None:
    first = begun(api, "several")
    place = {"repositoryName": "several", "branchName": "main"}
    second = api.create_commit(
        **place,
        parentCommitId=first,
        putFiles=[
            {"filePath": "docs/a", "fileContent": b"a"},
            {"filePath": "tool", "fileContent": b"t"},
            {"filePath": "old", "fileContent": b"o"},
        ],
        authorName="Ada",
        commitMessage="Add",
    )
    assert [each["absolutePath"] for each in second["filesAdded"]] == ["docs/a", "tool", "old"]
    third = api.create_commit(
        **place,
        parentCommitId=second["commitId"],
        putFiles=[
            {"filePath": "app/words", "fileContent": b"two\n"},
            {"filePath": "docs/b", "sourceFile": {"filePath": "docs/a", "isMove": True}},
        ],
        deleteFiles=[{"filePath": "old"}],
        setFileModes=[{"filePath": "tool", "fileMode": "EXECUTABLE"}],
    )
    assert [each["absolutePath"] for each in third["filesUpdated"]] == ["app/words", "tool"]
    assert [each["absolutePath"] for each in third["filesDeleted"]] == ["old"]
    pages = api.get_paginator("get_differences").paginate(
        repositoryName="several",
        beforeCommitSpecifier=second["commitId"],
        afterCommitSpecifier="main",
        PaginationConfig={"PageSize": 2},
    )
    shown = [
        (each["changeType"], (each.get("afterBlob") or each["beforeBlob"])["path"])
        for page in pages
        for each in page["differences"]
    ]
    assert shown == [
        ("M", "app/words"),
        ("D", "docs/a"),
        ("A", "docs/b"),
        ("D", "old"),
        ("M", "tool"),
    ]
    all_of_it = api.get_differences(repositoryName="several", afterCommitSpecifier=first)
    assert [each["changeType"] for each in all_of_it["differences"]] == ["A"]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("put_file", {"filePath": "x"}, "ParentCommitIdRequired"),
    ("put_file", {"filePath": "x", "parentCommitId": "f" * 40}, "ParentCommitIdOutdated"),
    ("put_file", {"filePath": "app/words", "parentCommitId": ""}, "ParentCommitIdRequired"),
    ("put_file", {"filePath": "../x"}, "InvalidPath"),
    ("put_file", {"filePath": ".git/hooks/x"}, "InvalidPath"),
    ("put_file", {"filePath": "x", "branchName": "absent"}, "BranchDoesNotExist"),
    ("delete_file", {"filePath": "absent"}, "FileDoesNotExist"),
    ("delete_file", {"filePath": "x", "keepEmptyFolders": True}, "NotInSandbox"),
    ("create_commit", {}, "FileEntryRequired"),
    ("create_commit", {"putFiles": [{"filePath": "x"}]}, "SourceFileOrContentRequired"),
    ("create_commit", {"deleteFiles": [{"filePath": "x"}] * 2}, "SamePathRequest"),
    (
        "create_commit",
        {"putFiles": [{"filePath": "app", "fileContent": b"x"}]},
        "FileNameConflictsWithDirectoryName",
    ),
    (
        "create_commit",
        {"putFiles": [{"filePath": "app/words/x", "fileContent": b"x"}]},
        "DirectoryNameConflictsWithFileName",
    ),
    (
        "create_commit",
        {"putFiles": [{"filePath": "app/words", "fileContent": b"one\n"}]},
        "NoChange",
    ),
]


@pytest.fixture(scope="module")
def refusing(api: Any) -> str:
    return begun(api, "refusing")


@pytest.mark.parametrize(("operation", "changed", "code"), REFUSED)
def test_what_is_refused_changes_nothing(
    api: Any, refusing: str, operation: str, changed: dict[str, Any], code: str
) -> None:
    params = {"repositoryName": "refusing", "branchName": "main", **changed}
    if operation == "put_file":
        params = {"fileContent": b"x", **params}
    else:
        params = {"parentCommitId": refusing, **params}
    _, found, _ = refusal_of(api, operation, **params)
    assert found.removesuffix("Exception") == code
    assert tip(api, "refusing") == refusing


def test_who_may_put_files(sandbox: Running, api: Any) -> None:
    begun(api, "guarded")
    ada = People(sandbox).make("reads-only", allow("codecommit:GetFile"))
    params = {"repositoryName": "guarded", "branchName": "main"}
    said = ada.denied(
        "codecommit",
        "put_file",
        **params,
        filePath="x",
        fileContent=b"x",
        parentCommitId=tip(api, "guarded"),
    )
    assert "codecommit:PutFile" in said
