"""Amazon S3: which permissions an operation needs, on which bucket or object.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from labs_helpers.sandbox.authorization.needed import Asked, Needed

_RENAMED = {
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
}
_OF_VERSION = {
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectTagging": "GetObjectVersionTagging",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
}
"""Actions that have another name for a version (`?versionId=`) of an object."""

_QUERY_KEYS = ("prefix", "delimiter", "max-keys", "versionId")
_HEADER_KEYS = (
    "x-amz-acl",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-content-sha256",
    "x-amz-website-redirect-location",
)


def needed(asked: Asked) -> Iterator[Needed]:
    """The permissions; the account is left to whoever knows the buckets' owners."""
    params = asked.params
    bucket, key = params["Bucket"], params["Key"]
    keys = dict(_keys(params))
    if asked.operation in ("ListBuckets", "ListDirectoryBuckets"):
        yield Needed("s3:ListAllMyBuckets", keys=keys, shown="")
    elif asked.operation == "DeleteObjects":
        for each in params["keys"]:
            yield _on(bucket, each, "DeleteObject", keys)
    elif asked.operation in ("CopyObject", "UploadPartCopy"):
        path, _, version = params["x-amz-copy-source"].partition("?")
        source_bucket, _, source_key = unquote(path).lstrip("/").partition("/")
        action = "GetObjectVersion" if version else "GetObject"
        yield _on(source_bucket, source_key, action, {})
        yield from _put(bucket, key, params, keys)
    elif asked.operation == "PutObject":
        yield from _put(bucket, key, params, keys)
    else:
        action = _RENAMED.get(asked.operation, asked.operation)
        if params.get("versionId"):
            action = _OF_VERSION.get(action, action)
        yield _on(bucket, key, action, keys)


def _put(
    bucket: str, key: str, params: Mapping[str, Any], keys: Mapping[str, tuple[str, ...]]
) -> Iterator[Needed]:
    """Writing an object, with a tag set or an ACL of its own."""
    yield _on(bucket, key, "PutObject", keys)
    if params.get("x-amz-tagging"):
        yield _on(bucket, key, "PutObjectTagging", keys)
    if any(name == "x-amz-acl" or name.startswith("x-amz-grant-") for name in params):
        yield _on(bucket, key, "PutObjectAcl", keys)


def _on(bucket: str, key: str, action: str, keys: Mapping[str, tuple[str, ...]]) -> Needed:
    arn = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    return Needed(f"s3:{action}", arn, keys=keys)


def _keys(params: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in _QUERY_KEYS:
        if name in params:
            yield f"s3:{name.lower()}", (str(params[name]),)
    for name in _HEADER_KEYS:
        if name in params:
            yield f"s3:{name}", (str(params[name]),)
