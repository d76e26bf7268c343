"""`labs clean-up` finds and deletes what the labs made, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labs_helpers import on_aws
from labs_helpers.clean_up.found import TAG, survey
from labs_helpers.cli import clean_up, main
from labs_helpers.prepare import Place
from tests.aws_mode.account import ACCOUNT, REGION, Learner, everything
from tests.aws_mode.test_agreement import agree, enter
from tests.sandbox.sandbox_process import Running


@pytest.fixture
def place(learner: Learner, there: Running) -> Iterator[Place]:
    """The learner has agreed; afterwards the account is as it was."""
    before = everything(there)
    workspace = agree(learner)
    enter(workspace)
    yield clean_up.find(workspace)
    assert everything(there) == before


def cleaned(*words: str) -> int:
    return main.main(["clean-up", "--delete", "--agree", ACCOUNT, *words])


def made_in_lab_02(place: Place) -> None:
    """What lab 02 makes, hanging together as it does there."""
    iam = place.client("iam")
    document = '{"Version": "2012-10-17", "Statement": []}'
    allow = document.replace("[]", '[{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]')
    trust = document.replace(
        "[]",
        '[{"Effect": "Allow", "Principal": {"AWS": "'
        + ACCOUNT
        + '"}, "Action": "sts:AssumeRole"}]',
    )
    for user in ("labs-dev", "labs-ci"):
        iam.create_user(UserName=user)
        iam.create_access_key(UserName=user)
    arn = iam.create_policy(PolicyName="labs-push-demo-app", PolicyDocument=allow)["Policy"]["Arn"]
    iam.create_group(GroupName="labs-pushers")
    iam.attach_group_policy(GroupName="labs-pushers", PolicyArn=arn)
    iam.add_user_to_group(GroupName="labs-pushers", UserName="labs-dev")
    iam.create_role(RoleName="labs-deployer", AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName="labs-deployer", PolicyArn=arn)


def test_what_hangs_together_goes_in_one_run(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    on_aws.notes(place, "02")
    made_in_lab_02(place)

    assert main.main(["clean-up"]) == 1
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("labs-dev", "labs-pushers", "labs-deployer"))
    assert {one.name for one in survey(place).things} >= {"labs-dev"}, "the list deleted it"

    assert cleaned() == 0
    assert "Nothing of the labs is left." in capsys.readouterr().out


def test_what_was_there_before_the_labs_stays(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    ecr = place.client("ecr")
    ecr.create_repository(repositoryName="myapp")
    notes = on_aws.notes(place, "08")
    assert any("repository myapp" in note for note in notes)
    try:
        assert cleaned() == 0
        assert "it was there before the labs" in capsys.readouterr().out
        assert ecr.describe_repositories(repositoryNames=["myapp"])["repositories"]
    finally:
        ecr.delete_repository(repositoryName="myapp")


def test_what_no_opened_lab_makes_stays(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    ecr = place.client("ecr")
    ecr.create_repository(repositoryName="payments/api")
    try:
        assert cleaned() == 0
        assert "no lab that makes it was opened here" in capsys.readouterr().out
    finally:
        ecr.delete_repository(repositoryName="payments/api")  # which fails if it is gone


def test_the_tag_finds_what_another_folder_s_labs_made(place: Place) -> None:
    place.client("ecr").create_repository(
        repositoryName="payments/api", tags=[{"Key": TAG, "Value": "labs-of-yesterday"}]
    )
    assert cleaned() == 0


def test_things_get_the_tag_after_the_cell_that_made_them(place: Place) -> None:
    on_aws.notes(place, "02")
    made_in_lab_02(place)
    assert on_aws.tag(place, "02") == []
    iam = place.client("iam")
    tags = {
        "user": iam.list_user_tags(UserName="labs-dev")["Tags"],
        "role": iam.list_role_tags(RoleName="labs-deployer")["Tags"],
    }
    assert {kind: [one["Key"] for one in found] for kind, found in tags.items()} == {
        "user": [TAG],
        "role": [TAG],
    }
    assert cleaned() == 0


def test_a_tag_that_is_refused_keeps_no_other_thing_from_its_tag(place: Place) -> None:
    on_aws.notes(place, "02")
    made_in_lab_02(place)
    iam = place.client("iam")
    deny = (
        '{"Version": "2012-10-17", "Statement":'
        ' [{"Effect": "Deny", "Action": "iam:TagUser", "Resource": "*"}]}'
    )
    iam.put_user_policy(UserName="learner", PolicyName="deny", PolicyDocument=deny)
    try:
        said = on_aws.tag(place, "02")
    finally:
        iam.delete_user_policy(UserName="learner", PolicyName="deny")
    assert [line.partition(": ")[0].rpartition(", ")[2] for line in said] == [
        "user labs-ci",
        "user labs-dev",
    ]
    assert all("iam:TagUser" in line for line in said)
    assert [one["Key"] for one in iam.list_role_tags(RoleName="labs-deployer")["Tags"]] == [TAG]
    assert cleaned() == 0


def test_a_repository_and_a_bucket_go_with_what_they_hold(place: Place) -> None:
    on_aws.notes(place, "01")
    s3 = place.client("s3")
    bucket = f"labs-cli-{ACCOUNT}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    assert on_aws.tag(place, "01") == []
    assert [one["Key"] for one in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]] == [TAG]
    assert cleaned() == 0


def test_what_cannot_be_deleted_is_named_with_the_reason_and_what_it_costs(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labs_helpers.clean_up.delete.PAUSE", 0)
    on_aws.notes(place, "02")
    place.client("iam").create_user(UserName="labs-dev")
    deny = (
        '{"Version": "2012-10-17", "Statement":'
        ' [{"Effect": "Deny", "Action": "iam:DeleteUser", "Resource": "*"}]}'
    )
    iam = place.client("iam")
    iam.put_user_policy(UserName="learner", PolicyName="deny", PolicyDocument=deny)
    try:
        assert cleaned() == 1
    finally:
        iam.delete_user_policy(UserName="learner", PolicyName="deny")
    said = capsys.readouterr()
    line = next(one for one in said.out.splitlines() if "could not be deleted" in one)
    assert line.startswith(
        "user labs-dev could not be deleted, and costs nothing, but its access keys open your "
        "account: "
    )
    assert "iam:DeleteUser" in line
    assert "run labs clean-up again later" in said.out + said.err
    assert cleaned() == 0


def test_without_agreement_nothing_is_deleted(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    on_aws.notes(place, "02")
    place.client("iam").create_user(UserName="labs-dev")
    assert main.main(["clean-up", "--delete", "--agree", "123456789012"]) == 1
    assert f"you agree with the account's number, {ACCOUNT}." in capsys.readouterr().err
    assert place.client("iam").get_user(UserName="labs-dev")
    assert cleaned() == 0


def test_a_kind_that_may_not_be_read_is_named(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    deny = (
        '{"Version": "2012-10-17", "Statement":'
        ' [{"Effect": "Deny", "Action": "ecr:DescribeRepositories", "Resource": "*"}]}'
    )
    iam = place.client("iam")
    iam.put_user_policy(UserName="learner", PolicyName="deny", PolicyDocument=deny)
    try:
        assert main.main(["clean-up"]) == 1
    finally:
        iam.delete_user_policy(UserName="learner", PolicyName="deny")
    assert "Not looked at: every repository" in capsys.readouterr().out
