"""Which operations of AWS the sandbox refuses to hand to moto, and what it says instead.

A row is (service, operation) -> reason. The service is a signing name, the operation is botocore's
name for it, and EVERY stands for all operations of a service. What is not in the table is moto's.

An operation is refused for one of two reasons. moto would run a program or connect to another
machine, on behalf of whoever sent the request. Or moto would answer as if something had been done
that nobody did: a build that "succeeded", a scan without findings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.aws_errors import not_implemented

EVERY = "*"

_NO_FUNCTION = "The sandbox keeps and runs no functions."
_NO_JOB = "The sandbox starts no containers for AWS Batch."

REFUSED: Mapping[str, Mapping[str, str]] = {
    # runs a function's code in Docker (moto/awslambda/models.py)
    "lambda": {EVERY: _NO_FUNCTION},
    # runs a job in Docker (moto/batch/models.py)
    "batch": {EVERY: _NO_JOB},
    # MOTO_EVENTS_INVOKE_HTTP, which is off, would send a request (moto/events/models.py)
    "events": dict.fromkeys(
        ("CreateApiDestination", "UpdateApiDestination"),
        "The sandbox connects to no other machine, so it would send no event there. It delivers "
        "events to SQS queues, SNS topics and log groups.",
    ),
}


ANSWERED: Mapping[str, frozenset[str]] = {
    # moto takes a sub-resource that it does not know for none: GET ?retention reads the object,
    # DELETE ?inventory deletes the bucket (moto/s3/responses.py)
    "s3": frozenset(
        [
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CopyObject",
            "CreateBucket",
            "CreateMultipartUpload",
            "DeleteBucket",
            "DeleteBucketCors",
            "DeleteBucketEncryption",
            "DeleteBucketLifecycle",
            "DeleteBucketOwnershipControls",
            "DeleteBucketPolicy",
            "DeleteBucketReplication",
            "DeleteBucketTagging",
            "DeleteBucketWebsite",
            "DeleteObject",
            "DeleteObjectTagging",
            "DeleteObjects",
            "DeletePublicAccessBlock",
            "GetBucketAccelerateConfiguration",
            "GetBucketAcl",
            "GetBucketCors",
            "GetBucketEncryption",
            "GetBucketInventoryConfiguration",
            "GetBucketLifecycle",
            "GetBucketLifecycleConfiguration",
            "GetBucketLocation",
            "GetBucketLogging",
            "GetBucketNotification",
            "GetBucketNotificationConfiguration",
            "GetBucketOwnershipControls",
            "GetBucketPolicy",
            "GetBucketPolicyStatus",
            "GetBucketReplication",
            "GetBucketTagging",
            "GetBucketVersioning",
            "GetBucketWebsite",
            "GetObject",
            "GetObjectAcl",
            "GetObjectAttributes",
            "GetObjectLegalHold",
            "GetObjectLockConfiguration",
            "GetObjectTagging",
            "GetPublicAccessBlock",
            "HeadBucket",
            "HeadObject",
            "ListBucketInventoryConfigurations",
            "ListBuckets",
            "ListMultipartUploads",
            "ListObjectVersions",
            "ListObjects",
            "ListObjectsV2",
            "ListParts",
            "PutBucketAccelerateConfiguration",
            "PutBucketAcl",
            "PutBucketCors",
            "PutBucketEncryption",
            "PutBucketInventoryConfiguration",
            "PutBucketLifecycle",
            "PutBucketLifecycleConfiguration",
            "PutBucketLogging",
            "PutBucketNotification",
            "PutBucketNotificationConfiguration",
            "PutBucketOwnershipControls",
            "PutBucketPolicy",
            "PutBucketReplication",
            "PutBucketTagging",
            "PutBucketVersioning",
            "PutBucketWebsite",
            "PutObject",
            "PutObjectAcl",
            "PutObjectLegalHold",
            "PutObjectLockConfiguration",
            "PutObjectRetention",
            "PutObjectTagging",
            "PutPublicAccessBlock",
            "RestoreObject",
            "SelectObjectContent",
            "UploadPart",
            "UploadPartCopy",
        ]
    ),
}
"""All operations of a service that moto has, where moto answers another one with the wrong thing.

