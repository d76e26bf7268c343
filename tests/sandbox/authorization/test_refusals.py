"""What nobody allowed is refused, in each protocol's shape and in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies import allow, deny, policy
from tests.sandbox.authorization.people_here import (
    ACCOUNT,
    DEMO,
    People,
    Person,
    no_policy,
    refusal_of,
)
from tests.sandbox.sandbox_process import REGION, Running, keys_of


@pytest.fixture(scope="module")
def nobody(people: People) -> Person:
    return people.make("nobody")


BECAUSE = "because no identity-based policy allows the {0} action"
WORDS: list[tuple[str, str, dict[str, Any], int, str, str, str]] = [
    # service, operation, params, status, code, action, resource as the service shows it
    ("ecr", "get_authorization_token", {}, 400, "AccessDeniedException",
     "ecr:GetAuthorizationToken", "*"),
    ("ecr", "describe_repositories", {}, 400, "AccessDeniedException",
     "ecr:DescribeRepositories", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*"),
    ("ecr", "create_repository", {"repositoryName": "demo"}, 400, "AccessDeniedException",
     "ecr:CreateRepository", DEMO),
    ("iam", "list_users", {}, 403, "AccessDenied", "iam:ListUsers",
     f"arn:aws:iam::{ACCOUNT}:user/"),
    ("iam", "list_policies", {}, 403, "AccessDenied", "iam:ListPolicies", "policy path /"),
    ("iam", "get_user", {}, 403, "AccessDenied", "iam:GetUser",
     f"arn:aws:iam::{ACCOUNT}:user/nobody"),
    ("iam", "create_user", {"UserName": "x"}, 403, "AccessDenied", "iam:CreateUser",
     f"arn:aws:iam::{ACCOUNT}:user/x"),
    ("sts", "get_access_key_info", {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}, 403, "AccessDenied",
     "sts:GetAccessKeyInfo", "*"),
    ("logs", "describe_log_groups", {}, 400, "AccessDeniedException", "logs:DescribeLogGroups",
     f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group::log-stream:"),
    ("logs", "create_log_group", {"logGroupName": "/a"}, 400, "AccessDeniedException",
     "logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/a:log-stream:"),
    ("eks", "list_clusters", {}, 403, "AccessDeniedException", "eks:ListClusters",
     f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/*"),
    ("ecs", "describe_clusters", {"clusters": ["web"]}, 400, "AccessDeniedException",
     "ecs:DescribeClusters", f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/web"),
    ("codebuild", "start_build", {"projectName": "p"}, 400, "AccessDeniedException",
     "codebuild:StartBuild", f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/p"),
    ("codepipeline", "get_pipeline", {"name": "p"}, 400, "AccessDeniedException",
     "codepipeline:GetPipeline", f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:p"),
    ("codedeploy", "get_application", {"applicationName": "a"}, 400, "AccessDeniedException",
     "codedeploy:GetApplication", f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:application:a"),
    ("events", "put_rule", {"Name": "r", "ScheduleExpression": "rate(1 day)"}, 400,
     "AccessDeniedException", "events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"),
    ("cloudformation", "describe_stacks", {}, 403, "AccessDenied", "cloudformation:DescribeStacks",
     "*"),
    ("s3", "list_objects_v2", {"Bucket": "b"}, 403, "AccessDenied", "s3:ListBucket",
     '"arn:aws:s3:::b"'),
    ("s3", "get_object", {"Bucket": "b", "Key": "a/k"}, 403, "AccessDenied", "s3:GetObject",
     '"arn:aws:s3:::b/a/k"'),
    ("sqs", "list_queues", {}, 400, "AccessDeniedException", "sqs:ListQueues", "*"),
    ("sns", "list_topics", {}, 403, "AccessDenied", "sns:ListTopics", "*"),
    ("lambda", "list_functions", {}, 403, "AccessDeniedException", "lambda:ListFunctions", "*"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "params", "status", "code", "action", "resource"),
    WORDS,
    ids=[f"{word[0]} {word[1]}" for word in WORDS],
)
def test_a_user_without_a_policy_is_refused(
    nobody: Person,
    service: str,
    operation: str,
    params: dict[str, Any],
    status: int,
    code: str,
    action: str,
    resource: str,
) -> None:
    told = nobody.error(service, operation, **params)
    assert told == (status, code, no_policy(nobody.arn, action, resource))


def test_ec2_says_first_that_you_may_not_and_names_no_resource_to_look_at(nobody: Person) -> None:
    assert nobody.error("ec2", "describe_vpcs") == (
        403,
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. "
        f"User: {nobody.arn} is not authorized to perform: ec2:DescribeVpcs "
        "because no identity-based policy allows the ec2:DescribeVpcs action",
    )


def test_s3_names_no_resource_for_the_list_of_all_buckets(nobody: Person) -> None:
    assert nobody.error("s3", "list_buckets") == (
        403,
        "AccessDenied",
        f"User: {nobody.arn} is not authorized to perform: s3:ListAllMyBuckets "
        "because no identity-based policy allows the s3:ListAllMyBuckets action",
    )


def test_a_head_request_is_refused_without_a_body(nobody: Person) -> None:
    status, code, _ = nobody.error("s3", "head_object", Bucket="b", Key="k")
    assert (status, code) == (403, "403")


def test_who_i_am_may_be_asked_even_against_an_explicit_deny(people: People) -> None:
    denied = people.make("denied", deny("*"))
    assert denied.client("sts").get_caller_identity()["Arn"] == denied.arn
    assert denied.client("sts").get_session_token()["Credentials"]["AccessKeyId"]


def test_an_explicit_deny_beats_every_allow(people: People) -> None:
    person = people.make("almost", deny("ecr:CreateRepository"), managed=("AdministratorAccess",))
    assert person.client("ecr").describe_repositories()["repositories"] == []
    assert person.denied("ecr", "create_repository", repositoryName="demo") == (
        f"User: {person.arn} is not authorized to perform: ecr:CreateRepository on resource: "
        f"{DEMO} with an explicit deny in an identity-based policy"
    )


def test_a_permission_holds_on_its_resource_only(people: People) -> None:
    person = people.make("scoped", allow("ecr:*", on=DEMO))
    person.client("ecr").create_repository(repositoryName="demo")
    assert person.denied("ecr", "create_repository", repositoryName="other") == no_policy(
        person.arn, "ecr:CreateRepository", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/other"
    )


def test_a_permissions_boundary_limits_what_a_policy_gives(
    people: People, sandbox: Running
) -> None:
    iam = sandbox.client("iam")
    document = policy(allow("ecr:Describe*"))
    arn = iam.create_policy(PolicyName="limit", PolicyDocument=document)["Policy"]["Arn"]
    person = people.make("limited", managed=("AdministratorAccess",))
    iam.put_user_permissions_boundary(UserName="limited", PermissionsBoundary=arn)
    assert person.client("ecr").describe_repositories()
    assert person.denied("ecr", "get_authorization_token") == (
        f"User: {person.arn} is not authorized to perform: ecr:GetAuthorizationToken on resource: "
        "* because no permissions boundary allows the ecr:GetAuthorizationToken action"
    )


def test_conditions_see_the_request(people: People) -> None:
    person = people.make(
        "picky",
        allow(
            "ecr:CreateRepository",
            Condition={
                "StringEquals": {"aws:RequestTag/team": "${aws:username}"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
                "IpAddress": {"aws:SourceIp": "127.0.0.0/8"},
                "Bool": {"aws:SecureTransport": "true"},
                "StringEqualsIgnoreCase": {"aws:RequestedRegion": REGION},
                "DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
                "Null": {"aws:MultiFactorAuthPresent": "true", "aws:PrincipalOrgID": "true"},
                "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/picky"},
                "StringLike": {"aws:UserAgent": "*oto*", "aws:userid": "AIDA*"},
            },
        ),
        allow("ecr:TagResource"),
    )
    ecr = person.client("ecr")
    ecr.create_repository(repositoryName="tagged", tags=[{"Key": "team", "Value": "picky"}])
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/bare"
    assert person.denied("ecr", "create_repository", repositoryName="bare") == no_policy(
        person.arn, "ecr:CreateRepository", arn
    )


def test_conditions_see_the_tags_of_a_repository_and_of_a_principal(
    people: People, sandbox: Running
) -> None:
    ecr = sandbox.client("ecr")
    for name, team in (("red-app", "red"), ("blue-app", "blue")):
        ecr.create_repository(repositoryName=name, tags=[{"Key": "Team", "Value": team}])
    same = {"StringEquals": {"ecr:ResourceTag/Team": "${aws:PrincipalTag/team}"}}
    person = people.make("red", allow("ecr:ListImages", Condition=same))
    sandbox.client("iam").tag_user(UserName="red", Tags=[{"Key": "team", "Value": "red"}])
    assert person.client("ecr").list_images(repositoryName="red-app")["imageIds"] == []
    blue = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/blue-app"
    assert person.denied("ecr", "list_images", repositoryName="blue-app") == no_policy(
        person.arn, "ecr:ListImages", blue
    )


def test_a_role_is_handed_to_a_service_by_those_who_may_pass_it(people: People) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/task"
    task = {
        "family": "web",
        "executionRoleArn": role,
        "containerDefinitions": [{"name": "web", "image": "nginx", "memory": 64}],
    }
    without = people.make("deployer", allow("ecs:*"))
    assert without.denied("ecs", "register_task_definition", **task) == no_policy(
        without.arn, "iam:PassRole", role
    )
    to_others = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    other = people.make("other", allow("ecs:*"), allow("iam:PassRole", Condition=to_others))
    assert other.denied("ecs", "register_task_definition", **task) == no_policy(
        other.arn, "iam:PassRole", role
    )
    to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    may = people.make("may", allow("ecs:*"), allow("iam:PassRole", on=role, Condition=to_tasks))
    assert may.client("ecs").register_task_definition(**task)["taskDefinition"]["revision"] == 1


def test_a_user_may_look_after_their_own_keys_only(people: People) -> None:
    own = f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"
    person = people.make("carol", allow("iam:*AccessKey*", on=own))
    people.make("dave")
    iam = person.client("iam")
    assert len(iam.list_access_keys()["AccessKeyMetadata"]) == 1
    dave = f"arn:aws:iam::{ACCOUNT}:user/dave"
    assert person.denied("iam", "create_access_key", UserName="dave") == no_policy(
        person.arn, "iam:CreateAccessKey", dave
    )


def test_a_key_of_another_cannot_be_deleted_by_leaving_its_owner_out(
    people: People, sandbox: Running
) -> None:
    own = f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"
    person = people.make("eve", allow("iam:DeleteAccessKey", on=own))
    victim = people.make("victim")
    refusal_of(
        person.client("iam"), "delete_access_key", AccessKeyId=victim.key["aws_access_key_id"]
    )
    keys = sandbox.client("iam").list_access_keys(UserName="victim")["AccessKeyMetadata"]
    assert len(keys) == 1


def test_an_administrator_may_be_held_to_users_with_a_boundary(
    people: People, sandbox: Running
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate"""
    iam = sandbox.client("iam")
    document = policy(allow("ecr:*"))
    arn = iam.create_policy(PolicyName="ceiling", PolicyDocument=document)["Policy"]["Arn"]
    within = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    person = people.make("delegate", allow("iam:CreateUser", "iam:PutUserPolicy", Condition=within))
    own = person.client("iam")
    told = person.denied("iam", "create_user", UserName="free")
    free = f"arn:aws:iam::{ACCOUNT}:user/free"
    assert told == no_policy(person.arn, "iam:CreateUser", free)
    own.create_user(UserName="held", PermissionsBoundary=arn)
    put = {"PolicyName": "p", "PolicyDocument": document}
    own.put_user_policy(UserName="held", **put)
    people.make("unheld")
    assert person.denied("iam", "put_user_policy", UserName="unheld", **put) == no_policy(
        person.arn, "iam:PutUserPolicy", f"arn:aws:iam::{ACCOUNT}:user/unheld"
    )


