"""Who the learner is in AWS, and whether the labs should work there: asked before they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.files import LabsError
from labs_helpers.iam_simulator import NotSimulated, policy_source

NEEDED = (
    "ecr:CreateRepository",
    "ecr:DeleteRepository",
    "ecr:PutImage",
    "iam:CreateUser",
    "iam:CreateRole",
    "iam:CreatePolicy",
    "iam:CreateOpenIDConnectProvider",
    "s3:CreateBucket",
    "codebuild:CreateProject",
    "codepipeline:CreatePipeline",
    "events:PutRule",
    "ecs:RegisterTaskDefinition",
)
"""One action of each kind of thing that the labs make."""


@dataclass(frozen=True)
class Caller:
    """Who calls, and what is known of the account.

    ``management``: whether the account manages an organisation; None when AWS did not say.
    ``lacking``: actions of NEEDED that are not allowed; None when IAM could not be asked.
    ``doubts`` are the reasons for each None, in words.
    """

    account: str
    arn: str
    region: str
    management: bool | None
    lacking: tuple[str, ...] | None
    doubts: tuple[str, ...] = ()

    @property
    def is_root(self) -> bool:
        """Whether these are keys of the account's root user.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html
        """
        return self.arn.endswith(":root")


def look(session: boto3.Session) -> Caller:
    """Ask AWS who calls, and what is known of the account; nothing is changed.

    Raises LabsError where there is no region, or nobody to call as.
    """
    region = session.region_name
    if region is None:
        raise LabsError(
            "Your AWS profile names no region. Name the one for the labs, for example:\n"
            "  labs lab --aws --region eu-central-1"
        )
    try:
        who = session.client("sts").get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        raise LabsError(
            f"AWS does not say who you are: {error}\n"
            "Log in as you usually do, for example with `aws login` or `aws sso login`, or name "
            "another profile: labs lab --aws --profile NAME"
        ) from error
    account, arn = str(who["Account"]), str(who["Arn"])
    doubts: list[str] = []
    management = _management(session, account, doubts)
    lacking = None if arn.endswith(":root") else _lacking(session, arn, doubts)
    return Caller(account, arn, region, management, lacking, tuple(doubts))


def refuse(caller: Caller, even_root: bool, even_management: bool) -> None:
    """Raise LabsError for callers that the labs should not work as, unless the learner says so."""
    if caller.is_root and not even_root:
        raise LabsError(
            f"These are keys of the root user of account {caller.account}. Nothing limits the root "
            "user, so a mistake in a lab has no limit either.\n"
            "Use a user or role of your own that has the right to work there "
            "(https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html).\n"
            "If you want it nevertheless: labs lab --aws --even-as-root"
        )
    if caller.management and not even_management:
        raise LabsError(
            f"Account {caller.account} is the management account of an organisation: what its "
            "users may do can reach every account of the organisation; no service control policy "
            "limits the account.\nUse a member account "
            "(https://docs.aws.amazon.com/organizations/latest/userguide/orgs_best-practices_mgmt-acct.html).\n"
            "If you want it nevertheless: labs lab --aws --even-in-management-account"
        )


def _management(session: boto3.Session, account: str, doubts: list[str]) -> bool | None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html"""
    try:
        found = session.client("organizations").describe_organization()["Organization"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "AWSOrganizationsNotInUseException":
            return False
        doubts.append(f"whether the account manages an organisation: {error}")
        return None
    except BotoCoreError as error:
        doubts.append(f"whether the account manages an organisation: {error}")
        return None
    return bool(found.get("MasterAccountId") == account)


def _lacking(session: boto3.Session, arn: str, doubts: list[str]) -> tuple[str, ...] | None:
    iam = session.client("iam")
    try:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=policy_source(iam, arn), ActionNames=list(NEEDED)
        )
    except (ClientError, BotoCoreError, NotSimulated) as error:
        doubts.append(f"whether you have the rights: {error}")
        return None
    results: Sequence[dict[str, str]] = answer["EvaluationResults"]
    return tuple(one["EvalActionName"] for one in results if one["EvalDecision"] != "allowed")
