"""Types of S3, DynamoDB, Systems Manager, Secrets Manager and KMS."""

from __future__ import annotations

import uuid
from typing import Any

from labs_helpers.sandbox.moto.stacks.calls import Calls
from labs_helpers.sandbox.moto.stacks.kinds import (
    Kind,
    Made,
    Properties,
    given,
    is_true,
    kind,
    tags_of,
    text_of,
    undone_on_failure,
)


def _create_bucket(calls: Calls, name: str, properties: Properties) -> Made:
    name = str(properties.get("BucketName", name))
    place = None if calls.region == "us-east-1" else {"LocationConstraint": calls.region}
    calls("s3", "CreateBucket", Bucket=name, CreateBucketConfiguration=place)
    made = Made(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{calls.region}.amazonaws.com",
        },
    )
    with undone_on_failure(calls, made, _delete_bucket):
        _update_bucket(calls, made, properties)
    return made


def _update_bucket(calls: Calls, made: Made, properties: Properties) -> None:
    named = {"Bucket": made.physical_id}
    if rules := (properties.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration"):
        wanted = {"Rules": [_rule(rule) for rule in rules]}
        calls("s3", "PutBucketEncryption", **named, ServerSideEncryptionConfiguration=wanted)
    elif "BucketEncryption" in made.properties:
        calls("s3", "DeleteBucketEncryption", **named)
    versioning = properties.get("VersioningConfiguration")
    if versioning is None and "VersioningConfiguration" in made.properties:
        versioning = {"Status": "Suspended"}
    if versioning is not None:
        calls("s3", "PutBucketVersioning", **named, VersioningConfiguration=versioning)
    blocked = properties.get("PublicAccessBlockConfiguration")
    if blocked is not None:
        calls("s3", "PutPublicAccessBlock", **named, PublicAccessBlockConfiguration=blocked)
    elif "PublicAccessBlockConfiguration" in made.properties:
        calls("s3", "DeletePublicAccessBlock", **named)
    if tags := tags_of(calls, properties):
        calls("s3", "PutBucketTagging", **named, Tagging={"TagSet": tags})
    elif made.properties.get("Tags"):
        calls("s3", "DeleteBucketTagging", **named)


def _rule(rule: Properties) -> dict[str, Any]:
    """A rule of encryption as S3's calls have it."""
    names = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    return {names.get(name, name): value for name, value in rule.items()}


def _delete_bucket(calls: Calls, made: Made) -> None:
    calls("s3", "DeleteBucket", Bucket=made.physical_id)


def _create_bucket_policy(calls: Calls, name: str, properties: Properties) -> Made:
    bucket = str(properties.get("Bucket"))
    calls("s3", "PutBucketPolicy", Bucket=bucket, Policy=text_of(properties.get("PolicyDocument")))
    return Made(bucket)


def _update_bucket_policy(calls: Calls, made: Made, properties: Properties) -> None:
    _create_bucket_policy(calls, "", properties)


def _delete_bucket_policy(calls: Calls, made: Made) -> None:
    calls("s3", "DeleteBucketPolicy", Bucket=made.physical_id)


_TABLE = (
    "AttributeDefinitions BillingMode DeletionProtectionEnabled GlobalSecondaryIndexes KeySchema "
    "LocalSecondaryIndexes ProvisionedThroughput"
)


def _create_table(calls: Calls, name: str, properties: Properties) -> Made:
    name = str(properties.get("TableName", name))
    tags = tags_of(calls, properties) or None
    made = calls(
        "dynamodb", "CreateTable", TableName=name, Tags=tags, **given(properties, *_TABLE.split())
    )
    return Made(name, {"Arn": made["TableDescription"]["TableArn"]})


def _delete_table(calls: Calls, made: Made) -> None:
    calls("dynamodb", "DeleteTable", TableName=made.physical_id)


_PARAMETER = "DataType Description Tier Type Value"


def _put_parameter(calls: Calls, name: str, properties: Properties, overwrite: bool) -> None:
    as_they_are = given(properties, *_PARAMETER.split())
    calls("ssm", "PutParameter", Name=name, Overwrite=overwrite, **as_they_are)


def _create_parameter(calls: Calls, name: str, properties: Properties) -> Made:
    name = str(properties.get("Name", name))
    _put_parameter(calls, name, properties, overwrite=False)
    return Made(name, {"Type": properties.get("Type"), "Value": properties.get("Value")})


def _update_parameter(calls: Calls, made: Made, properties: Properties) -> None:
    _put_parameter(calls, made.physical_id, properties, overwrite=True)
    made.attributes |= {"Type": properties.get("Type"), "Value": properties.get("Value")}


def _delete_parameter(calls: Calls, made: Made) -> None:
    calls("ssm", "DeleteParameter", Name=made.physical_id)


def _create_secret(calls: Calls, name: str, properties: Properties) -> Made:
    arn = calls(
        "secretsmanager",
        "CreateSecret",
        Name=properties.get("Name", name),
        ClientRequestToken=str(uuid.uuid4()),
        Description=properties.get("Description"),
        SecretString=properties.get("SecretString"),
        Tags=tags_of(calls, properties) or None,
    )["ARN"]
    return Made(arn, {"Id": arn})


def _delete_secret(calls: Calls, made: Made) -> None:
    named = {"SecretId": made.physical_id}
    calls("secretsmanager", "DeleteSecret", **named, ForceDeleteWithoutRecovery=True)


def _create_key(calls: Calls, name: str, properties: Properties) -> Made:
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags_of(calls, properties)]
    found = calls(
        "kms",
        "CreateKey",
        Policy=text_of(properties.get("KeyPolicy")),
        Description=properties.get("Description"),
        Tags=tags or None,
    )["KeyMetadata"]
    made = Made(found["KeyId"], {"Arn": found["Arn"], "KeyId": found["KeyId"]}, properties)
    if is_true(properties.get("EnableKeyRotation", False)):
        with undone_on_failure(calls, made, _delete_key):
            calls("kms", "EnableKeyRotation", KeyId=made.physical_id)
    return made


