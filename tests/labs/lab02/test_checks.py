"""Lab 02: what its checks say of answers that people give, by the sandbox's IAM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from labs_helpers.prepare.people import no_group, no_user, user_with
from labs_helpers.prepare.repositories import no_repository
from tests.labs.desk import Desk, desk, rows
from tests.policies import allow, deny

REPOSITORY = "arn:aws:ecr:us-west-2:123456789012:repository/"
PAYMENTS, DEMO = f"{REPOSITORY}payments/api", f"{REPOSITORY}demo-app-repo"
READ = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
LAYERS = "ecr:BatchCheckLayerAvailability"
WRITE = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload")
ALL = (*READ, LAYERS, *WRITE, "ecr:PutImage")
LOGIN = allow("ecr:GetAuthorizationToken")
WORK = [LOGIN, allow(*ALL, on=PAYMENTS)]
PULL = [LOGIN, allow(*READ, LAYERS, on=DEMO)]
FULL = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess"
HERE = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}


ME = "arn:aws:iam::123456789012:user/labs-ci"
MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}


def only(condition: dict[str, Any]) -> list[dict[str, Any]]:
    """The work, its statement for the repository under a condition."""
    return [LOGIN, {**WORK[1], "Condition": condition}]


def sometimes(condition: dict[str, Any]) -> str:
    """The work, and everything of ECR under a condition."""
    return ci(*WORK, allow("ecr:*", Condition=condition))


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("02") as made:
        yield made


@pytest.fixture(autouse=True)
def people(lab: Desk) -> None:
    """The users as at the lab's beginning, and no group or repository of an earlier answer."""
    for step in (
        no_user("labs-ci"),
        user_with("labs-intern", "AmazonEC2ContainerRegistryFullAccess"),
        no_group("labs-readers"),
        no_group("labs-pushers"),
        no_repository("payments/api"),
    ):
        step.ensure(lab.place)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def ci(*statements: dict[str, Any]) -> str:
    """The user labs-ci, with one inline policy."""
    return f"""
aws iam create-user --user-name labs-ci
cat > ci.json <<'END'
{document(*statements)}
END
aws iam put-user-policy --user-name labs-ci --policy-name work --policy-document file://ci.json
"""


def test_at_first_nothing_is_said_of_either(lab: Desk) -> None:
    assert lab.after("02.1", "") == "not tried: the user labs-ci, and what it may do\n  after: "
    assert lab.after("02.2", "").startswith("not tried: the groups of labs-intern")


