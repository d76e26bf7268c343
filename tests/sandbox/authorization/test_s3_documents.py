"""What Amazon S3 refuses of a document or of a new bucket's name, and what S3 takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labs_helpers.sandbox.authorization import s3_documents
from labs_helpers.sandbox.service.refusal import Refusal
from tests.sandbox.sandbox_process import REGION, Running

LOCATION = {"LocationConstraint": REGION}
BUCKET = "documents-b"
VERSIONING = "<VersioningConfiguration><Status>{}</Status></VersioningConfiguration>"


@pytest.fixture(scope="module")
def s3(sandbox: Running) -> Iterator[Any]:
    client = sandbox.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=LOCATION)
    yield client
    client.delete_bucket(Bucket=BUCKET)


@pytest.mark.parametrize("status", ["enabled", "", "On", "ENABLED"])
def test_a_status_that_is_none_changes_nothing(s3: Any, status: str) -> None:
    with pytest.raises(ClientError, match=r"MalformedXML.*did not validate against our published"):
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})
    assert "Status" not in s3.get_bucket_versioning(Bucket=BUCKET)


def test_values_of_other_documents(s3: Any) -> None:
    rule = {"ID": "old", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.put_bucket_lifecycle_configuration(
            Bucket=BUCKET, LifecycleConfiguration={"Rules": [{**rule, "Status": "Active"}]}
        )
    s3.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": [{**rule, "Status": "Enabled"}]}
    )
    encrypted = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "rot13"}}
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.put_bucket_encryption(
            Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [encrypted]}
        )
    blocked = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=blocked)
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "a", "Value": ""}]})


@pytest.mark.parametrize(
    "name",
    [
        *("labs_archive", "Labs", "labs..archive", "-labs", "labs-", "labs.", "192.168.5.4"),
        *("xn--labs", "sthree-labs", "labs-s3alias", "labs--ol-s3", "a" * 64, "labs.-_"),
    ],
)
def test_a_name_that_no_new_bucket_may_have(s3: Any, name: str) -> None:
    with pytest.raises(ClientError, match=r"InvalidBucketName.*The specified bucket is not valid"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=LOCATION)


@pytest.mark.parametrize("name", ["abc", "a.b-c.9", "9lives", "a" * 63])
def test_a_name_that_a_new_bucket_may_have(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=LOCATION)
    s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("PutBucketVersioning", VERSIONING.format("Enabled").replace("Status>", "State>")),
        ("PutBucketVersioning", VERSIONING.format("Enabled").replace("Versioning", "Version")),
        ("PutBucketVersioning", VERSIONING.format("Enabled</Status><Status>Suspended")),
        ("PutBucketVersioning", VERSIONING.format("<b>Enabled</b>")),
        ("PutBucketVersioning", VERSIONING.format("Enabled")[:-1]),
        ("PutBucketTagging", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"),
        ("PutBucketTagging", "<Tagging></Tagging>"),
        ("PutBucketTagging", "<Tagging><TagSet><Label/></TagSet></Tagging>"),
        (
            "CompleteMultipartUpload",
            "<CompleteMultipartUpload><Part><PartNumber>one</PartNumber></Part>"
            "</CompleteMultipartUpload>",
        ),
    ],
)
def test_a_document_that_is_not_the_model_s(operation: str, body: str) -> None:
    with pytest.raises(Refusal) as refused:
        s3_documents.check(operation, body.encode())
    assert refused.value.code == "MalformedXML"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("PutBucketVersioning", VERSIONING.format("Suspended")),
        ("PutBucketVersioning", '<?xml version="1.0"?>\n' + VERSIONING.format("\nEnabled\n")),
        ("CreateBucket", ""),
        ("PutObject", "not XML"),
        ("PutBucketPolicy", "{}"),
        (
            "CompleteMultipartUpload",
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>b</ETag></Part></CompleteMultipartUpload>",
        ),
    ],
)
def test_a_document_that_is(operation: str, body: str) -> None:
    s3_documents.check(operation, body.encode())
