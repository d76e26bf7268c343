"""Checks of lab 02: what two users may do, tried with IAM's simulator."""

from __future__ import annotations

from typing import Any

from labs_helpers.checks import permissions
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.permissions import Permission
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

CI = "labs-ci"
INTERN = "labs-intern"
READERS = "labs-readers"
LOGIN = Permission("ecr:GetAuthorizationToken")
PUSH = (
    "BatchCheckLayerAvailability",
    "InitiateLayerUpload",
    "UploadLayerPart",
    "CompleteLayerUpload",
    "PutImage",
)
PULL = ("BatchGetImage", "GetDownloadUrlForLayer")
ANYTHING_ELSE = (
    Permission("iam:CreateUser"),
    Permission("s3:ListAllMyBuckets"),
    Permission("ecr:CreateRepository"),
)
SCOPE = "Tried with IAM's simulator, which looks at the user's policies and at no repository's."


@check("02.1")
def ci_pushes_to_one_repository(world: World) -> Outcome:
    iam = world.client("iam")
    try:
        has = permissions.direct(iam, CI) + permissions.groups(iam, CI)
    except iam.exceptions.NoSuchEntityException:
        return NotAttempted(f"user {CI}", "there is no such user yet: create it first")
    if not has:
        return NotYet(
            f"the policies of {CI} and of its groups",
            "none",
            "push and pull on payments/api",
            "aws iam put-user-policy gives it one from a file",
        )
    if permissions.first_refused(iam, CI, world.region, [LOGIN]):
        return _not_allowed(
            CI, LOGIN, "without it there is no login; it names no repository, so its resource is *"
        )
    if missing := permissions.first_refused(
        iam, CI, world.region, _on(world, "payments/api", *PUSH, *PULL)
    ):
        return _not_allowed(
            CI, missing, "compare the actions and the ARN with push-demo-app.json, letter by letter"
        )
    more = _on(world, "payments/api", "BatchDeleteImage", "DeleteRepository")
    if too_much := _too_much(world, iam, CI, more):
        return too_much
    return Passed(
        f"{CI} may push to and pull from payments/api, and nothing else that was tried.", SCOPE
    )


@check("02.2")
def intern_pulls_through_a_group(world: World) -> Outcome:
    iam = world.client("iam")
    try:
        direct = permissions.direct(iam, INTERN)
    except iam.exceptions.NoSuchEntityException:
        return NotAttempted(
            f"user {INTERN}",
            "there is no such user any more: lab.restart() makes it, and starts the lab over",
        )
    found = permissions.groups(iam, INTERN)
    if not found and direct:
        return NotAttempted(
            f"the groups and policies of {INTERN}", "it is in no group yet: make one first"
        )
    if found != [READERS]:
        return NotYet(
            f"the groups of {INTERN}",
            ", ".join(found) or "none",
            READERS,
            "aws iam add-user-to-group and remove-user-from-group change them",
        )
    if direct:
        return NotYet(
            f"the policies on {INTERN} itself",
            ", ".join(direct),
            "none",
            "the group adds a right and takes none away: detach what the user has itself",
        )
    needed = [LOGIN, *_on(world, world.repository, *PULL)]
    if missing := permissions.first_refused(iam, INTERN, world.region, needed):
        return _not_allowed(
            READERS, missing, "a login names no repository (*), a pull names this one"
        )
    more = _on(world, world.repository, "PutImage", "DescribeImages", "DeleteRepository")
    if too_much := _too_much(world, iam, INTERN, more):
        return too_much
    return Passed(
        f"{INTERN} may pull from {world.repository}, through the group {READERS}, and no more.",
        SCOPE,
    )


def _on(world: World, repository: str, *actions: str) -> list[Permission]:
    arn = f"arn:aws:ecr:{world.region}:{world.account}:repository/{repository}"
    return [Permission(f"ecr:{action}", arn) for action in actions]


def _not_allowed(who: str, what: Permission, suggestion: str) -> NotYet:
    return NotYet(f"what the policies of {who} allow", "not allowed", str(what), suggestion)


def _too_much(world: World, iam: Any, user: str, more: list[Permission]) -> NotYet | None:
    """The first permission that the user should not have: in `more`, another team's, any other."""
    another = _on(world, "another-teams/repository", "PutImage", "BatchGetImage")
    tried = [*more, *another, *ANYTHING_ELSE]
    allowed = permissions.first_allowed(iam, user, world.region, tried)
    if allowed is None:
        return None
    return NotYet(
        "what the policies allow beyond the work",
        f"{allowed}: allowed",
        "not allowed",
        "least privilege: the actions one by one, and the resource as a whole ARN",
    )
