"""Which of moto's objects are kept apart, and what of moto's objects is no state.

An object that comes in large numbers is a shard: a row of its own, written when the object itself
was touched. Everything else is written with the backend of an account and a region, or with the
shard that refers to the object. tests/sandbox/moto/test_contract.py holds each name for the pinned
version.
"""

from __future__ import annotations

from collections.abc import Mapping

SHARDS: Mapping[str, tuple[str, ...]] = {
    "cloudformation": ("moto.cloudformation.models:Stack", "moto.cloudformation.models:ChangeSet"),
    "cloudwatch": ("moto.cloudwatch.models:MetricDatum",),
    "dynamodb": (
        "moto.dynamodb.models.table:Table",
        "moto.dynamodb.models.dynamo_type:Item",
    ),
    "kms": ("moto.kms.models:Key",),
    "logs": (
        "moto.logs.models:LogGroup",
        "moto.logs.models:LogStream",
        "moto.logs.models:LogEvent",
    ),
    "s3": (
        "moto.s3.models:FakeBucket",
        "moto.s3.models:FakeDeleteMarker",
        "moto.s3.models:FakeKey",
        "moto.s3.models:FakeMultipart",
    ),
    "secretsmanager": ("moto.secretsmanager.models:FakeSecret",),
    "sns": ("moto.sns.models:Topic",),
    "sqs": ("moto.sqs.models:Queue", "moto.sqs.models:Message"),
    "ssm": ("moto.ssm.models:Parameter",),
}
"""package of moto -> its classes whose instances are shards, as "module:Class"."""

NO_STATE: Mapping[str, tuple[str, ...]] = {
    # 1,299 images of machines that every new backend has, and no operation here changes
    "moto.ec2.models.EC2Backend": ("amis", "deleted_amis", "snapshots"),
    # what moto's own tests read of messages that were sent long ago
    "moto.sns.models.Topic": ("sent_notifications",),
}
"""class -> attributes that stay as a new object has them."""

EMPTY: Mapping[str, Mapping[str, type]] = {
    "moto.sns.models.Topic": {"sent_notifications": list},
}
"""class -> what makes the attributes of NO_STATE that a shard is given when it is read."""

PACKAGES: Mapping[str, str] = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
"""signing name -> moto's package, where they differ."""

OURS = frozenset({"iam", "sts", "ecr", "events", "resourcegroupstaggingapi"})
"""Packages whose state is kept elsewhere, or that hold none."""

_READS = (
    "BatchGet Decrypt Describe Encrypt Filter GenerateDataKey GenerateRandom Get Head List Lookup "
    "Query ReEncrypt Scan Validate"
)
_READING = tuple(_READS.split())
_NOTED = frozenset(
    {("secretsmanager", "GetSecretValue"), ("secretsmanager", "BatchGetSecretValue")}
)
"""Reads of which a date is kept."""


def changes(service: str, operation: str) -> bool:
    """Whether an operation of moto's may change what a service holds."""
    return (service, operation) in _NOTED or not operation.startswith(_READING)
