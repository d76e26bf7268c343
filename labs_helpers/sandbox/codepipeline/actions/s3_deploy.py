"""Deploy to Amazon S3: the artifact's files, or the artifact as one object.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
"""

from __future__ import annotations

import mimetypes
import posixpath

from botocore.exceptions import ClientError

from labs_helpers.sandbox.codepipeline.actions.work import (
    ActionFailed,
    Outcome,
    Work,
    refused,
    words,
)

_SETTINGS = {
    "CannedACL": "ACL",
    "CacheControl": "CacheControl",
    "KMSEncryptionKeyARN": "SSEKMSKeyId",
}


def deploy(work: Work) -> Outcome:
    """Write the objects, one after another."""
    given = work.configuration
    bucket, prefix = given["BucketName"], given.get("ObjectKey", "")
    extra = {theirs: given[ours] for ours, theirs in _SETTINGS.items() if given.get(ours)}
    if "SSEKMSKeyId" in extra:
        extra["ServerSideEncryption"] = "aws:kms"
    if given["Extract"] == "true":
        files = {_key(prefix, name): content for name, content in work.unpacked().items()}
    else:
        files = {prefix: work.read()}
    client = work.client("s3")
    try:
        for key, content in files.items():
            kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
            client.put_object(Bucket=bucket, Key=key, Body=content, ContentType=kind, **extra)
    except ClientError as error:
        code = "PermissionError" if refused(error) else "ConfigurationError"
        said = words(error, "Amazon S3")
        raise ActionFailed(code, f"Unable to deploy to the bucket {bucket}: {said}") from error
    return Outcome("Succeeded", summary="Deployment Succeeded", external={"id": work.id})


def _key(prefix: str, name: str) -> str:
    """The key of a file; raises ActionFailed for a path that leads out of the artifact."""
    path = posixpath.normpath(name)
    if path.startswith(("../", "/")) or path == "..":
        raise ActionFailed(
            "ConfigurationError", f"The artifact holds a path that leads out of it: {name!r}"
        )
    return posixpath.join(prefix, path) if prefix else path