tests/sandbox/test_s3_requests.py holds the list to what moto does.
"""


@dataclass(frozen=True)
class Argument:
    """A value of one parameter for which an operation is refused.

    values: every value that is refused; None for any value at all.
    """

    parameter: str
    reason: str
    values: frozenset[str] | None = None

    def is_in(self, params: Mapping[str, Any]) -> bool:
        """Whether a request has the parameter with such a value."""
        given = params.get(self.parameter)
        return given is not None and (self.values is None or str(given).lower() in self.values)


_TO_QUEUES_ONLY = (
    "The sandbox connects to no other machine and sends no mail and no text messages. A topic "
    "delivers to SQS queues."
)

REFUSED_ARGUMENTS: Mapping[tuple[str, str], tuple[Argument, ...]] = {
    # sends each message to the URL (moto/sns/models.py)
    ("sns", "Subscribe"): (
        Argument(
            "Protocol",
            _TO_QUEUES_ONLY,
            frozenset(
                {
                    "http",
                    "https",
                    "email",
                    "email-json",
                    "sms",
                    "application",
                    "lambda",
                    "firehose",
                }
            ),
        ),
    ),
    # moto would read an object of a bucket that the caller may not read
    ("cloudformation", "SetStackPolicy"): (
        Argument("StackPolicyURL", "The sandbox takes a policy in StackPolicyBody."),
    ),
    # sends each record to the URL (moto/firehose/models.py)
    ("firehose", "CreateDeliveryStream"): (
        Argument(
            "HttpEndpointDestinationConfiguration", "The sandbox connects to no other machine."
        ),
    ),
    ("firehose", "UpdateDestination"): (
        Argument("HttpEndpointDestinationUpdate", "The sandbox connects to no other machine."),
    ),
}


def _template(text: str) -> None:
    from labs_helpers.sandbox import templates  # not at the start, which nobody should wait for

    templates.parse(text)


CHECKED: Mapping[str, Mapping[str, Callable[[str], None]]] = {
    # moto keeps the template of a stack set without reading it
    "cloudformation": {"TemplateBody": _template},
}
"""What moto checks too late, or not at all: service -> parameter -> a function that raises."""

REFUSED_TYPES: Mapping[str, str] = {
    "AWS::Batch::": _NO_JOB,
    "AWS::CloudFormation::CustomResource": _NO_FUNCTION,
    "AWS::Lambda::": _NO_FUNCTION,
    "Custom::": _NO_FUNCTION,
}
"""Types of resources, by how they begin, that a CloudFormation template may not have."""


def check(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise Refusal when a table refuses the operation, or one of its arguments."""
    rows = REFUSED.get(service, {})
    reason = rows.get(operation) or rows.get(EVERY)
    if operation not in ANSWERED.get(service, {operation}):
        raise not_implemented(f"the operation {service}:{operation}")
    if reason:
        raise not_implemented(f"the operation {service}:{operation}", reason)
    for argument in REFUSED_ARGUMENTS.get((service, operation), ()):
        if argument.is_in(params):
            value = f"={params[argument.parameter]}" if argument.values else ""
            what = f"the operation {service}:{operation} with {argument.parameter}{value}"
            raise not_implemented(what, argument.reason)
    for parameter, check_value in CHECKED.get(service, {}).items():
        if parameter in params:
            check_value(params[parameter])


def check_type(kind: str) -> None:
    """Raise Refusal when a template may not have a resource of this type."""
    for begins, reason in REFUSED_TYPES.items():
        if kind.startswith(begins):
            raise not_implemented(f"the resource type {kind[:120]}", reason)
