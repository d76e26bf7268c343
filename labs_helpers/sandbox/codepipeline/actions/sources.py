"""Sources: an object of Amazon S3, an image of Amazon ECR.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html
"""

from __future__ import annotations

import io
import json
import zipfile

from botocore.exceptions import ClientError

from labs_helpers.sandbox.codepipeline.actions.work import (
    ActionFailed,
    Outcome,
    Work,
    body_of,
    refused,
    words,
)


def s3(work: Work) -> Outcome:
    """The newest version of an object, or the version that the start asked for."""
    bucket, key = work.configuration["S3Bucket"], work.configuration["S3ObjectKey"]
    kind, value = work.override.get("revisionType"), work.override.get("revisionValue", "")
    if kind == "S3_OBJECT_KEY":
        key = value
    extra = {"VersionId": value} if kind == "S3_OBJECT_VERSION_ID" else {}
    client = work.client("s3")
    try:
        if client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
            raise ActionFailed(
                "ConfigurationError",
                f"The bucket {bucket} is not versioned. A source of Amazon S3 needs a versioned "
                "bucket: aws s3api put-bucket-versioning",
            )
        found = client.get_object(Bucket=bucket, Key=key, **extra)
        content = body_of(found, key)
    except ClientError as error:
        raise _of_s3(error, bucket, key) from error
    version, tag = found["VersionId"], found["ETag"].strip('"')
    return Outcome(
        "Succeeded",
        summary=f"Amazon S3 version id: {version}",
        external={"id": version},
        output=[work.write(content)],
        variables={
            "VersionId": version,
            "ETag": tag,
            "BucketName": bucket,
            "ObjectKey": key,
        },
        revision={"id": version, "summary": f"Amazon S3 version id: {version}"},
    )


def _of_s3(error: ClientError, bucket: str, key: str) -> ActionFailed:
    code = str(error.response["Error"]["Code"])
    if refused(error):
        return ActionFailed(
            "PermissionError",
            "The service role or action role doesn't have the permissions required to access the "
            f"Amazon S3 bucket named {bucket}. Update the IAM role permissions, and then try again."
            f" Error: {words(error, 'Amazon S3')}",
        )
    if code in ("NoSuchKey", "404", "NoSuchVersion"):
        return ActionFailed(
            "ConfigurationError",
            f"The object with key '{key}' does not exist in the bucket {bucket}.",
        )
    return ActionFailed("ConfigurationError", f"{bucket}: {words(error, 'Amazon S3')}")


def ecr(work: Work) -> Outcome:
    """An image by its tag; the artifact holds imageDetail.json.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html#file-reference-ecs-bluegreen
    """
    name = work.configuration["RepositoryName"]
    tag = work.configuration.get("ImageTag", "latest")
    wanted = {"imageTag": tag}
    if work.override.get("revisionType") == "IMAGE_DIGEST":
        wanted = {"imageDigest": work.override["revisionValue"]}
    try:
        found = work.client("ecr").describe_images(repositoryName=name, imageIds=[wanted])
    except ClientError as error:
        if refused(error):
            raise ActionFailed("PermissionError", words(error, "AmazonECR")) from error
        raise ActionFailed("ConfigurationError", words(error, "AmazonECR")) from error
    image = found["imageDetails"][0]
    digest = image["imageDigest"]
    repository = f"{image['registryId']}.dkr.ecr.{work.region}.amazonaws.com/{name}"
    uri = f"{repository}@{digest}"
    detail = {
        "ImageSizeInBytes": str(image["imageSizeInBytes"]),
        "ImageDigest": digest,
        "Version": "1.0",
        "ImagePushedAt": image["imagePushedAt"].strftime("%a %b %d %H:%M:%S UTC %Y"),
        "RegistryId": image["registryId"],
        "RepositoryName": name,
        "ImageURI": uri,
        "ImageTags": image.get("imageTags", []),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("imageDetail.json", json.dumps(detail))
    return Outcome(
        "Succeeded",
        summary=f"{name}:{tag}",
        external={"id": digest},
        output=[work.write(content.getvalue())],
        variables={
            "ImageTag": tag,
            "ImageDigest": digest,
            "ImageURI": uri,
            "RegistryId": image["registryId"],
            "RepositoryName": name,
        },
        revision={"id": digest, "summary": digest},
    )
