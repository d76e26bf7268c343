"""Amazon S3: which permissions an operation needs, on which bucket or object.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.authorization.s3_copies import CopySource
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission

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
    "UploadPartCopy": "PutObject",
    "CopyObject": "PutObject",
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

_OF_HEADERS: Mapping[str, Mapping[str, str]] = {
    "PutObject": {
        "x-amz-acl": "PutObjectAcl",
        "x-amz-grant-": "PutObjectAcl",
        "x-amz-object-lock-legal-hold": "PutObjectLegalHold",
        "x-amz-object-lock-mode": "PutObjectRetention",
        "x-amz-object-lock-retain-until-date": "PutObjectRetention",
        "x-amz-tagging": "PutObjectTagging",
    },
    "CreateBucket": {
        "x-amz-acl": "PutBucketAcl",
        "x-amz-grant-": "PutBucketAcl",
        "x-amz-bucket-object-lock-enabled": "PutBucketObjectLockConfiguration",
        "x-amz-object-ownership": "PutBucketOwnershipControls",
    },
    "DeleteObject": {"x-amz-bypass-governance-retention": "BypassGovernanceRetention"},
    "DeleteObjectVersion": {"x-amz-bypass-governance-retention": "BypassGovernanceRetention"},
    "PutObjectRetention": {"x-amz-bypass-governance-retention": "BypassGovernanceRetention"},
}
"""Headers, by how they begin, that need an action of their own.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

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


def needed(asked: ApiRequest) -> Iterator[Permission]:
    """The permissions; the account is left to whoever knows the buckets' owners."""
    params = asked.params
    bucket, key = params["Bucket"], params["Key"]
    keys = dict(_keys(params))
    if asked.operation in ("ListBuckets", "ListDirectoryBuckets"):
        yield Permission("s3:ListAllMyBuckets", keys=keys, shown="")
    elif asked.operation == "DeleteObjects":
        for each, version in params["objects"]:
            action = "DeleteObjectVersion" if version else "DeleteObject"
            yield _on(bucket, each, action, keys)
            yield from _with_headers(action, bucket, each, params, keys)
    else:
        if asked.operation in ("CopyObject", "UploadPartCopy"):
            yield _read(params["source"])
        action = _RENAMED.get(asked.operation, asked.operation)
        if params.get("versionId"):
            action = _OF_VERSION.get(action, action)
        yield _on(bucket, key, action, keys)
        yield from _with_headers(action, bucket, key, params, keys)


def _read(source: CopySource) -> Permission:
    """What a copy needs of its source."""
    if source.version is None:
        return _on(source.bucket, source.key, "GetObject", {})
    keys = {"s3:versionid": (source.version,)}
    return _on(source.bucket, source.key, "GetObjectVersion", keys)


def _with_headers(
    action: str,
    bucket: str,
    key: str,
    params: Mapping[str, Any],
    keys: Mapping[str, tuple[str, ...]],
) -> Iterator[Permission]:
    """What the headers of a request need besides its own action."""
    asked_for = {
        more
        for begins, more in _OF_HEADERS.get(action, {}).items()
        if any(name.startswith(begins) and value for name, value in params.items())
    }
    for more in sorted(asked_for):
        yield _on(bucket, key, more, keys)


def _on(bucket: str, key: str, action: str, keys: Mapping[str, tuple[str, ...]]) -> Permission:
    arn = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    return Permission(f"s3:{action}", arn, keys=keys)


def _keys(params: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in _QUERY_KEYS:
        if name in params:
            yield f"s3:{name.lower()}", (str(params[name]),)
    for name in _HEADER_KEYS:
        if name in params:
            yield f"s3:{name}", (str(params[name]),)