class TestRoles:
    def test_a_role_trusts_whom_its_policy_names(self, people: People, sandbox: Running) -> None:
        person = people.make("trusted")
        other = people.make("stranger", allow("sts:AssumeRole"))
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": person.arn},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "secret"}},
        }
        iam = sandbox.client("iam")
        role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=policy(trust))["Role"]
        iam.put_role_policy(
            RoleName="reader", PolicyName="own", PolicyDocument=policy(allow("ecr:Describe*"))
        )
        asked = {"RoleArn": role["Arn"], "RoleSessionName": "visit"}
        words = "User: {} is not authorized to perform: sts:AssumeRole on resource: {}"
        assert person.denied("sts", "assume_role", **asked) == words.format(person.arn, role["Arn"])
        assert other.denied("sts", "assume_role", **asked, ExternalId="secret") == words.format(
            other.arn, role["Arn"]
        )
        made = person.client("sts").assume_role(**asked, ExternalId="secret")
        session = Person(sandbox, "reader", keys_of(made["Credentials"]))
        assert session.client("ecr").describe_repositories()
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/visit"
        assert session.denied("ecr", "get_authorization_token") == no_policy(
            arn, "ecr:GetAuthorizationToken", "*"
        )

    def test_a_role_that_is_not_there_is_refused_in_the_same_words(self, sandbox: Running) -> None:
        arn = f"arn:aws:iam::{ACCOUNT}:role/never-made"
        learner = f"arn:aws:iam::{ACCOUNT}:user/learner"
        told = refusal_of(
            sandbox.client("sts"), "assume_role", RoleArn=arn, RoleSessionName="visit"
        )
        assert told == (
            403,
            "AccessDenied",
            f"User: {learner} is not authorized to perform: sts:AssumeRole on resource: {arn}",
        )

    def test_tags_of_a_session_need_their_own_permission(
        self, people: People, sandbox: Running
    ) -> None:
        person = people.make("tagger")
        trust = {"Effect": "Allow", "Principal": {"AWS": person.arn}, "Action": "sts:AssumeRole"}
        iam = sandbox.client("iam")
        role = iam.create_role(RoleName="untagged", AssumeRolePolicyDocument=policy(trust))["Role"]
        asked = {"RoleArn": role["Arn"], "RoleSessionName": "visit"}
        assert person.client("sts").assume_role(**asked)
        tags = [{"Key": "team", "Value": "red"}]
        assert person.denied("sts", "assume_role", **asked, Tags=tags) == (
            f"User: {person.arn} is not authorized to perform: sts:TagSession on resource: "
            f"{role['Arn']} because no role trust policy allows the sts:TagSession action"
        )


