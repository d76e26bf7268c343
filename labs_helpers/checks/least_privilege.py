"""What to try on a user who should have the rights for one repository, and no others.

Two sources: requests that nobody with these rights should be able to make, whatever the policies
say; and the patterns in the user's own policies. A pattern with a wildcard covers something else
than the one repository, so a request for that something is made up from the pattern. IAM's
simulator decides each of them, so a Deny that takes a broad Allow back counts.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.checks import ecr_actions
from labs_helpers.checks.permissions import Context, Permission, listed
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


def beyond(work: Work, statements: Iterable[Mapping[str, Any]]) -> list[Permission]:
    """Permissions that are not part of the work, the riskiest of each kind first.

    ``statements`` are the Allow statements of the user's policies.
    """
    tried = [*_other_actions(work), *_other_places(work), *_other_services(work)]
    tried += [one for statement in statements for one in _of_statement(work, statement)]
    return [one for one in dict.fromkeys(tried) if not work.covers(one)]


def of_other_accounts(work: Work, statements: Iterable[Mapping[str, Any]]) -> str:
    """The first resource of an Allow statement that covers another account's; "" for none.

    The simulator refuses such a request for want of a policy on the other side, so the pattern has
    to say it. ``*`` alone is left to the simulator: a statement for logins has it.
    """
    for statement in statements:
        if "resourceaccount" in str(statement.get("Condition", "")).lower():
            continue
        for pattern in listed(statement.get("Resource", [])):
            parts = str(pattern).split(":", 5)
            if len(parts) == 6 and parts[4] != work.account and parts[2] != "s3":
                return str(pattern)
    return ""


def neighbours(name: str) -> list[str]:
    """Names of other repositories, near enough for a loose pattern to cover them too."""
    space, _, last = name.rpartition("/")
    beside = [f"{space}/web", space, last, f"{space}-{last}"] if space else []
    return [
        *(f"{name}2", f"{name}-dev", f"{name}/v2", f"my{name}", f"team/{name}", name[:-1]),
        *beside,
        "another-teams/repository",
    ]


def _other_actions(work: Work) -> Iterator[Permission]:
    for action in ecr_actions.ALL:
        yield Permission(f"ecr:{action}", work.arn, work.region)


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


def _of_statement(work: Work, statement: Mapping[str, Any]) -> Iterator[Permission]:
    """What a statement's own patterns cover, as its own condition wants the request to be."""
    actions = [name for one in listed(statement.get("Action", [])) for name in _actions(str(one))]
    patterns = [str(one) for one in listed(statement.get("Resource", []))]
    contexts = dict.fromkeys(((), _context(statement.get("Condition"))))
    if "NotResource" in statement:
        patterns = [work.arn_of("x")]
    for pattern in patterns:
        resource = _resource(work, pattern)
        region = _region(resource) or work.region
        for context in contexts:
            for action in actions or ("ecr:DeleteRepository", "ecr:PutImage", "s3:GetObject"):
                yield Permission(action, resource, region, context)


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


def _resource(work: Work, pattern: str) -> str:
    """A resource that a pattern covers, and that is not the one repository if that can be."""
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        return work.arn_of("x") if "*" in pattern else pattern
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


def _context(condition: Any) -> Context:
    """Condition keys with values for which the condition holds, as far as that can be read off.

    The region is left out: it is that of the resource.
    """
    found = {}
    for operator, tests in (condition or {}).items():
        for key, values in tests.items():
            value = str(listed(values)[0])
            found[key] = "x" if "Not" in operator else _filled(value)
    found = {key: value for key, value in found.items() if key.lower() != "aws:requestedregion"}
    return tuple(found.items())