def _delete_key(calls: Calls, made: Made) -> None:
    """A key of a stack is scheduled for deletion, as on AWS, in PendingWindowInDays or 30 days."""
    days = made.properties.get("PendingWindowInDays", 30)
    calls("kms", "ScheduleKeyDeletion", KeyId=made.physical_id, PendingWindowInDays=days)


def _create_alias(calls: Calls, name: str, properties: Properties) -> Made:
    wanted = {each: properties.get(each) for each in ("AliasName", "TargetKeyId")}
    calls("kms", "CreateAlias", **wanted)
    return Made(str(wanted["AliasName"]))


def _delete_alias(calls: Calls, made: Made) -> None:
    calls("kms", "DeleteAlias", AliasName=made.physical_id)


_BUCKET = "BucketEncryption PublicAccessBlockConfiguration Tags VersioningConfiguration"

KINDS: dict[str, Kind] = {
    "AWS::S3::Bucket": kind(
        f"BucketName {_BUCKET}",
        _create_bucket,
        _delete_bucket,
        attributes="Arn DomainName RegionalDomainName",
        update=_update_bucket,
        changes=_BUCKET,
    ),
    "AWS::S3::BucketPolicy": kind(
        "Bucket PolicyDocument",
        _create_bucket_policy,
        _delete_bucket_policy,
        update=_update_bucket_policy,
        changes="PolicyDocument",
    ),
    "AWS::DynamoDB::Table": kind(
        f"TableName Tags {_TABLE}", _create_table, _delete_table, attributes="Arn"
    ),
    "AWS::SSM::Parameter": kind(
        f"Name {_PARAMETER}",
        _create_parameter,
        _delete_parameter,
        attributes="Type Value",
        update=_update_parameter,
        changes="Description Type Value",
    ),
    "AWS::SecretsManager::Secret": kind(
        "Description Name SecretString Tags", _create_secret, _delete_secret, attributes="Id"
    ),
    "AWS::KMS::Key": kind(
        "Description EnableKeyRotation KeyPolicy PendingWindowInDays Tags",
        _create_key,
        _delete_key,
        attributes="Arn KeyId",
    ),
    "AWS::KMS::Alias": kind("AliasName TargetKeyId", _create_alias, _delete_alias),
}