class TestBuckets:
    def test_a_bucket_policy_lets_in_and_keeps_out(self, people: People, sandbox: Running) -> None:
        s3 = sandbox.client("s3")
        s3.create_bucket(
            Bucket="shared-things", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        s3.put_object(Bucket="shared-things", Key="a", Body=b"a")
        guest = people.make("guest")
        barred = people.make("barred", allow("s3:*"))
        on = "arn:aws:s3:::shared-things/*"
        document = policy(
            allow("s3:GetObject", on=on, Principal={"AWS": guest.arn}),
            deny("s3:GetObject", on=on, Principal={"AWS": barred.arn}),
        )
        s3.put_bucket_policy(Bucket="shared-things", Policy=document)
        asked = {"Bucket": "shared-things", "Key": "a"}
        assert guest.client("s3").get_object(**asked)["Body"].read() == b"a"
        assert s3.get_object(**asked)["Body"].read() == b"a"
        assert barred.denied("s3", "get_object", **asked) == (
            f"User: {barred.arn} is not authorized to perform: s3:GetObject on resource: "
            '"arn:aws:s3:::shared-things/a" with an explicit deny in a resource-based policy'
        )
        assert guest.denied("s3", "put_object", **asked, Body=b"b") == no_policy(
            guest.arn, "s3:PutObject", '"arn:aws:s3:::shared-things/a"'
        )

    def test_a_copy_needs_to_read_its_source(self, people: People, sandbox: Running) -> None:
        s3 = sandbox.client("s3")
        for name in ("from-here", "to-there"):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="from-here", Key="k", Body=b"x")
        person = people.make("copier", allow("s3:PutObject"))
        told = person.denied(
            "s3", "copy_object", Bucket="to-there", Key="k", CopySource="from-here/k"
        )
        assert told == no_policy(person.arn, "s3:GetObject", '"arn:aws:s3:::from-here/k"')

    def test_a_prefix_is_a_condition(self, people: People, sandbox: Running) -> None:
        sandbox.client("s3").create_bucket(
            Bucket="homes", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        own = {"StringLike": {"s3:prefix": "${aws:username}/*"}}
        person = people.make("homely", allow("s3:ListBucket", Condition=own))
        assert person.client("s3").list_objects_v2(Bucket="homes", Prefix="homely/")
        assert person.denied("s3", "list_objects_v2", Bucket="homes", Prefix="x/") == no_policy(
            person.arn, "s3:ListBucket", '"arn:aws:s3:::homes"'
        )
