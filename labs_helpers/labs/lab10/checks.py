"""Checks of lab 10: a task definition that names one image, and an account without leftovers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.outcome import NotAttempted, Outcome, Passed
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

FAMILY = "demo-app"
RELEASE, NO_RELEASE = "1.0.0", "9.9.9"
FILE = Path("task-definition.json")
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


@dataclass(frozen=True)
class Revision:
    """The newest revision of the task definition, as ECS describes it."""

    world: World
    definition: dict[str, Any]

    @property
    def container(self) -> dict[str, Any]:
        return dict(self.definition["containerDefinitions"][0])

    @property
    def image(self) -> str:
        return str(self.container.get("image", ""))

    @property
    def repository(self) -> str:
        return f"{self.world.host()}/{self.world.repository}"

    @property
    def looked_at(self) -> str:
        return f"the image in the newest revision of {FAMILY}"


def _by_digest(revision: Revision) -> Finding | None:
    name, _, digest = revision.image.partition("@")
    if not digest:
        return Finding(revision.looked_at, revision.image, "this is a tag, and a tag can move")
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return Finding(
            revision.looked_at, revision.image, "a digest is sha256: and 64 digits from 0 to f"
        )
    if name != revision.repository:
        return Finding(
            revision.looked_at,
            revision.image,
            "before the @ stands the repository, with its registry and without a tag",
        )
    return None


def _of_the_release(revision: Revision) -> Finding | None:
    world, digest = revision.world, revision.image.partition("@")[2]
    tags = world.tags()
    if digest == tags.get(RELEASE):
        return None
    others = sorted(tag for tag, found in tags.items() if found == digest)
    found = f"the image of {', '.join(others)}" if others else "an image without a tag"
    registry = world.ask_registry(world.host(), world.fresh_login())
    answer = registry.manifest(world.repository, digest)
    if answer.status != 200:
        found = answer.says()
    return Finding(
        revision.looked_at, f"{revision.image}\n{found}", f"which digest has {RELEASE} now?"
    )


def _from_the_file(revision: Revision) -> Finding | None:
    """Every value of the file is in the revision, but for the two words that were replaced."""
    text = FILE.read_text(encoding="utf-8").replace("ACCOUNT", revision.world.account)
    wanted = json.loads(text)
    (container,) = wanted.pop("containerDefinitions")
    del container["image"]
    for here, there in ((wanted, revision.definition), (container, revision.container)):
        for name, value in here.items():
            if not _holds(there.get(name), value):
                return Finding(
                    f"{name} in the newest revision of {FAMILY}",
                    json.dumps(there.get(name)),
                    f"{FILE} has another value there: Fargate needs what the file says",
                )
    return None


def _holds(found: Any, wanted: Any) -> bool:
    """Whether what ECS describes holds what was registered: ECS adds its own defaults."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_holds(found.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(map(_holds, found, wanted))
        )
    return bool(found == wanted)


REVISION_FACTS = (
    Fact("one more revision, that names the image by digest", _by_digest),
    Fact(f"the image of {RELEASE}", _of_the_release),
    Fact(f"from {FILE}", _from_the_file),
)


@check("10.1", REVISION_FACTS)
def runs_one_image(world: World) -> Outcome:
    ecs = world.client("ecs")
    arns = _active(ecs)
    looks_at = f"the newest revision of {FAMILY}"
    if not arns:
        return NotAttempted(looks_at)
    newest = max(arns, key=lambda arn: int(arn.rpartition(":")[2]))
    definition = ecs.describe_task_definition(taskDefinition=newest)["taskDefinition"]
    revision = Revision(world, definition)
    by_the_lesson = [f"{revision.repository}:{tag}" for tag in (RELEASE, NO_RELEASE)]
    if revision.image in by_the_lesson[1:] or (len(arns) == 1 and revision.image in by_the_lesson):
        return NotAttempted(looks_at)
    return unmet(REVISION_FACTS, revision) or Passed(
        f"Every task of {FAMILY} starts from this one image, and the registry has it.",
        "Whether it serves anything, only a running task shows.",
    )


def _nothing(left: list[str]) -> Finding | None:
    if not left:
        return None
    return Finding("what the labs made, by name", "\n".join(left), _advice(left))


CLEAN_FACTS = (
    Fact(
        "delete the rest: repository, bucket, user, role and all revisions of the task definition",
        _nothing,
    ),
)


@check("10.2", CLEAN_FACTS)
def nothing_left(world: World) -> Outcome:
    left = _left(world)
    if {f"repository {world.repository}", f"user {USERS[0]}"} <= set(left) and (
        f"bucket {BUCKETS[-1]}-{world.account}" in left
    ):
        return NotAttempted("what the labs made, by name")
    return unmet(CLEAN_FACTS, left) or Passed(
        "Nothing of the labs is left, so nothing can cost.",
        "Only the names in made-by-the-labs.json were looked for, in this one region.",
    )


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
        "repository": "a repository that holds images goes only when you say that you mean it",
        "user": "a user goes when nothing hangs on it: the message of a refused deletion says what",
        "role": "a role goes when nothing hangs on it: what did this lab attach to it?",
        "bucket": "a bucket that holds files goes only when you say that you mean it",
    }.get(kind, "a task definition goes revision by revision, each by its number")
