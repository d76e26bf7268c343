"""`labs lab --aws` asks once, refuses dangerous callers, and leaves the learner's files alone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import boto3
import pytest

from labs_helpers import aws_caller, aws_session, modes
from labs_helpers.aws_caller import Caller
from labs_helpers.clean_up.kinds import KINDS
from labs_helpers.cli import on_aws
from labs_helpers.files import LabsError
from labs_helpers.startup import _place_on_aws
from labs_helpers.workspace import Workspace
from tests.aws_mode.account import ACCOUNT, REGION, Learner, json_of
from tests.sandbox.sandbox_process import Running

CALLER = Caller(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ana", REGION, False, ())


def agree(learner: Learner, **words: str | None) -> Workspace:
    asked = {"profile": "training", "agreed_account": ACCOUNT, **words}
    return on_aws.agree(learner.workspace, **asked)  # type: ignore[arg-type]


def enter(place: Workspace) -> None:
    """This process gets the environment of a kernel in AWS mode."""
    os.environ.update(LABS_MODE="aws", LABS_HOME=str(place.home))
    given = modes.environment(place, 0).applied(os.environ)
    os.environ.clear()
    os.environ.update(given)
    boto3.DEFAULT_SESSION = None


def test_without_the_account_s_number_nothing_is_agreed(
    learner: Learner, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LabsError, match=f"labs lab --aws --agree {ACCOUNT}"):
        agree(learner, agreed_account="123456789012")
    said = capsys.readouterr().out
    for fact in (ACCOUNT, REGION, f"arn:aws:iam::{ACCOUNT}:user/learner", "USD a month"):
        assert fact in said
    assert aws_session.agreed(aws_session.workspace_of(learner.workspace)) is None


def test_it_asks_once(learner: Learner) -> None:
    first = aws_session.agreed(agree(learner))
    again = aws_session.agreed(agree(learner, agreed_account=None, profile=None))
    assert first == again
    with pytest.raises(LabsError, match="Nothing was changed"):
        agree(learner, agreed_account=None, region="eu-west-1")


def test_no_secret_is_kept(learner: Learner, there: Running) -> None:
    place = agree(learner)
    kept = [path for path in place.home.rglob("*") if path.is_file()]
    secret = there.learner["secret_access_key"]
    assert kept
    assert not [path for path in kept if secret in path.read_text(errors="replace")]


def test_clients_use_the_learner_s_credentials_through_the_labs_profile(learner: Learner) -> None:
    enter(agree(learner))
    assert boto3.client("sts").get_caller_identity()["Arn"].endswith(":user/learner")
    assert boto3.Session().region_name == REGION


def test_what_a_lesson_configures_lands_in_the_labs_files(learner: Learner) -> None:
    place = agree(learner)
    enter(place)
    for words in (["region", "eu-west-1"], ["aws_access_key_id", "AKIA"]):
        subprocess.run(
            [sys.executable, "-m", "awscli", "configure", "set", *words, "--profile", "labs-dev"],
            check=True,
        )
    assert "[profile labs-dev]" in place.aws_config.read_text()
    os.environ.pop("LABS_MODE")
    agree(learner, agreed_account=None)
    assert "[profile labs-dev]" in place.aws_config.read_text(), (
        "lost when the labs are opened again"
    )


def test_docker_logins_are_the_labs_own(learner: Learner) -> None:
    place = agree(learner)
    enter(place)
    config = json_of(place.docker / "config.json")
    assert os.environ["DOCKER_CONFIG"] == str(place.docker)
    assert "registry.example" not in config.get("auths", {})
    assert str(learner.home / ".docker" / "cli-plugins") in config["cliPluginsExtraDirs"]


def test_keys_in_the_environment_do_not_go_before_the_named_profile(learner: Learner) -> None:
    os.environ.update(AWS_ACCESS_KEY_ID="AKIAOTHER", AWS_SECRET_ACCESS_KEY="other")
    place = agree(learner)
    os.environ.update(AWS_ACCESS_KEY_ID="AKIAOTHER", AWS_SECRET_ACCESS_KEY="other")
    enter(place)
    assert boto3.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_lessons_name_the_learner_s_account_and_region(learner: Learner) -> None:
    names = agree(learner).own_names
    assert (names.account, names.region) == (ACCOUNT, REGION)


def test_a_lab_does_not_open_in_an_account_that_was_not_agreed_to(learner: Learner) -> None:
    os.environ["LABS_MODE"] = "aws"
    with pytest.raises(LabsError, match="labs lab --aws"):
        _place_on_aws(learner.workspace)


def test_a_lab_does_not_open_with_credentials_of_another_account(learner: Learner) -> None:
    place = agree(learner)
    session = aws_session.required(place)
    aws_session.keep(place, replace(session, account="111122223333"))
    os.environ.update(LABS_MODE="aws", LABS_HOME=str(place.home))
    with pytest.raises(Exception, match=f"of account {ACCOUNT} now"):
        _place_on_aws(place)


def test_keys_of_the_root_user_are_refused_unless_told() -> None:
    root = replace(CALLER, arn=f"arn:aws:iam::{ACCOUNT}:root")
    with pytest.raises(LabsError, match="--even-as-root"):
        aws_caller.refuse(root, even_root=False, even_management=False)
    aws_caller.refuse(root, even_root=True, even_management=False)


def test_a_management_account_is_refused_unless_told() -> None:
    managing = replace(CALLER, management=True)
    with pytest.raises(LabsError, match="--even-in-management-account"):
        aws_caller.refuse(managing, even_root=False, even_management=False)
    aws_caller.refuse(managing, even_root=False, even_management=True)
    aws_caller.refuse(CALLER, even_root=False, even_management=False)


def test_a_right_is_asked_for_each_kind_that_the_labs_make(
    learner: Learner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(aws_caller.NEEDED) == set(KINDS)
    agree(learner)
    assert "all kinds of things that the labs make" in capsys.readouterr().out


def test_a_caller_without_rights_is_told_which_are_missing(
    learner: Learner, there: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    iam = there.client("iam")
    iam.put_user_policy(
        UserName="learner",
        PolicyName="no-users",
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Deny",'
        ' "Action": "iam:CreateUser", "Resource": "*"}]}',
    )
    try:
        agree(learner)
    finally:
        iam.delete_user_policy(UserName="learner", PolicyName="no-users")
    assert "NOT allowed: iam:CreateUser" in capsys.readouterr().out
