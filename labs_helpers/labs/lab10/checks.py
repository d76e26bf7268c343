"""Checks of lab 10: a task definition that names one image, and an account without leftovers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

FAMILY = "demo-app"
ROLE = "demo-app-execution"
REPOSITORIES = (
    "demo-app-repo",
    "hello-labs",
    "mirror/nginx",
    "myapp",
    "payments/api",
    "team-a/api",
)
USERS = ("labs-ci",)
ROLES = ("demo-app-build", ROLE, "demo-app-github", "demo-app-pipeline")
BUCKETS = ("labs-archive", "labs-cli")
"""Prefixes of bucket names; the account's number follows."""


@check("10.1")
def runs_one_image(world: World) -> Outcome:
    ecs = world.client("ecs")
    if not (arns := _active(ecs)):
        return NotAttempted(
            f"the task definitions of {FAMILY}",
            "none is registered: run the cells above, then yours",
        )
    newest = max(arns, key=lambda arn: int(arn.rpartition(":")[2]))
    definition = ecs.describe_task_definition(taskDefinition=newest)["taskDefinition"]
    image = str(definition["containerDefinitions"][0].get("image", ""))
    name, _, digest = image.partition("@")
    looked_at = f"the image in the newest revision of {FAMILY}"
    wanted = f"{world.host()}/{world.repository}@sha256:..."
    if not digest:
        short = image.rpartition("/")[2]
        return NotAttempted(looked_at, f"it is {short}, a tag: register one that names a digest")
    if name != f"{world.host()}/{world.repository}":
        return NotYet(looked_at, image, wanted, "before the @ stands the repository, without a tag")
    missing = _cannot_pull(world, digest)
    if missing:
        return NotYet(looked_at, f"{image}\n{missing}", wanted, "ask describe-images for 1.0.0")
    if not str(definition.get("executionRoleArn", "")).endswith(f":role/{ROLE}"):
        return NotYet(
            f"the execution role of {FAMILY}",
            str(definition.get("executionRoleArn", "none")),
            f"arn:aws:iam::{world.account}:role/{ROLE}",
            "without it Fargate has no right to pull: use the file task-definition.json",
        )
    return Passed(
        f"Every task of {FAMILY} starts from this one image, and the registry has it.",
        "Whether it serves anything, only a running task shows.",
    )


def _cannot_pull(world: World, digest: str) -> str:
    """The registry's error for a pull of the digest; empty when the registry has the manifest."""
    answer = world.ask_registry(world.host(), world.fresh_login()).manifest(
        world.repository, digest
    )
    return "" if answer.status == 200 else answer.says()


@check("10.2")
def nothing_left(world: World) -> Outcome:
    left = _left(world)
    looked_at = "what the labs made, by name"
    if not left:
        return Passed(
            "Nothing of the labs is left, so nothing can cost.",
            "Only the names in made-by-the-labs.json were looked for, in this one region.",
        )
    if f"repository {world.repository}" in left and f"user {USERS[0]}" in left:
        return NotAttempted(looked_at, f"there are {len(left)} things still: the receipt has them")
    return NotYet(looked_at, "\n".join(left), "nothing", _advice(left))


def _left(world: World) -> list[str]:
    iam = world.client("iam")
    buckets = [f"{beginning}-{world.account}" for beginning in BUCKETS]
    there = {
        "repository": _there(
            world.client("ecr"),
            "describe_repositories",
            "repositories[].repositoryName",
            REPOSITORIES,
        ),
        "user": _there(iam, "list_users", "Users[].UserName", USERS),
        "role": _there(iam, "list_roles", "Roles[].RoleName", ROLES),
        "bucket": _there(world.client("s3"), "list_buckets", "Buckets[].Name", buckets),
        "task definition": [arn.rpartition("/")[2] for arn in _active(world.client("ecs"))],
    }
    return [f"{kind} {name}" for kind, names in there.items() for name in names]


def _there(client: Any, operation: str, query: str, names: Iterable[str]) -> list[str]:
    """Which of ``names`` are in the answers of a paginated operation, sorted."""
    listed = client.get_paginator(operation).paginate().search(query)
    return sorted(set(names) & set(listed))


def _active(ecs: Any) -> list[str]:
    pages = ecs.get_paginator("list_task_definitions").paginate(familyPrefix=FAMILY)
    return sorted(pages.search("taskDefinitionArns[]"))


def _advice(left: list[str]) -> str:
    kind = left[0].partition(" ")[0]
    return {
        "repository": "delete-repository takes --force when there are images",
        "user": "first its access keys and policies, then the user: the message says which",
        "role": "detach its policies first: list-attached-role-policies names them",
        "bucket": "aws s3 rb takes --force when there are files",
    }.get(kind, "deregister-task-definition takes one revision at a time, name:number")
