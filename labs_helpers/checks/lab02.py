"""Checks of lab 02: what the policies of two users allow, read from IAM."""

from __future__ import annotations

from labs_helpers.checks import policies
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.policies import Document
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

CI = "labs-ci"
INTERN = "labs-intern"
READERS = "labs-readers"
PUSH = (
    "BatchCheckLayerAvailability",
    "InitiateLayerUpload",
    "UploadLayerPart",
    "CompleteLayerUpload",
    "PutImage",
)
PULL = ("BatchGetImage", "GetDownloadUrlForLayer")
ANYTHING_ELSE = ("iam:CreateUser", "s3:GetObject", "ecr:CreateRepository")


@check("02.1")
def ci_pushes_to_one_repository(world: World) -> Outcome:
    iam = world.client("iam")
    try:
        iam.get_user(UserName=CI)
    except iam.exceptions.NoSuchEntityException:
        return NotAttempted(f"user {CI}", "there is no such user yet: create it first")
    documents = policies.of_user(iam, CI)
    if not documents:
        return NotYet(
            f"the policies of {CI} and of its groups",
            "none",
            "push and pull on payments/api",
            "aws iam put-user-policy gives it one from a file",
        )
    if not policies.allows(documents, "ecr:GetAuthorizationToken", "*"):
        return _not_allowed(
            CI,
            "ecr:GetAuthorizationToken on *",
            "without it there is no login; it names no repository, so its resource is *",
        )
    wanted = _repository(world, "payments/api")
    for action in (*PUSH, *PULL):
        if not policies.allows(documents, f"ecr:{action}", wanted):
            return _not_allowed(
                CI,
                f"ecr:{action} on {wanted}",
                "compare the actions and the ARN with push-demo-app.json, letter by letter",
            )
    if too_much := _too_much(world, documents, ("BatchDeleteImage", "DeleteRepository"), wanted):
        return too_much
    return Passed(
        f"{CI} may push to and pull from payments/api, and nothing else that was tried.",
        "The check read the policies. It did not look at conditions or at repository policies.",
    )


@check("02.2")
def intern_pulls_through_a_group(world: World) -> Outcome:
    iam = world.client("iam")
    try:
        direct = policies.direct(iam, INTERN)
    except iam.exceptions.NoSuchEntityException:
        return NotAttempted(f"user {INTERN}", 'run  lab = start("02")  again: it makes the user')
    found = policies.groups(iam, INTERN)
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
            f"{len(direct)}",
            "none",
            "the group adds a right and takes none away: detach what the user has itself",
        )
    documents = policies.by_group(iam, READERS)
    anywhere = _repository(world, world.repository)
    asked = [("GetAuthorizationToken", "*"), *((action, anywhere) for action in PULL)]
    for action, resource in asked:
        if not policies.allows(documents, f"ecr:{action}", resource):
            return _not_allowed(
                READERS, f"ecr:{action}", "which of the four managed policies is for pulling?"
            )
    if too_much := _too_much(
        world, documents, ("PutImage", "DescribeImages", "DeleteRepository"), anywhere
    ):
        return too_much
    return Passed(
        f"{INTERN} may pull, through the group {READERS}, and has no policy of its own.",
        "The check read the policies. A push by the intern is refused on AWS, not here.",
    )


def _repository(world: World, name: str) -> str:
    return f"arn:aws:ecr:{world.region}:{world.account}:repository/{name}"


def _not_allowed(who: str, what: str, suggestion: str) -> NotYet:
    return NotYet(f"what the policies of {who} allow", "not allowed", what, suggestion)


def _too_much(
    world: World, documents: list[Document], actions: tuple[str, ...], resource: str
) -> NotYet | None:
    """The first thing that is allowed and should not be: ``actions``, another team's, anything."""
    tried = [(f"ecr:{action}", resource) for action in actions]
    tried += [("ecr:PutImage", _repository(world, "another-teams/repository"))]
    tried += [(action, "*") for action in ANYTHING_ELSE]
    for action, on in tried:
        if policies.allows(documents, action, on):
            return NotYet(
                "what the policies allow beyond the work",
                f"{action} on {on}: allowed",
                "not allowed",
                "least privilege: the actions one by one, and the resource as a whole ARN",
            )
    return None
