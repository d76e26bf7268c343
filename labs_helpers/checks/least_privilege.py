"""What to try on a user who should have the rights for one repository, and no others.

Two sources: requests that nobody with these rights should be able to make, whatever the policies
say; and the patterns in the user's own policies. A pattern with a wildcard covers something else
than the one repository, so a request for that something is made up from the pattern. IAM's
simulator decides each of them in each context that a request can have, so a Deny that takes a broad
Allow back counts.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.checks import ecr_actions
from labs_helpers.checks.permissions import Permission, listed, of_ecr
from labs_helpers.checks.request_context import filled
from labs_helpers.checks.world import session

ELSEWHERE = "111122223333"
"""An account that is nobody's: AWS's documentation uses the number in its examples."""

OTHER_SERVICES = (
    "iam:CreateUser",
    "iam:PutUserPolicy",
    "iam:PassRole",
    "sts:AssumeRole",
    "s3:ListAllMyBuckets",
    "s3:GetObject",
    "ec2:RunInstances",
    "kms:Decrypt",
    "secretsmanager:GetSecretValue",
    "ecr-public:CreateRepository",
)


@dataclass(frozen=True)
class Work:
    """What a user is to do: ``actions`` of ECR on one repository, and a login.

    ``name`` is the repository's name, ``actions`` are names without "ecr:".
    """

    account: str
    region: str
    name: str
    actions: tuple[str, ...]

    @property
    def arn(self) -> str:
        return self.arn_of(self.name)

    def arn_of(self, name: str, region: str = "", account: str = "") -> str:
        """The ARN of a repository, by default of this region and account."""
        return f"arn:aws:ecr:{region or self.region}:{account or self.account}:repository/{name}"

    def needed(self, actions: Iterable[str]) -> list[Permission]:
        """Permissions for these actions on the repository."""
        return [Permission(f"ecr:{action}", self.arn, self.region) for action in actions]

    @property
    def login(self) -> Permission:
        return Permission(f"ecr:{ecr_actions.LOGIN}", "*", self.region)

    def covers(self, one: Permission) -> bool:
        """Whether the permission belongs to the work. A login is for no region in particular."""
        action = one.action.lower()
        if action == f"ecr:{ecr_actions.LOGIN}".lower():
            return True
        names = {f"ecr:{name}".lower() for name in self.actions}
        return one.resource == self.arn and action in names


def beyond(
    work: Work, statements: Iterable[Mapping[str, Any]], known: Mapping[str, str]
) -> list[Permission]:
    """Permissions that are not part of the work, the riskiest of each kind first.

    ``statements`` are those of the user's policies, ``known`` the condition keys of its requests.
    """
    others = of_ecr(ecr_actions.ALL, work.arn, work.region)
    tried = [*others, *_other_places(work), *_other_services(work)]
    for one in _allows(statements):
        tried += _of_statement(work, one, known)
    return [one for one in dict.fromkeys(tried) if not work.covers(one)]


def of_other_accounts(
    work: Work, statements: Iterable[Mapping[str, Any]], known: Mapping[str, str]
) -> str:
    """The first resource of an Allow statement that covers another account's; "" for none.

    The simulator refuses such a request for want of a policy on the other side, so the pattern has
    to say it. ``*`` alone is left to the simulator: a statement for logins has it.
    """
    for statement in _allows(statements):
        if _only_here(work, statement, known):
            continue
        for pattern in listed(statement.get("Resource", [])):
            parts = filled(str(pattern), known).split(":", 5)
            if len(parts) == 6 and parts[4] != work.account and parts[2] != "s3":
                return str(pattern)
    return ""


def _allows(statements: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (one for one in statements if one.get("Effect") == "Allow")


def _only_here(work: Work, statement: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    """Whether a condition of the statement holds it to resources of the work's account."""
    return any(
        key.lower() == "aws:resourceaccount"
        and all(filled(str(one), known) == work.account for one in listed(values))
        for operator, tests in dict(statement.get("Condition") or {}).items()
        if operator.lower() in ("stringequals", "stringlike", "stringequalsignorecase")
        for key, values in tests.items()
    )


