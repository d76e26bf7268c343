"""Checks of lab 02: what two users may do, tried with IAM's simulator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from labs_helpers.checks import least_privilege, permissions
from labs_helpers.checks.ecr_actions import PULL, PUSH
from labs_helpers.checks.goal import Fact, Finding, unmet
from labs_helpers.checks.least_privilege import Work
from labs_helpers.checks.outcome import NotAttempted, NotYet, Outcome, Passed
from labs_helpers.checks.permissions import Permission
from labs_helpers.checks.run import check
from labs_helpers.checks.world import World

CI = "labs-ci"
PAYMENTS = "payments/api"
INTERN = "labs-intern"
READERS = "labs-readers"
AS_FOUND = "AmazonEC2ContainerRegistryFullAccess"
SCOPE = (
    "IAM's simulator tried every action of ECR here and its neighbours elsewhere, and each"
    " condition met and not met. It looks at the user's policies and at no others."
)


@dataclass(frozen=True)
class User:
    """A user, and the work that the user is to do."""

    world: World
    name: str
    work: Work

    @property
    def iam(self) -> Any:
        return self.world.client("iam")

    @cached_property
    def rights(self) -> permissions.User:
        return permissions.User(self.iam, self.name, self.world.now())

    def refused(self, wanted: Iterable[Permission], otherwise: str) -> Finding | None:
        """The first of these permissions that is missing; ``otherwise`` is what to think about."""
        refused = self.rights.first_refused(wanted)
        if refused is None:
            return None
        sometimes = self.rights.first_allowed([refused])
        return Finding(
            f"what the policies of {self.name} allow",
            f"{refused}: not allowed",
            "a statement allows it under a condition only: which requests do not meet this one?"
            if sometimes
            else otherwise,
        )


# labs-ci


def _has_a_policy(user: User) -> Finding | None:
    if permissions.direct(user.iam, CI) or permissions.groups(user.iam, CI):
        return None
    return Finding(
        f"the policies of {CI} and of its groups",
        "none",
        "a new user may do nothing until something allows it",
    )


def _logs_in(user: User) -> Finding | None:
    return user.refused(
        [user.work.login],
        "a login comes before everything else, and a token is for no repository in particular",
    )


def _pushes_and_pulls(user: User) -> Finding | None:
    return _does(user, (*PUSH, *PULL))


def _pulls(user: User) -> Finding | None:
    return _does(user, PULL)


def _does(user: User, actions: Iterable[str]) -> Finding | None:
    return user.refused(
        user.work.needed(actions),
        "this action is part of the work: does a statement name it, and is its resource this"
        " one, letter by letter?",
    )


def _nothing_else(user: User) -> Finding | None:
    statements = user.rights.statements
    tried = least_privilege.beyond(user.work, statements, user.rights.brings)
    allowed = user.rights.first_allowed([*tried, *user.rights.over_itself(user.work.region)])
    if allowed is None:
        return _in_other_accounts(user, statements) or _by_repository_policy(user)
    return Finding(
        f"what the policies of {user.name} allow beyond the work",
        f"{allowed}: allowed",
        _too_broad(user.work, allowed),
    )


def _too_broad(work: Work, allowed: Permission) -> str:
    if allowed.context:
        return "a condition takes nothing from the requests that meet it: who can make such a one?"
    service = allowed.action.partition(":")[0]
    if service != "ecr":
        return "which statement speaks of another service than ECR?"
    if allowed.resource in (work.arn, "*"):
        return "which statement covers this action, and does the work need it?"
    if allowed.resource.split(":")[3] != work.region:
        return "in which regions does that statement hold?"
    return "which repositories does the resource of that statement cover?"


def _in_other_accounts(user: User, statements: Iterable[Mapping[str, Any]]) -> Finding | None:
    pattern = least_privilege.of_other_accounts(user.work, statements, user.rights.brings)
    if not pattern:
        return None
    return Finding(
        f"the resources in the policies of {user.name}",
        pattern,
        "whose repositories does the resource of that statement cover?",
    )


def _by_repository_policy(user: User) -> Finding | None:
    """A repository policy that names the user adds rights, which the simulator does not see."""
    ecr = user.world.client("ecr")
    try:
        text = ecr.get_repository_policy(repositoryName=user.work.name)["policyText"]
    except (
        ecr.exceptions.RepositoryNotFoundException,
        ecr.exceptions.RepositoryPolicyNotFoundException,
    ):
        return None
    names = {"*", f"arn:aws:iam::{user.world.account}:user/{user.name}"}
    for statement in permissions.listed(json.loads(text)["Statement"]):
        principal = statement.get("Principal")
        if isinstance(principal, dict):
            principal = principal.get("AWS", [])
        if statement.get("Effect") == "Allow" and names & set(permissions.listed(principal)):
            return Finding(
                f"the repository policy of {user.work.name}",
                f"a statement that allows {user.name} something",
                "a right has more than one source: the policies of the user, and of the repository",
            )
    return None


CI_FACTS = (
    Fact("the user, with a policy", _has_a_policy),
    Fact("it pushes and pulls, so it can log in", _logs_in),
    Fact(f"it pushes to and pulls from the repository {PAYMENTS}", _pushes_and_pulls),
    Fact("and does nothing else: no other repository, no deleting", _nothing_else),
)


@check("02.1", CI_FACTS)
def ci_pushes_to_one_repository(world: World) -> Outcome:
    user = User(world, CI, Work(world.account, world.region, PAYMENTS, (*PUSH, *PULL)))
    try:
        user.iam.get_user(UserName=CI)
    except user.iam.exceptions.NoSuchEntityException:
        return NotAttempted(f"the user {CI}, and what it may do")
    return unmet(CI_FACTS, user) or Passed(
        f"{CI} may push to and pull from {PAYMENTS}, and nothing else that was tried.", SCOPE
    )


# labs-intern


def _in_the_group(user: User) -> Finding | None:
    found = permissions.groups(user.iam, INTERN)
    if READERS not in found:
        suggestion = "a group gives its rights to its members: who is one?"
    elif found != [READERS]:
        suggestion = f"another group gives rights, too: {READERS} was to be the only one"
    else:
        return None
    return Finding(f"the groups of {INTERN}", ", ".join(found) or "none", suggestion)


def _nothing_of_its_own(user: User) -> Finding | None:
    if not (found := permissions.direct(user.iam, INTERN)):
        return None
    return Finding(
        f"the policies on {INTERN} itself",
        ", ".join(found),
        "a group adds rights and takes none away: what the user has itself, it keeps",
    )


INTERN_FACTS = (
    Fact(f"rights only through a group named {READERS}", _in_the_group),
    Fact(f"rights only through a group named {READERS}", _nothing_of_its_own),
    Fact("the group may log in", _logs_in),
    Fact("and pull from demo-app-repo", _pulls),
    Fact("and no more", _nothing_else),
)


@check("02.2", INTERN_FACTS)
def intern_pulls_through_a_group(world: World) -> Outcome:
    work = Work(world.account, world.region, world.repository, (*PULL, PUSH[0]))
    user = User(world, INTERN, work)
    try:
        direct = permissions.direct(user.iam, INTERN)
    except user.iam.exceptions.NoSuchEntityException:
        return NotYet(
            f"the user {INTERN}",
            "there is no such user any more",
            INTERN_FACTS[0].says,
            "the user was to stay, with fewer rights: lab.restart() makes it again",
        )
    if direct == [AS_FOUND] and not permissions.groups(user.iam, INTERN) and not _readers(user):
        return NotAttempted(f"the groups of {INTERN}, its policies, and what they allow")
    return unmet(INTERN_FACTS, user) or Passed(
        f"{INTERN} may pull from {world.repository}, through the group {READERS}, and no more.",
        SCOPE,
    )


def _readers(user: User) -> bool:
    """Whether there is a group for the intern already."""
    pages = user.iam.get_paginator("list_groups").paginate()
    return READERS in pages.search("Groups[].GroupName")
