"""Each open operation is decided on the actions and resources that AWS's reference gives it."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest
from botocore import xform_name

from labs_helpers.sandbox.authorization import actions, several
from labs_helpers.sandbox.authorization.models import prefix_of
from labs_helpers.sandbox.authorization.passed import PASSED
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.moto.table import services
from tests.sandbox.authorization import reference
from tests.sandbox.authorization.open_calls import asked_of, open_operations
from tests.sandbox.authorization.people_here import ACCOUNT, Nobody

DEV = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/dev", "AIDADEV", "AKIADEV")
REGION = "us-west-2"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"

NAME = "zq7"
"""Every text of a request, so that the name is found again in the resource."""

GIVEN: dict[tuple[str, str], dict[str, Any]] = {
    ("ec2", "CreateTags"): {"Resources": [f"vpc-{NAME}"], "Tags": []},
    ("ec2", "DeleteTags"): {"Resources": [f"vpc-{NAME}"]},
    ("sns", "Subscribe"): {
        "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:{NAME}",
        "Protocol": "sqs",
        "Endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}",
    },
    **{
        ("ssm", name): {"ResourceType": "Parameter", "ResourceId": NAME}
        for name in ("AddTagsToResource", "ListTagsForResource", "RemoveTagsFromResource")
    },
    **{
        ("organizations", name): {parameter: value}
        for name, parameter, value in (
            ("DescribeAccount", "AccountId", ACCOUNT),
            ("DescribeOrganizationalUnit", "OrganizationalUnitId", f"ou-{NAME}"),
            ("DescribePolicy", "PolicyId", f"p-{NAME}"),
            ("ListAccountsForParent", "ParentId", f"r-{NAME}"),
            ("ListChildren", "ParentId", f"ou-{NAME}"),
            ("ListDelegatedServicesForAccount", "AccountId", ACCOUNT),
            ("ListOrganizationalUnitsForParent", "ParentId", f"r-{NAME}"),
            ("ListParents", "ChildId", ACCOUNT),
            ("ListPoliciesForTarget", "TargetId", ACCOUNT),
            ("ListTagsForResource", "ResourceId", f"p-{NAME}"),
            ("ListTargetsForPolicy", "PolicyId", f"p-{NAME}"),
        )
    },
}
"""Requests whose values have a form of their own; every other request has NAME for each text."""

NO_NAME = {
    # AWS gives the id when the resource is made
    ("ec2", "CreateInternetGateway"): "internet-gateway/*",
    ("ec2", "CreateRouteTable"): "route-table/*",
    ("ec2", "CreateSecurityGroup"): "security-group/*",
    ("ec2", "CreateSubnet"): "subnet/*",
    ("ec2", "CreateVpc"): "vpc/*",
    # datasets, which no parameter names (botocore 1.44)
    ("monitoring", "ListMetrics"): "*",
    ("monitoring", "PutMetricData"): "*",
}
"""Operations whose request does not say which resource, and what is asked for instead."""

APART = {"iam", "s3", "sts", "tagging"}
"""Services with a module of their own (iam.py, s3.py, tagging.py), and tests of their own."""

OPEN = [(service, name) for service, name in open_operations() if service not in APART - {"iam"}]


def call_of(service: str, operation: str) -> ApiRequest:
    return asked_of(service, operation, GIVEN.get((service, operation)), NAME)[0]


def needs(asked: ApiRequest) -> list[Permission]:
    return actions.needed(asked, DEV, REGION, Nobody())


def test_there_are_open_operations() -> None:
    assert len(OPEN) > 300


@pytest.mark.parametrize("service", sorted({service for service, _ in OPEN}))
def test_every_open_operation_needs_actions_that_iam_has(service: str) -> None:
    unknown = []
    for name in [name for each, name in OPEN if each == service]:
        for needed in needs(call_of(service, name)):
            prefix, _, action = needed.action.partition(":")
            if action not in set(reference.data().actions.get_actions_for_service(prefix)):
                unknown.append(needed.action)
    assert unknown == []


@pytest.mark.parametrize("service", sorted({service for service, _ in OPEN}))
def test_every_open_operation_is_decided_on_the_resource_that_it_names(service: str) -> None:
    """An ARN without a star, but for ids behind a name, wherever the reference has a type."""
    unnamed = []
    for name in [name for each, name in OPEN if each == service]:
        for needed in needs(call_of(service, name)):
            prefix, _, action = needed.action.partition(":")
            if prefix != prefix_of(service) or not types_of(prefix, action):
                continue
            free = NO_NAME.get((service, name))
            resource = needed.resource.split(":", 5)[-1]
            if NAME not in resource and resource != free and ACCOUNT not in resource:
                unnamed.append((needed.action, needed.resource))
    assert unnamed == []


def types_of(prefix: str, action: str) -> list[str]:
    return [each["name"] for each in reference.action(prefix, action)["resourceTypes"]]


def test_what_the_request_does_not_name_is_as_listed() -> None:
    """So that a row of NO_NAME goes when its reason goes."""
    stale = {
        call: free
        for call, free in NO_NAME.items()
        if not any(each.resource.endswith(free) for each in needs(call_of(*call)))
    }
    assert stale == {}


@pytest.mark.parametrize(("service", "operation"), sorted(several.RENAMED))
def test_a_batch_needs_the_action_of_one(service: str, operation: str) -> None:
    found = {each.action for each in needs(call_of(service, operation))}
    assert found == {f"{service}:{several.RENAMED[service, operation]}"}


MORE: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("dynamodb", "TransactWriteItems",
     {"TransactItems": [{"Put": {"TableName": "a", "Item": {}}},
                        {"Delete": {"TableName": "b", "Key": {}}}]},
     [("dynamodb:DeleteItem", "table/b"), ("dynamodb:PutItem", "table/a")]),
    ("dynamodb", "TransactGetItems",
     {"TransactItems": [{"Get": {"TableName": "a", "Key": {}}}]},
     [("dynamodb:GetItem", "table/a")]),
    ("dynamodb", "BatchWriteItem", {"RequestItems": {"a": [], "b": []}},
     [("dynamodb:BatchWriteItem", "table/a"), ("dynamodb:BatchWriteItem", "table/b")]),
    ("kms", "ReEncrypt",
     {"CiphertextBlob": b"x", "SourceKeyId": "s", "DestinationKeyId": "d"},
     [("kms:ReEncryptFrom", "key/s"), ("kms:ReEncryptTo", "key/d")]),
    ("secretsmanager", "BatchGetSecretValue", {"SecretIdList": ["a", "b"]},
     [("secretsmanager:BatchGetSecretValue", "*"), ("secretsmanager:GetSecretValue", "secret:a"),
      ("secretsmanager:GetSecretValue", "secret:b")]),
    ("sqs", "SendMessage",
     {"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/q", "MessageBody": "m"},
     [("sqs:SendMessage", "q")]),
    ("sns", "Unsubscribe", {"SubscriptionArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t:1-2"},
     [("sns:Unsubscribe", "t")]),
    ("ssm", "GetParameters", {"Names": ["/a/b", "c:3"]},
     [("ssm:GetParameters", "parameter/a/b"), ("ssm:GetParameters", "parameter/c")]),
    ("elasticloadbalancing", "CreateLoadBalancer", {"Name": "l", "Type": "network"},
     [("elasticloadbalancing:CreateLoadBalancer", "loadbalancer/net/l/*")]),
    ("sqs", "CreateQueue", {"QueueName": "q", "tags": {"a": "b"}},
     [("sqs:CreateQueue", "q"), ("sqs:TagQueue", "q")]),
    ("ec2", "CreateSubnet",
     {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24",
      "TagSpecifications": [{"ResourceType": "subnet", "Tags": [{"Key": "a", "Value": "b"}]}]},
     [("ec2:CreateSubnet", "subnet/*"), ("ec2:CreateSubnet", "vpc/vpc-1"),
      ("ec2:CreateTags", "subnet/*")]),
    ("iam", "CreateUser", {"UserName": "u", "Tags": [{"Key": "a", "Value": "b"}]},
     [("iam:CreateUser", "user/u"), ("iam:TagUser", "user/u")]),
    ("sns", "Publish",
     {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:a",
      "TargetArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:b", "Message": "m"},
     [("sns:Publish", "a"), ("sns:Publish", "b")]),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "given", "expected"), MORE)
def test_a_call_is_on_every_resource_that_it_names(
    service: str, operation: str, given: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = needs(asked_of(service, operation, given)[0])
    assert [(each.action, each.resource.split(":", 5)[-1]) for each in found] == expected


def roles_in(shape: Any, path: str = "", depth: int = 0) -> list[str]:
    """Dotted paths of the members that take a role, down to five levels."""
    if depth > 5:
        return []
    if shape.type_name == "list":
        return roles_in(shape.member, path, depth + 1)
    if shape.type_name == "map":
        return roles_in(shape.value, path, depth + 1)
    found = []
    for name, member in shape.members.items() if shape.type_name == "structure" else ():
        inner = f"{path}.{name}".removeprefix(".")
        if member.type_name == "string" and name.lower().endswith(("role", "rolearn")):
            found.append(inner)
        found += roles_in(member, inner, depth + 1)
    return found


def test_every_role_that_an_open_operation_takes_needs_to_be_passed() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"""
    missing = []
    for service, name in open_operations():
        if service in ("iam", "sts"):
            continue
        model = reference.model(service)
        shape = model.operation_model(name).input_shape
        paths = roles_in(shape) if shape else []
        rows = dict(PASSED.get(service, {}).get(name, ()))
        missing += [
            f"{service}:{name} {path}"
            for path in paths
            if not {path, path.split(".")[-1]} & {*rows}
        ]
    assert missing == []