def neighbours(name: str) -> list[str]:
    """Names of other repositories, near enough for a loose pattern to cover them too."""
    space, _, last = name.rpartition("/")
    beside = [f"{space}/web", space, last, f"{space}-{last}"] if space else []
    return [
        *(f"{name}2", f"{name}-dev", f"{name}/v2", f"my{name}", f"team/{name}", name[:-1]),
        *beside,
        "another-teams/repository",
    ]


def _other_places(work: Work) -> Iterator[Permission]:
    regions = [one for one in ("us-east-1", "us-west-1", "eu-west-1") if one != work.region]
    for action in work.actions:
        for name in neighbours(work.name):
            yield Permission(f"ecr:{action}", work.arn_of(name), work.region)
        for region in regions:
            yield Permission(f"ecr:{action}", work.arn_of(work.name, region), region)


def _other_services(work: Work) -> Iterator[Permission]:
    for action in OTHER_SERVICES:
        yield Permission(action, "*", work.region)


def _of_statement(
    work: Work, statement: Mapping[str, Any], known: Mapping[str, str]
) -> Iterator[Permission]:
    """What a statement's own patterns cover."""
    actions = [name for one in listed(statement.get("Action", [])) for name in _actions(str(one))]
    patterns = [filled(str(one), known) for one in listed(statement.get("Resource", []))]
    if "NotResource" in statement:
        patterns = [work.arn_of("x")]
    for action in actions or ("ecr:DeleteRepository", "ecr:PutImage", "s3:GetObject"):
        for pattern in patterns:
            if resource := _resource(work, action, pattern):
                yield Permission(action, resource, _region(resource) or work.region)


def _actions(pattern: str) -> list[str]:
    """Actions that a pattern covers: a few of those that AWS has, the riskiest of ECR first."""
    service, _, name = pattern.partition(":")
    if not any(mark in pattern for mark in "*?"):
        return [pattern] if name else []
    if fnmatch.fnmatchcase("ecr", service.lower()):
        return [f"ecr:{one}" for one in ecr_actions.ALL if _matches(one, name or "*")]
    found = [one for one in OTHER_SERVICES if _matches(one, pattern)]
    if not found and service in session().get_available_services():
        model = session(region="us-east-1").client(service).meta.service_model
        found = [f"{service}:{one}" for one in model.operation_names if _matches(one, name)]
    return found[:3] or [_filled(pattern)]


def _matches(text: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(text.lower(), pattern.lower().replace("[", "[[]"))


def _resource(work: Work, action: str, pattern: str) -> str:
    """A resource that a pattern covers for this action, not the one repository if that can be.

    "" where the pattern grants the action nothing: a repository's ARN and an action on none.
    """
    service, _, name = action.partition(":")
    on_repository = service.lower() == "ecr" and not _of_the_registry(name)
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        if "*" not in pattern:
            return pattern
        return work.arn_of("x") if on_repository else "*"
    if (service.lower() == "ecr") != _matches("ecr", parts[2]) or _of_the_registry(name):
        return ""
    partition, service, region, account, rest = parts[1:]
    elsewhere = session().get_available_regions("ecr")
    regions = [one for one in elsewhere if one != work.region]
    return ":".join(
        (
            "arn",
            _covered(partition, ["aws"]),
            _covered(service, ["ecr"]),
            _covered(region, regions),
            _covered(account, [ELSEWHERE]),
            _filled(rest),
        )
    )


def _covered(pattern: str, instead: list[str]) -> str:
    """What a part of an ARN covers: the first of ``instead`` that does, where it has a wildcard."""
    if not any(mark in pattern for mark in "*?"):
        return pattern
    return next((one for one in instead if _matches(one, pattern)), _filled(pattern))


def _region(resource: str) -> str:
    parts = resource.split(":", 5)
    return parts[3] if len(parts) == 6 else ""


def _filled(pattern: str) -> str:
    """A text that a pattern covers: an x for each wildcard."""
    return pattern.replace("*", "x").replace("?", "x")


def _of_the_registry(name: str) -> bool:
    return name.lower() in {one.lower() for one in ecr_actions.OF_THE_REGISTRY}
