"""Buckets of S3."""

from __future__ import annotations

from botocore.exceptions import ClientError

from labs_helpers.prepare.step import Place, Step, count


def no_bucket(prefix: str) -> Step:
    """No bucket named ``prefix`` and the account's number, nor any version of a file in it."""

    def ensure(place: Place) -> None:
        _delete(place, f"{prefix}-{place.account}")

    return Step(f"no bucket {prefix}-$ACCOUNT", ensure)


def _delete(place: Place, name: str) -> None:
    s3 = place.client("s3")
    files = set()
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
                files.add(one["Key"])
        s3.delete_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return
        if files:
            place.removed.append(f"{count(len(files), 'file')} of bucket {name}")
        raise
    place.removed.append(f"bucket {name} with {count(len(files), 'file')}")