RIGHT = {
    "a condition on the region": ci(*({**one, "Condition": HERE} for one in WORK)),
    "one action a statement": ci(LOGIN, *(allow(one, on=PAYMENTS) for one in ALL)),
    "any region in the ARN, held by a condition": ci(
        LOGIN, allow(*ALL, on=PAYMENTS.replace("us-west-2", "*"), Condition=HERE)
    ),
    "every action, and a deny of the others": ci(
        LOGIN,
        allow("ecr:*", on=PAYMENTS),
        {"Effect": "Deny", "NotAction": [*ALL, "ecr:GetAuthorizationToken"], "Resource": "*"},
    ),
    "through a group": f"""
aws iam create-user --user-name labs-ci
aws iam create-group --group-name labs-pushers
aws iam put-group-policy --group-name labs-pushers --policy-name w \\
  --policy-document '{document(*WORK)}'
aws iam add-user-to-group --group-name labs-pushers --user-name labs-ci
""",
    "its own name as a condition": ci(*only({"StringEquals": {"aws:username": "labs-ci"}})),
    "its own ARN as a condition": ci(*only({"ArnLike": {"aws:PrincipalArn": ME}})),
    "its account as a condition": ci(
        *(
            {**one, "Condition": {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}}
            for one in WORK
        )
    ),
    "the repository's account as a condition": ci(
        LOGIN,
        allow(
            *ALL,
            on=PAYMENTS.replace("123456789012", "*"),
            Condition={"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}},
        ),
    ),
    "over TLS only": ci(
        *({**one, "Condition": {"Bool": {"aws:SecureTransport": "true"}}} for one in WORK)
    ),
    "a user of its own tag": ci(*only({"StringEquals": {"aws:PrincipalTag/job": "ci"}}))
    + "aws iam tag-user --user-name labs-ci --tags Key=job,Value=ci",
    "the work until a day to come": ci(
        *only({"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}})
    ),
    "more in days that are gone": sometimes(
        {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    ),
    "more for another user": sometimes({"StringEquals": {"aws:username": "labs-boss"}}),
    "more without TLS": sometimes({"Bool": {"aws:SecureTransport": "false"}}),
    "an action on no repository, on a repository": ci(
        *WORK, allow("ecr:DeleteRegistryPolicy", on=PAYMENTS)
    ),
    "with a key, which it need not have": ci(*WORK)
    + "aws iam create-access-key --user-name labs-ci",
}

WRONG = {
    "every action that puts": (
        ci(LOGIN, allow(*READ, LAYERS, *WRITE, "ecr:Put*", on=PAYMENTS)),
        "which statement covers this action, and does the work need it?",
    ),
    "no policy": ("aws iam create-user --user-name labs-ci", "none | the user, with a policy"),
    "the file unchanged": (
        ci(*json.loads(document(LOGIN, allow(*ALL, on=DEMO)))["Statement"]),
        f"ecr:BatchCheckLayerAvailability on {PAYMENTS}: not allowed | it pushes to and pulls",
    ),
    "no login": (ci(WORK[1]), "ecr:GetAuthorizationToken on * in us-west-2: not allowed"),
    "a login for one repository": (
        ci(allow("ecr:GetAuthorizationToken", *ALL, on=PAYMENTS)),
        "a token is for no repository in particular",
    ),
    "a push without its last step": (
        ci(LOGIN, allow(*READ, LAYERS, *WRITE, on=PAYMENTS)),
        "ecr:PutImage on",
    ),
    "a push without a pull": (
        ci(LOGIN, allow(LAYERS, *WRITE, "ecr:PutImage", on=PAYMENTS)),
        "ecr:BatchGetImage on",
    ),
    "a deny": (ci(*WORK, deny("ecr:PutImage")), "ecr:PutImage on"),
    "a namespace": (
        ci(LOGIN, allow(*ALL, on=f"{REPOSITORY}payments/*")),
        f"{PAYMENTS}2: allowed | and does nothing else: no other repository",
    ),
    "the beginning of a name": (
        ci(LOGIN, allow(*ALL, on=f"{PAYMENTS}*")),
        "payments/api2: allowed",
    ),
    "one unknown letter": (
        ci(LOGIN, allow(*ALL, on=f"{REPOSITORY}payments/ap?")),
        "payments/apx: allowed",
    ),
    "any registry of the account": (
        ci(LOGIN, allow(*ALL, on=PAYMENTS.replace("us-west-2", "*"))),
        "in which regions does that statement hold?",
    ),
    "the regions of the west": (
        ci(LOGIN, allow(*ALL, on=PAYMENTS.replace("us-west-2", "us-west-?"))),
        "us-west-1",
    ),
    "any account": (
        ci(LOGIN, allow(*ALL, on=PAYMENTS.replace("123456789012", "*"))),
        "whose repositories does the resource of that statement cover?",
    ),
    "another repository as well": (
        ci(*WORK, allow("ecr:BatchGetImage", on=f"{REPOSITORY}reports/daily")),
        "ecr:BatchGetImage on arn:aws:ecr:us-west-2:123456789012:repository/reports/daily: allowed",
    ),
    "every action": (
        ci(LOGIN, allow("ecr:*", on=PAYMENTS)),
        f"ecr:DeleteRepositoryPolicy on {PAYMENTS}: allowed",
    ),
    "everything before a day to come": (
        sometimes({"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}),
        "ecr:DeleteRegistryPolicy on * in us-west-2: allowed",
    ),
    "everything from a day to come on": (
        sometimes({"DateGreaterThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}),
        "where aws:CurrentTime is 2099-01-02T00:00:00Z: allowed | and does nothing else: no other"
        " repository, no deleting | a condition takes nothing from the requests that meet it",
    ),
    "everything in a week to come": (
        sometimes(
            {
                "DateGreaterThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"},
                "DateLessThan": {"aws:CurrentTime": "2099-01-08T00:00:00Z"},
            }
        ),
        "where aws:CurrentTime is 2099-01-02T00:00:00Z: allowed",
    ),
    "everything before a second to come": (
        sometimes({"NumericLessThan": {"aws:EpochTime": "4070908800"}}),
        "ecr:DeleteRegistryPolicy on * in us-west-2: allowed",
    ),
    "everything from a second to come on": (
        sometimes({"NumericGreaterThan": {"aws:EpochTime": "4070908800"}}),
        "where aws:CurrentTime is 2099-01-02T00:00:00Z: allowed",
    ),
    "everything after MFA": (
        sometimes({"NumericGreaterThan": {"aws:MultiFactorAuthAge": "10"}}),
        "where aws:MultiFactorAuthAge is 11: allowed",
    ),
    "everything with MFA": (
        sometimes({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        "where aws:MultiFactorAuthPresent is true: allowed",
    ),
    "everything by a new session": (
        sometimes({"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}}),
        "where aws:TokenIssueTime is",
    ),
    "everything from the office": (
        sometimes({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}),
        "where aws:SourceIp is 198.51.100.0: allowed",
    ),
    "everything from elsewhere": (
        sometimes({"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}),
        "ecr:DeleteRegistryPolicy on * in us-west-2: allowed",
    ),
    "everything with a session's name or without": (
        sometimes({"StringLikeIfExists": {"aws:SourceIdentity": "bob*"}}),
        "ecr:DeleteRegistryPolicy on * in us-west-2: allowed",
    ),
    "everything for an organization": (
        sometimes({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
        "where aws:PrincipalOrgID is o-1: allowed",
    ),
    "everything under two conditions": (
        sometimes(
            {
                "IpAddress": {"aws:SourceIp": "198.51.100.0/24"},
                "StringLike": {"aws:UserAgent": "*docker*"},
            }
        ),
        "where aws:SourceIp is 198.51.100.0, where aws:UserAgent is xdockerx: allowed",
    ),
    "a deny that ends with MFA": (
        ci(
            LOGIN,
            allow("ecr:*", on=PAYMENTS),
            {
                "Effect": "Deny",
                "NotAction": [*ALL, "ecr:GetAuthorizationToken"],
                "Resource": "*",
                "Condition": MFA,
            },
        ),
        "where aws:MultiFactorAuthPresent is true: allowed",
    ),
    "the work from the office only": (
        ci(*only({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}})),
        "not allowed | it pushes to and pulls from the repository payments/api | a statement allows"
        " it under a condition only",
    ),
    "the work of another user": (
        ci(*only({"StringEquals": {"aws:username": "labs-boss"}})),
        "does a statement name it, and is its resource this one, letter by letter?",
    ),
    "every account but its own": (
        ci(
            LOGIN,
            allow(*ALL, on=PAYMENTS),
            allow(
                *ALL,
                on=PAYMENTS.replace("123456789012", "*"),
                Condition={"StringNotEquals": {"aws:ResourceAccount": "123456789012"}},
            ),
        ),
        "whose repositories does the resource of that statement cover?",
    ),
    "deleting": (ci(*WORK, allow("ecr:BatchDeleteImage", on=PAYMENTS)), "ecr:BatchDeleteImage on"),
    "looking around": (ci(*WORK, allow("ecr:DescribeImages", on=PAYMENTS)), "ecr:DescribeImages"),
    "creating the repository": (
        ci(*WORK, allow("ecr:CreateRepository")),
        "ecr:CreateRepository on",
    ),
    "another service": (
        ci(*WORK, allow("s3:List*")),
        "s3:ListAllMyBuckets on * in us-west-2: allowed",
    ),
    "one action of a service that nobody thinks of": (
        ci(*WORK, allow("sqs:PurgeQueue")),
        "sqs:PurgeQueue on * in us-west-2: allowed",
    ),
    "repositories with a tag": (
        ci(
            *WORK,
            allow(*ALL, Condition={"StringEquals": {"aws:ResourceTag/team": "payments"}}),
        ),
        "where aws:ResourceTag/team is payments: allowed",
    ),
    "everything but one action": (
        ci(*WORK, {"Effect": "Allow", "NotAction": "ecr:DeleteRepository", "Resource": "*"}),
        "allowed | and does nothing else",
    ),
    "its own policies, by what is left out": (
        ci(*WORK, {"Effect": "Allow", "NotAction": ["s3:*", "ecr:*"], "Resource": ME}),
        f"iam:PutUserPolicy on {ME}: allowed",
    ),
    "everything but one repository": (
        ci(*WORK, {"Effect": "Allow", "Action": list(ALL), "NotResource": DEMO}),
        "which repositories does the resource of that statement cover?",
    ),
    "AWS's own policy": (
        "aws iam create-user --user-name labs-ci\n"
        "aws iam attach-user-policy --user-name labs-ci --policy-arn "
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser",
        "allowed | and does nothing else",
    ),
    "a repository policy as well": (
        ci(*WORK)
        + """aws ecr create-repository --repository-name payments/api
aws ecr set-repository-policy --repository-name payments/api --policy-text \
 '{"Version": "2012-10-17", "Statement": [{"Sid": "x", "Effect": "Allow",
 "Principal": {"AWS": "arn:aws:iam::123456789012:user/labs-ci"}, "Action": "ecr:*"}]}'""",
        "the repository policy of payments/api",
    ),
}


@pytest.mark.parametrize("answer", rows(RIGHT, 8))
def test_ci_right(lab: Desk, answer: str) -> None:
    assert lab.after("02.1", RIGHT[answer]).startswith("passed: labs-ci may push")


@pytest.mark.parametrize("answer", rows(WRONG, 21))
def test_ci_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("02.1", *WRONG[answer])


def readers(*statements: dict[str, Any], group: str = "labs-readers", own: str = "") -> str:
    """The intern in a group with one inline policy; `own` is what happens to its own policy."""
    return f"""
aws iam create-group --group-name {group}
aws iam put-group-policy --group-name {group} --policy-name r \\
  --policy-document '{document(*statements)}'
aws iam add-user-to-group --group-name {group} --user-name labs-intern
{own or f"aws iam detach-user-policy --user-name labs-intern --policy-arn {FULL}"}
"""


DETACH = f"aws iam detach-user-policy --user-name labs-intern --policy-arn {FULL}"
JOIN = "aws iam add-user-to-group --group-name labs-readers --user-name labs-intern"
GROUP = "aws iam create-group --group-name labs-readers"
ATTACH = "aws iam attach-group-policy --group-name labs-readers --policy-arn"
ANEW = "aws iam delete-user --user-name labs-intern\naws iam create-user --user-name labs-intern"
MANAGED = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistry"

READERS_RIGHT = {
    "without the question for layers": readers(LOGIN, allow(*READ, on=DEMO)),
    "a condition": readers(*({**one, "Condition": HERE} for one in PULL)),
    "the user made anew": f"{DETACH}\n{ANEW}\n" + readers(*PULL, own="true"),
    "an attached policy": f"""
aws iam delete-policy --policy-arn arn:aws:iam::123456789012:policy/pull-demo
aws iam create-policy --policy-name pull-demo --policy-document '{document(*PULL)}'
{GROUP}
{ATTACH} arn:aws:iam::123456789012:policy/pull-demo
{JOIN}
{DETACH}
""",
}
READERS_WRONG = {
    "full access kept": (
        readers(*PULL, own="true"),
        "AmazonEC2ContainerRegistryFullAccess | rights only through a group",
    ),
    "no group": (
        f"aws iam detach-user-policy --user-name labs-intern --policy-arn {FULL}",
        "none | rights only through a group named labs-readers",
    ),
    "the policy on the user": (
        f"aws iam detach-user-policy --user-name labs-intern --policy-arn {FULL}\n"
        "aws iam put-user-policy --user-name labs-intern --policy-name r --policy-document "
        f"'{document(*PULL)}'",
        "the groups of labs-intern | none",
    ),
    "a group of another name": (readers(*PULL, group="labs-pushers"), "labs-pushers | rights only"),
    "nobody in the group": ("aws iam create-group --group-name labs-readers", "who is one?"),
    "a second group": (
        readers(*PULL)
        + "aws iam create-group --group-name labs-pushers\n"
        + "aws iam add-user-to-group --group-name labs-pushers --user-name labs-intern",
        "labs-pushers, labs-readers",
    ),
    "a group without a right": (
        f"{GROUP}\n{JOIN}\n{DETACH}",
        "ecr:GetAuthorizationToken on * in us-west-2: not allowed | the group may log in",
    ),
    "AWS's policy for pulls": (
        f"{GROUP}\n{ATTACH} {MANAGED}PullOnly\n{JOIN}\n{DETACH}",
        "allowed | and no more",
    ),
    "the policies of its group, by what is left out": (
        readers(
            *PULL,
            {
                "Effect": "Allow",
                "NotAction": ["s3:*", "ecr:*"],
                "Resource": "arn:aws:iam::123456789012:group/*",
            },
        ),
        "iam:PutGroupPolicy on arn:aws:iam::123456789012:group/labs-readers: allowed",
    ),
    "the push kept": (readers(*PULL, allow("ecr:PutImage", on=DEMO)), "ecr:PutImage on"),
    "a lifecycle policy": (
        readers(*PULL, allow("ecr:PutLifecyclePolicy", on=DEMO)),
        "ecr:PutLifecyclePolicy on",
    ),
    "every repository": (readers(LOGIN, allow(*READ)), "allowed | and no more"),
    "every action that gets": (readers(LOGIN, allow("ecr:*Get*", on=DEMO)), "| and no more"),
    "the user deleted": (
        f"aws iam detach-user-policy --user-name labs-intern --policy-arn {FULL}\n"
        "aws iam delete-user --user-name labs-intern",
        "lab.restart()",
    ),
}


@pytest.mark.parametrize("answer", rows(READERS_RIGHT, 3))
def test_intern_right(lab: Desk, answer: str) -> None:
    assert lab.after("02.2", READERS_RIGHT[answer]).startswith("passed: labs-intern may pull")


@pytest.mark.parametrize("answer", rows(READERS_WRONG))
def test_intern_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("02.2", *READERS_WRONG[answer])
