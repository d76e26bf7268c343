"""Who the learner is in AWS, and whether the labs should work there: asked before they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.files import LabsError
from labs_helpers.iam_simulator import NotSimulated, policy_source

NEEDED = {
    "repository": ("ecr:CreateRepository", "ecr:DeleteRepository", "ecr:PutImage"),
    "pull-through cache rule": ("ecr:CreatePullThroughCacheRule",),
    "creation template": ("ecr:CreateRepositoryCreationTemplate",),
    "secret": ("secretsmanager:CreateSecret",),
    "bucket": ("s3:CreateBucket",),
    "user": ("iam:CreateUser",),
    "group": ("iam:CreateGroup",),
    "role": ("iam:CreateRole",),
    "policy": ("iam:CreatePolicy",),
    "identity provider": ("iam:CreateOpenIDConnectProvider",),
    "build project": ("codebuild:CreateProject",),
    "log group": ("logs:DeleteLogGroup",),  # a build makes it, by its role
    "pipeline": ("codepipeline:CreatePipeline",),
    "source repository": ("codecommit:CreateRepository",),
    "connection": ("codeconnections:CreateConnection",),
    "queue": ("sqs:CreateQueue",),
    "event rule": ("events:PutRule",),
    "cluster": ("ecs:CreateCluster",),
    "service": ("ecs:CreateService",),
    "task definition": ("ecs:RegisterTaskDefinition",),
    "security group": ("ec2:CreateSecurityGroup",),
    "load balancer": ("elasticloadbalancing:CreateLoadBalancer",),
    "target group": ("elasticloadbalancing:CreateTargetGroup",),
}
"""By the kind of things that the labs make: actions that the learner needs for it."""


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
    # IAM may answer a part of the list at a time
    asked = iam.get_paginator("simulate_principal_policy")
    try:
        results: Sequence[dict[str, str]] = [
            one
            for page in asked.paginate(
                PolicySourceArn=policy_source(iam, arn),
                ActionNames=[action for actions in NEEDED.values() for action in actions],
            )
            for one in page["EvaluationResults"]
        ]
    except (ClientError, BotoCoreError, NotSimulated) as error:
        doubts.append(f"whether you have the rights: {error}")
        return None
    return tuple(one["EvalActionName"] for one in results if one["EvalDecision"] != "allowed")
