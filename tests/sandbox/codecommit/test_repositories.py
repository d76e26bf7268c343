"""The operations of CodeCommit beside git: names, lists, tags, branches, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.policies import allow
from tests.sandbox.authorization.people_here import People
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Any:
    return sandbox.client("codecommit")


def test_a_repository_is_listed_renamed_tagged_and_deleted(api: Any) -> None:
    for name in ("b", "a", "c"):
        api.create_repository(repositoryName=name, tags={"team": name})
    pages = api.get_paginator("list_repositories").paginate(
        sortBy="repositoryName", order="descending"
    )
    listed = [each["repositoryName"] for page in pages for each in page["repositories"]]
    assert listed == ["c", "b", "a"]
    before = api.get_repository(repositoryName="a")["repositoryMetadata"]
    api.update_repository_name(oldName="a", newName="z")
    api.update_repository_description(repositoryName="z", repositoryDescription="the last")
    after = api.get_repository(repositoryName="z")["repositoryMetadata"]
    assert after["repositoryId"] == before["repositoryId"]
    assert after["Arn"].endswith(":z")
    assert after["cloneUrlHttp"].endswith("/v1/repos/z")
    assert after["repositoryDescription"] == "the last"
    api.tag_resource(resourceArn=after["Arn"], tags={"cost": "1"})
    api.untag_resource(resourceArn=after["Arn"], tagKeys=["team"])
    assert api.list_tags_for_resource(resourceArn=after["Arn"])["tags"] == {"cost": "1"}
    found = api.batch_get_repositories(repositoryNames=["z", "a"])
    assert [each["repositoryName"] for each in found["repositories"]] == ["z"]
    assert found["repositoriesNotFound"] == ["a"]
    assert api.delete_repository(repositoryName="z")["repositoryId"] == before["repositoryId"]
    assert "repositoryId" not in api.delete_repository(repositoryName="z")


@pytest.mark.parametrize(
    ("operation", "params", "code", "said"),
    [
        ("get_repository", {"repositoryName": "x"}, "RepositoryDoesNotExist", "x does not exist"),
        ("create_repository", {"repositoryName": "c"}, "RepositoryNameExists", "c already exists"),
        ("create_repository", {"repositoryName": "c d"}, "InvalidRepositoryName", "not valid"),
        ("create_repository", {"repositoryName": "c.git"}, "InvalidRepositoryName", "not valid"),
        ("create_repository", {"repositoryName": "k", "kmsKeyId": "k"}, "NotInSandbox", "kmsKeyId"),
        (
            "create_repository",
            {"repositoryName": "t", "tags": {"aws:x": "y"}},
            "InvalidSystemTagUsage",
            "aws:x",
        ),
        ("get_branch", {"repositoryName": "c", "branchName": "x"}, "BranchDoesNotExist", "x"),
        (
            "create_branch",
            {"repositoryName": "c", "branchName": "a..b", "commitId": "0" * 40},
            "InvalidBranchName",
            "a..b",
        ),
        (
            "create_branch",
            {"repositoryName": "c", "branchName": "a", "commitId": "0" * 40},
            "CommitDoesNotExist",
            "0000",
        ),
        ("get_commit", {"repositoryName": "c", "commitId": "main"}, "CommitIdDoesNotExist", "main"),
        ("get_file", {"repositoryName": "c", "filePath": "a"}, "CommitDoesNotExist", "HEAD"),
        (
            "list_tags_for_resource",
            {"resourceArn": "arn:aws:codecommit:us-west-2:123456789012:nothing"},
            "RepositoryDoesNotExist",
            "nothing",
        ),
        (
            "create_pull_request",
            {"title": "t", "targets": [{"repositoryName": "c", "sourceReference": "a"}]},
            "NotInSandbox",
            "merge with git",
        ),
    ],
)
def test_bad_input_is_refused_in_words(
    api: Any, operation: str, params: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(ClientError, match=said) as caught:
        getattr(api, operation)(**params)
    assert caught.value.response["Error"]["Code"].removesuffix("Exception") == code


def test_iam_decides_by_the_repository(sandbox: Running, api: Any) -> None:
    arn = "arn:aws:codecommit:us-west-2:123456789012:b"
    mary = People(sandbox).make("mary", allow("codecommit:GetRepository", on=arn))
    theirs = mary.client("codecommit")
    assert theirs.get_repository(repositoryName="b")["repositoryMetadata"]["Arn"] == arn
    with pytest.raises(ClientError, match=r"codecommit:GetRepository on resource: .*:c"):
        theirs.get_repository(repositoryName="c")
