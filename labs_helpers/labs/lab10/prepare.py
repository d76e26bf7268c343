"""Lab 10 starts from what a learner leaves behind: a small set, the same every time."""

import json
from typing import Any

from labs_helpers.defaults import REPOSITORY
from labs_helpers.prepare.buckets import no_bucket
from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import (
    IN_ECR,
    built,
    logged_out,
    no_local_images,
    pushed,
    take_names,
)
from labs_helpers.prepare.people import no_role, no_user, user_with
from labs_helpers.prepare.repositories import empty_repository, no_repository
from labs_helpers.prepare.step import Place, Step

USER = "labs-ci"
LOCAL = (IN_ECR, "demo-app")
OLD, NEW = "demo-app:old", "demo-app:1.0.0"


def _made(place: Place) -> dict[str, list[str]]:
    path = place.files / "10" / "made-by-the-labs.json"
    found: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _no_other_repository(place: Place) -> None:
    for name in _made(place)["repositories"]:
        no_repository(name).ensure(place)


def _no_user_or_role(place: Place) -> None:
    made = _made(place)
    for user in made["users"]:
        no_user(user).ensure(place)
    for role in made["roles"]:
        no_role(role).ensure(place)


def _no_task_definition(place: Place) -> None:
    ecs: Any = place.client("ecs")
    for family in _made(place)["task definitions"]:
        for arn in ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]:
            ecs.deregister_task_definition(taskDefinition=arn)
            place.removed.append(f"task definition {arn.rpartition('/')[2]}")


def _user(place: Place) -> None:
    user_with(USER, "AmazonEC2ContainerRegistryPowerUser").ensure(place)
    place.client("iam").create_access_key(UserName=USER)


def _bucket(place: Place) -> None:
    s3, name = place.client("s3"), f"labs-cli-{place.account}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": place.region})
    s3.put_object(Bucket=name, Key="notes.txt", Body=b"a note of lab 01\n")


def _leftovers(place: Place) -> None:
    for step in (
        empty_repository(),
        empty_repository("team-a/api"),
        built(OLD, "07"),
        pushed(REPOSITORY, "1.0.0", OLD),
        built(NEW, "10"),
        pushed(REPOSITORY, "1.0.0", NEW),
        pushed("team-a/api", "latest", NEW),
    ):
        step.ensure(place)
    # these images were for the registry only: they are not the learner's, so nothing is said
    take_names(place, (*LOCAL, f"{place.registry}/team-a/api"), [])
    _user(place)
    _bucket(place)


def _nothing_of_the_labs(place: Place) -> None:
    _no_other_repository(place)
    _no_user_or_role(place)
    _no_task_definition(place)
    for beginning in ("labs-cli", "labs-archive"):
        no_bucket(beginning).ensure(place)


# on AWS the lab cleans up what is there; it makes nothing to delete
STEPS = (
    configured(),
    Step("nothing is left of the labs but what follows", _nothing_of_the_labs, on_aws=False),
    Step(
        "repositories demo-app-repo and team-a/api with images, a user and a bucket",
        _leftovers,
        on_aws=False,
    ),
    no_local_images(*LOCAL),
    logged_out(),
)
