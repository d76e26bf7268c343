"""What the sandbox refuses, because moto would run a program or connect to another machine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.sandbox_process import Running

TOPIC = "arn:aws:sns:us-west-2:123456789012:t"
URL = "http://127.0.0.1:9/"
ROLE = "arn:aws:iam::123456789012:role/r"
BUCKET = "arn:aws:s3:::b"
# of a type that the sandbox has; API destinations are refused whatever they name


@pytest.mark.parametrize(
    ("service", "operation", "params", "named"),
    [
        ("lambda", "list_functions", {}, "lambda:ListFunctions;"),
        *(
            (
                "sns",
                "subscribe",
                {"TopicArn": TOPIC, "Protocol": protocol, "Endpoint": URL},
                f"sns:Subscribe with Protocol={protocol};",
            )
            for protocol in ("http", "https", "email", "lambda", "sms")
        ),
        (
            "firehose",
            "create_delivery_stream",
            {
                "DeliveryStreamName": "s",
                "HttpEndpointDestinationConfiguration": {
                    "EndpointConfiguration": {"Url": "https://127.0.0.1:9/"},
                    "S3Configuration": {"RoleARN": ROLE, "BucketARN": BUCKET},
                },
            },
            "firehose:CreateDeliveryStream;",
        ),
    ],
)
def test_a_program_or_a_connection_of_a_request_is_refused(
    sandbox: Running, service: str, operation: str, params: dict[str, Any], named: str
) -> None:
    """Reported as D7."""
    status, code, message = refusal_of(sandbox.client(service), operation, **params)
    assert (status, code) == (501, "NotInSandbox")
    assert message.startswith(f"The sandbox does not have the operation {named}"[:-1])
    assert "it exists on AWS. The sandbox " in message


TABLE = {"TableName": "t", "Key": {"id": {"S": "a"}}}


@pytest.mark.parametrize(
    ("service", "operation", "params", "named"),
    [
        ("sns", "publish", {"PhoneNumber": "+15550100", "Message": "m"}, "PhoneNumber"),
        (
            "dynamodb",
            "delete_item",
            {**TABLE, "Expected": {"n": {"Exists": False}}},
            "Expected",
        ),
        ("dynamodb", "get_item", {**TABLE, "AttributesToGet": ["n"]}, "AttributesToGet"),
        (
            "secretsmanager",
            "create_secret",
            {"Name": "s", "AddReplicaRegions": [{"Region": "eu-west-1"}]},
            "AddReplicaRegions",
        ),
        (
            "s3",
            "put_object",
            {"Bucket": "bucket", "Key": "k", "ACL": "public-read"},
            "x-amz-acl=public-read",
        ),
        (
            "s3",
            "create_bucket",
            {"Bucket": "bucket", "ObjectLockEnabledForBucket": True},
            "x-amz-bucket-object-lock-enabled=True",
        ),
    ],
)
def test_a_parameter_that_moto_ignores_is_refused(
    sandbox: Running, service: str, operation: str, params: dict[str, Any], named: str
) -> None:
    status, code, message = refusal_of(sandbox.client(service), operation, **params)
    assert (status, code) == (501, "NotInSandbox")
    assert f" with {named};".lower() in message.lower()
