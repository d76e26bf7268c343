"""Lab 14 starts from what the learner has, and adds what its exercise needs.

A service runs, and its cluster, its role and its repository hold something, so that none goes at
the first word. Only a beginning that is made over takes away what other labs left.
"""

from __future__ import annotations

from dataclasses import replace

import docker.errors

from labs_helpers.defaults import REPOSITORY
from labs_helpers.labs.deployment import beginning, web
from labs_helpers.labs.deployment.names import CLUSTER, ROLE, WEB
from labs_helpers.prepare import ecs_service
from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.repositories import empty_repository
from labs_helpers.prepare.step import Place, Step

_EMPTY = empty_repository()


def _images(place: Place) -> None:
    if not beginning.lacks_a_version(place):
        return
    try:
        beginning.bring_versions_back(place)
    except docker.errors.APIError:
        if place.mode != "sandbox":
            raise
        # a policy or a setting that the learner gave the repository is in the way
        _EMPTY.ensure(place)
        beginning.push_versions(place)


def _holds_a_policy(place: Place) -> bool:
    """Whether the execution role is there, and something hangs on it."""
    iam = place.client("iam")
    try:
        return bool(iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"])
    except iam.exceptions.NoSuchEntityException:
        return False


def _web(place: Place) -> None:
    if not web.service(place).get("runningCount"):
        web.make(place)
    elif not _holds_a_policy(place):
        ecs_service.execution_role(place, ROLE)


STEPS = (
    configured(),
    replace(beginning.NOTHING_DEPLOYED, over=True, passing=True),
    replace(_EMPTY, gone=None, over=True, on_aws=False, passing=True),
    beginning.NO_PODS,
    as_they_came("14", "prices.json of lab 03 is as it came", ("prices.json",), of="03"),
    Step(
        f"repository {REPOSITORY} has the images 1.0.0 and 1.1.0 at least",
        _images,
        beginning.lacks_a_version,
        back=beginning.bring_versions_back,
    ),
    Step(
        f"the service {WEB} of the cluster {CLUSTER} runs, by the role {ROLE}",
        _web,
        web.gone,
        back=web.bring_back,
        lost=web.lost,
        costs=web.costs,
    ),
)
