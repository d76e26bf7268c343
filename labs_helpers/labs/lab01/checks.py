"""Checks of lab 01: a profile as AWS answers it, and a bucket's versioning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError, NoCredentialsError

from labs_helpers.checks.goal import Fact, Finding, named, unmet
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World, session
from labs_helpers.defaults import SECOND_REGION

PROFILE = "workshop"
BUCKET = "labs-archive"


@dataclass(frozen=True)
class Profiles:
    """The two profiles, as botocore reads them from the learner's files."""

    world: World

    @cached_property
    def workshop(self) -> Any:
        return session(PROFILE)

    @cached_property
    def default(self) -> Any:
        return session("default")


def setting(profile: Any, name: str) -> str | None:
    """A setting of a profile as it stands in the file."""
    found = profile._session.get_scoped_config().get(name)
    return None if found is None else str(found)


def key_of(profile: Any) -> str | None:
    """The id of the access key that a profile signs with."""
    credentials = profile.get_credentials()
    return None if credentials is None else str(credentials.access_key)


def _region(profiles: Profiles) -> Finding | None:
    found = setting(profiles.workshop, "region")
    if found == profiles.world.own_names.second_region:
        return None
    return Finding(
        f"the region of profile {PROFILE}",
        found or "none",
        "aws configure asks four questions again, and what you answer replaces what is there",
    )


def _key(profiles: Profiles) -> Finding | None:
    looked_at = f"the key of profile {PROFILE}"
    try:
        profiles.world.client("sts", profile=PROFILE).get_caller_identity()
    except (ClientError, NoCredentialsError) as error:
        return Finding(looked_at, _said(error), "which key has the profile default?")
    if key_of(profiles.workshop) == key_of(profiles.default):
        return None
    found = "another key than default's" if key_of(profiles.default) else "default has no key now"
    return Finding(looked_at, found, "two profiles may share one key: which has default?")


def _output(profiles: Profiles) -> Finding | None:
    found = setting(profiles.workshop, "output")
    if found == "json":
        return None
    return Finding(
        f"the output format of profile {PROFILE}",
        found or "none",
        "it is the fourth of the answers",
    )


def _default_stays(profiles: Profiles) -> Finding | None:
    for name, wanted in (("region", profiles.world.region), ("output", "json")):
        found = setting(profiles.default, name)
        if found != wanted:
            return Finding(
                f"the {name} of profile default",
                found or "none",
                f"it was {wanted}: aws configure, with no profile named, sets it again",
            )
    return None


def _said(error: ClientError | NoCredentialsError) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else str(error)


PROFILE_FACTS = (
    Fact(f"region {SECOND_REGION}", _region),
    Fact("the same key", _key),
    Fact("output json", _output),
    Fact("the profile default must stay as it is", _default_stays),
)


@check("01.1", PROFILE_FACTS)
def workshop_profile(world: World) -> Outcome:
    profiles = Profiles(world)
    looks_at = f"the profile {PROFILE} in the files that aws configure writes"
    known = session().available_profiles
    if PROFILE not in known:
        if near := [one for one in known if one.lower().startswith("work")]:
            return NotYet(
                looks_at, ", ".join(near), f"the profile {PROFILE}", "compare the two names"
            )
        return NotAttempted(looks_at)
    if "default" not in known:
        return NotYet(
            "the profiles in the files that aws configure writes",
            ", ".join(known),
            PROFILE_FACTS[-1].says,
            "there is no default any more: aws configure, with no profile named, makes it again",
        )
    return unmet(named(PROFILE_FACTS, world.own_names), profiles) or Passed(
        f"Profile {PROFILE} has the key of default, in "
        f"{world.own_names.second_region}; default stays in"
        f" {world.region}.",
        "A second profile is a second set of answers, not a second user: lab 02 makes one.",
    )


@dataclass(frozen=True)
class Bucket:
    """The bucket of the second exercise; ``versioning`` is S3's own word for it, "" for none."""

    s3: Any
    name: str
    versioning: str


def _every_version(bucket: Bucket) -> Finding | None:
    if bucket.versioning == "Enabled":
        return None
    looked_at = f"versioning of bucket {bucket.name}"
    if not bucket.versioning:
        return Finding(looked_at, "never switched on", "a new bucket keeps the newest version only")
    if bucket.versioning == "Suspended":
        return Finding(
            looked_at, bucket.versioning, "suspended means: from now on, no new versions"
        )
    return Finding(
        looked_at,
        bucket.versioning,
        "S3 on AWS knows two words for this, and refuses any other: spelling counts, capitals too",
    )


def _none_expires(bucket: Bucket) -> Finding | None:
    try:
        rules = bucket.s3.get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        return None
    if not any(
        one["Status"] == "Enabled" and "NoncurrentVersionExpiration" in one for one in rules
    ):
        return None
    return Finding(
        f"the lifecycle rules of bucket {bucket.name}",
        "a rule by which old versions expire",
        "what expires is lost, too",
    )


BUCKET_FACTS = (
    Fact("the bucket must keep every version of a file", _every_version),
    Fact("nothing in it may be lost", _none_expires),
)


@check("01.2", BUCKET_FACTS)
def archive_keeps_versions(world: World) -> Outcome:
    name = f"{BUCKET}-{world.account}"
    s3 = world.client("s3")
    try:
        found = s3.get_bucket_versioning(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        mine = [one["Name"] for one in s3.list_buckets()["Buckets"]]
        if near := sorted(one for one in mine if "archive" in one):
            return NotYet(
                "the names of your buckets",
                ", ".join(near),
                f"the bucket {BUCKET}- and your account number",
                f"your account number is {world.account}: is it the end of the name?",
            )
        return NotAttempted(f"bucket {name}")
    bucket = Bucket(s3, name, str(found.get("Status", "")))
    return unmet(BUCKET_FACTS, bucket) or Passed(
        f"{name} keeps every version of a file.",
        "Versions cost storage, and who may delete them is another question: lab 02.",
    )
