"""What a request needs: the action, the resource and the keys, of each service of the labs."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.authorization import actions, requests
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.sigv4 import Request
from tests.sandbox.authorization.people_here import Nobody

DEV = Principal("123456789012", "arn:aws:iam::123456789012:user/dev", "AIDADEV", "AKIADEV")
CONNECTION = "arn:aws:codeconnections:us-west-2:123456789012:connection/c"
ROLE = "arn:aws:iam::123456789012:role/r"
HOST = {"host": "127.0.0.1:4566"}


def asks(service: str, operation: str, /, **params: Any) -> list[tuple[str, str]]:
    asked = ApiRequest(service, service, operation, params)
    found = actions.needed(asked, DEV, "us-west-2", Nobody())
    return [(each.action, each.resource.removeprefix(f"arn:aws:{service}:")) for each in found]


CALLS: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("ecs", "RunTask", {"cluster": "c", "taskDefinition": "web:3"},
     [("ecs:RunTask", "us-west-2:123456789012:task-definition/web:3")]),
    ("ecs", "RegisterTaskDefinition", {"family": "web", "taskRoleArn": ROLE},
     [("ecs:RegisterTaskDefinition", "us-west-2:123456789012:task-definition/web:*"),
      ("iam:PassRole", ROLE)]),
    ("ecs", "DescribeServices",
     {"services": ["a", "arn:aws:ecs:us-west-2:123456789012:service/c/b"]},
     [("ecs:DescribeServices", "us-west-2:123456789012:service/default/a"),
      ("ecs:DescribeServices", "us-west-2:123456789012:service/c/b")]),
    ("ecs", "CreateService",
     {"cluster": "arn:aws:ecs:us-west-2:123456789012:cluster/c", "serviceName": "a"},
     [("ecs:CreateService", "us-west-2:123456789012:service/c/a")]),
    ("ecs", "DeleteTaskSet", {"cluster": "c", "service": "a", "taskSet": "ecs-svc/1"},
     [("ecs:DeleteTaskSet", "us-west-2:123456789012:task-set/c/a/ecs-svc/1")]),
    ("ecs", "DescribeTaskSets", {
        "cluster": "arn:aws:ecs:us-west-2:123456789012:cluster/c", "service": "a",
        "taskSets": ["arn:aws:ecs:us-west-2:123456789012:task-set/c/a/ecs-svc/2"]},
     [("ecs:DescribeTaskSets", "us-west-2:123456789012:task-set/c/a/ecs-svc/2")]),
    ("ecs", "CreateTaskSet", {"cluster": "c", "service": "a", "taskDefinition": "web:3"},
     [("ecs:CreateTaskSet", "us-west-2:123456789012:task-set/c/a/*")]),
    ("ecs", "ListClusters", {}, [("ecs:ListClusters", "*")]),
    ("eks", "CreateCluster", {"name": "a", "roleArn": ROLE},
     [("eks:CreateCluster", "us-west-2:123456789012:cluster/a"), ("iam:PassRole", ROLE)]),
    ("eks", "DescribeNodegroup", {"name": "a", "nodegroupName": "n"},
     [("eks:DescribeNodegroup", "us-west-2:123456789012:nodegroup/a/n/*")]),
    ("codebuild", "BatchGetBuilds",
     {"ids": ["p:1", "arn:aws:codebuild:us-west-2:123456789012:build/q:2"]},
     [("codebuild:BatchGetBuilds", "us-west-2:123456789012:project/p"),
      ("codebuild:BatchGetBuilds", "us-west-2:123456789012:project/q")]),
    ("codepipeline", "CreatePipeline", {"pipeline": {"name": "pl", "roleArn": ROLE}},
     [("codepipeline:CreatePipeline", "us-west-2:123456789012:pl"), ("iam:PassRole", ROLE)]),
    ("codepipeline", "UpdatePipeline",
     {"pipeline": {"name": "pl", "roleArn": ROLE, "stages": [{"actions": [
         {"configuration": {"ConnectionArn": CONNECTION}},
         {"configuration": {"ConnectionArn": "#{variables.C}"}}]}]}},
     [("codepipeline:UpdatePipeline", "us-west-2:123456789012:pl"), ("iam:PassRole", ROLE),
      ("codeconnections:PassConnection", CONNECTION)]),
    ("codedeploy", "GetDeployment", {"deploymentId": "d-1"},
     [("codedeploy:GetDeployment", "us-west-2:123456789012:deploymentgroup:*/*")]),
    ("logs", "PutLogEvents", {"logGroupName": "/x", "logStreamName": "s"},
     [("logs:PutLogEvents", "us-west-2:123456789012:log-group:/x:log-stream:s")]),
    ("logs", "DescribeLogStreams",
     {"logGroupIdentifier": "arn:aws:logs:us-west-2:123456789012:log-group:/x:*"},
     [("logs:DescribeLogStreams", "us-west-2:123456789012:log-group:/x:log-stream:")]),
    ("events", "PutTargets", {"Rule": "r", "EventBusName": "b", "Targets": [{"RoleArn": ROLE}]},
     [("events:PutTargets", "us-west-2:123456789012:rule/b/r"), ("iam:PassRole", ROLE)]),
    ("events", "PutEvents", {"Entries": [{}]},
     [("events:PutEvents", "us-west-2:123456789012:event-bus/default")]),
    ("cloudformation", "CreateStack", {"StackName": "s"},
     [("cloudformation:CreateStack", "us-west-2:123456789012:stack/s/*")]),
    ("ec2", "RunInstances", {"ImageId": "ami-1", "IamInstanceProfile": {"Name": "web"}},
     [("ec2:RunInstances", "us-west-2::image/ami-1"),
      ("ec2:RunInstances", "us-west-2:123456789012:instance/*"),
      ("ec2:RunInstances", "us-west-2:123456789012:network-interface/*"),
      ("ec2:RunInstances", "us-west-2:123456789012:security-group/*"),
      ("ec2:RunInstances", "us-west-2:123456789012:subnet/*"),
      ("iam:PassRole", "arn:aws:iam::123456789012:role/web")]),
    ("ec2", "CreateTags", {"ResourceId": ["i-1"]},
     [("ec2:CreateTags", "us-west-2:123456789012:instance/i-1")]),
    ("iam", "CreateUser", {"UserName": "u", "Path": "/eng/"},
     [("iam:CreateUser", ":123456789012:user/eng/u")]),
    ("iam", "GetPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/X"},
     [("iam:GetPolicy", ":aws:policy/X")]),
    ("iam", "GetAccountSummary", {}, [("iam:GetAccountSummary", "*")]),
    ("iam", "CreateOpenIDConnectProvider", {"Url": "https://token.example.com"},
     [("iam:CreateOpenIDConnectProvider", ":123456789012:oidc-provider/token.example.com")]),
    ("sts", "GetCallerIdentity", {}, []),
    ("sts", "GetSessionToken", {}, []),
    ("sts", "AssumeRole", {"RoleArn": ROLE, "SourceIdentity": "me", "Tags": [{"Key": "a"}]},
     [("sts:AssumeRole", ROLE), ("sts:TagSession", ROLE), ("sts:SetSourceIdentity", ROLE)]),
    ("dynamodb", "CreateTable", {"TableName": "t"},
     [("dynamodb:CreateTable", "us-west-2:123456789012:table/t")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    CALLS,
    ids=[f"{call[0]} {call[1]}" for call in CALLS],
)
def test_a_call_needs(
    service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert asks(service, operation, **params) == expected


S3: list[tuple[str, str, dict[str, str], list[tuple[str, str]]]] = [
    ("GET", "/", {}, [("ListAllMyBuckets", "*")]),
    ("GET", "/b?list-type=2&prefix=a%2F", {}, [("ListBucket", "b")]),
    ("GET", "/b?uploads", {}, [("ListBucketMultipartUploads", "b")]),
    ("GET", "/b?acl", {}, [("GetBucketAcl", "b")]),
    ("PUT", "/b?encryption", {}, [("PutEncryptionConfiguration", "b")]),
    ("PUT", "/bbb/", {}, [("CreateBucket", "bbb")]),
    ("HEAD", "/b", {}, [("ListBucket", "b")]),
    ("GET", "/b/a%20k//c", {}, [("GetObject", "b/a k//c")]),
    ("HEAD", "/b/k", {}, [("GetObject", "b/k")]),
    ("GET", "/b/k?versionId=1", {}, [("GetObjectVersion", "b/k")]),
    ("GET", "/b/k?uploadId=1", {}, [("ListMultipartUploadParts", "b/k")]),
    ("PUT", "/b/k", {"x-amz-tagging": "a=b"}, [("PutObject", "b/k"), ("PutObjectTagging", "b/k")]),
    ("PUT", "/b/k", {"x-amz-acl": "private"}, [("PutObject", "b/k"), ("PutObjectAcl", "b/k")]),
    ("PUT", "/b/k", {"x-amz-copy-source": "/s/a%20b"},
     [("GetObject", "s/a b"), ("PutObject", "b/k")]),
    ("POST", "/b/k?uploads", {}, [("PutObject", "b/k")]),
    ("PUT", "/b/k?partNumber=1&uploadId=x", {}, [("PutObject", "b/k")]),
    ("DELETE", "/b/k?uploadId=x", {}, [("AbortMultipartUpload", "b/k")]),
    ("DELETE", "/b/k?versionId=1", {}, [("DeleteObjectVersion", "b/k")]),
    ("GET", "/k?tagging", {"host": "b.s3.us-west-2.amazonaws.com"}, [("GetObjectTagging", "b/k")]),
]  # fmt: skip


@pytest.mark.parametrize(("method", "uri", "headers", "expected"), S3)
def test_a_call_of_s3_needs(
    method: str, uri: str, headers: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    path, _, query = uri.partition("?")
    asked, _ = requests.read(Request(method, path, query, {**HOST, **headers}), b"", "s3")
    found = actions.needed(asked, DEV, "us-west-2", Nobody())
    told = [(each.action, each.resource.removeprefix("arn:aws:s3:::")) for each in found]
    assert told == [(f"s3:{action}", resource) for action, resource in expected]


def test_keys_of_a_request_are_its_tags_cluster_and_passed_service() -> None:
    asked = ApiRequest("ecs", "ecs", "RunTask", {
        "cluster": "c", "taskDefinition": "t", "tags": [{"key": "Team", "value": "red"}],
        "overrides": {"taskRoleArn": ROLE},
    })  # fmt: skip
    run, passed = actions.needed(asked, DEV, "us-west-2", Nobody())
    assert run.keys == {
        "aws:requesttag/team": ("red",),
        "aws:tagkeys": ("Team",),
        "ecs:cluster": ("arn:aws:ecs:us-west-2:123456789012:cluster/c",),
    }
    assert passed.keys == {"iam:passedtoservice": ("ecs-tasks.amazonaws.com",)}
