"""Checks of lab 01: a profile as AWS answers it, and a bucket's versioning."""

from __future__ import annotations

import boto3
from botocore.exceptions import ClientError, NoCredentialsError, ProfileNotFound

from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

PROFILE = "workshop"
PROFILE_REGION = "eu-west-1"
BUCKET = "labs-archive"


@check("01.1")
def workshop_profile(world: World) -> Outcome:
    try:
        region = boto3.Session(profile_name=PROFILE).region_name
    except ProfileNotFound:
        return NotAttempted(
            f"the profile {PROFILE} in the files that aws configure writes",
            "it is not there yet: aws configure takes --profile",
        )
    if region != PROFILE_REGION:
        return NotYet(
            f"the region of profile {PROFILE}",
            region or "none",
            PROFILE_REGION,
            f"run aws configure --profile {PROFILE} again: what you answer replaces what is there",
        )
    try:
        caller = world.client("sts", profile=PROFILE).get_caller_identity()
    except (ClientError, NoCredentialsError) as error:
        return NotYet(
            f"what AWS says to the key of profile {PROFILE}",
            _said(error),
            "the key is accepted",
            "answer the first two questions with the key that default has",
        )
    kept = boto3.Session(profile_name="default").region_name
    if kept != world.region:
        return NotYet(
            "the region of profile default",
            kept or "none",
            world.region,
            "the profile default was to stay: aws configure without --profile sets it again",
        )
    return Passed(
        f"Profile {PROFILE} is {caller['Arn'].rpartition('/')[2]} in {PROFILE_REGION}; "
        f"default stays in {kept}.",
        "A second profile is a second set of answers, not a second user: lab 02 makes one.",
    )


def _said(error: ClientError | NoCredentialsError) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else str(error)


@check("01.2")
def archive_keeps_versions(world: World) -> Outcome:
    name = f"{BUCKET}-{world.account}"
    try:
        found = world.client("s3").get_bucket_versioning(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        return NotAttempted(f"bucket {name}", "it is not there yet: aws s3 mb makes it")
    status = found.get("Status", "never switched on")
    if status != "Enabled":
        return NotYet(
            f"versioning of bucket {name}",
            status,
            "Enabled",
            "the operation begins with put-bucket-, and aws s3api has it",
        )
    return Passed(
        f"{name} keeps every version of a file.",
        "Versions cost storage, and who may delete them is another question: lab 02.",
    )