def built(service: str, room: str) -> list[str]:
    """The operations of a service for which a room of ours has a function."""
    names = {xform_name(name): name for name in reference.model(service).operation_names}
    package = importlib.import_module(f"labs_helpers.{room.replace('/', '.')}.operations")
    inner = [each.name for each in pkgutil.iter_modules(getattr(package, "__path__", []))]
    modules = [importlib.import_module(f"{package.__name__}.{each}") for each in inner] or [package]
    return [name for spelled, name in names.items() if any(hasattr(m, spelled) for m in modules)]


def test_every_role_that_a_room_of_ours_takes_needs_to_be_passed() -> None:
    """The rooms decide by the same table as moto's services."""
    missing, counted = [], 0
    for service, row in services().items():
        for name in built(service, row.room) if row.room else ():
            shape = reference.model(service).operation_model(name).input_shape
            paths = roles_in(shape) if shape else []
            rows = dict(PASSED.get(service, {}).get(name, ()))
            missing += [f"{service}:{name} {path}" for path in paths if path not in rows]
            counted += len(paths)
    assert missing == []
    assert counted > 20


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("ecs", "UpdateService",
         {"service": "s", "loadBalancers": [{"advancedConfiguration": {"roleArn": ROLE}}]}),
        ("ecs", "CreateService",
         {"serviceName": "s", "loadBalancers": [{"advancedConfiguration": {"roleArn": ROLE}}]}),
        ("ecr", "CreateRepositoryCreationTemplate",
         {"prefix": "p", "appliedFor": ["CREATE_ON_PUSH"], "customRoleArn": ROLE}),
        ("events", "PutRule", {"Name": "r", "RoleArn": ROLE}),
        ("events", "PutTargets",
         {"Rule": "r", "Targets": [{"Id": "1", "Arn": "a", "RoleArn": ROLE}]}),
        ("cloudformation", "CreateStackSet",
         {"StackSetName": "s", "AdministrationRoleARN": ROLE}),
        ("sns", "SetTopicAttributes",
         {"TopicArn": "t", "AttributeName": "SQSSuccessFeedbackRoleArn", "AttributeValue": ROLE}),
        ("sns", "CreateTopic", {"Name": "t", "Attributes": {"SQSFailureFeedbackRoleArn": ROLE}}),
        ("s3", "PutBucketReplication",
         {"Bucket": "b", "ReplicationConfiguration": {"Role": ROLE, "Rules": []}}),
    ],
)  # fmt: skip
def test_a_role_is_passed(service: str, operation: str, given: dict[str, Any]) -> None:
    found = needs(asked_of(service, operation, given)[0])
    assert ("iam:PassRole", ROLE) in [(each.action, each.resource) for each in found]
