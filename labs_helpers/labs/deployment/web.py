"""The service web, as lab 10 leaves it and labs 12 and 14 begin with it."""

from __future__ import annotations

from typing import Any

from labs_helpers.defaults import REPOSITORY
from labs_helpers.labs.deployment.names import CLUSTER, FAMILY, RELEASE, ROLE, WEB
from labs_helpers.prepare import ecs_service
from labs_helpers.prepare.ecs import clusters, services
from labs_helpers.prepare.step import Place

TASKS = 2


def service(place: Place) -> dict[str, Any]:
    """The service, as DescribeServices answers; empty without it."""
    if CLUSTER not in clusters(place) or WEB not in services(place, CLUSTER):
        return {}
    found = place.client("ecs").describe_services(cluster=CLUSTER, services=[WEB])
    return dict(found["services"][0])


def make(place: Place) -> None:
    """The service runs the release in its tasks, by a new revision and a new execution role.

    An earlier service of its name is removed. Raises LabsError where the tasks do not run.
    """
    ecs_service.remove(place, CLUSTER, WEB)
    _serve(place, ecs_service.execution_role(place, ROLE))


def bring_back(place: Place) -> None:
    """The service that is gone runs the release again, and nothing is taken away for it.

    Role and revisions that are there stay. Raises LabsError where the tasks do not run.
    """
    _serve(place, ecs_service.role_that_pulls(place, ROLE))


def _serve(place: Place, role: str) -> None:
    image = f"{place.registry}/{REPOSITORY}:{RELEASE}"
    definition = ecs_service.define(place, FAMILY, WEB, image, role)
    ecs_service.serve(place, CLUSTER, WEB, definition, wanted=TASKS)


def gone(place: Place) -> bool:
    """Whether there is no such service (`Step.gone`)."""
    return bool(lost(place))


def lost(place: Place) -> str:
    """The service in words, once it is gone (`Step.lost`)."""
    return ecs_service.lost(place, CLUSTER, WEB)


def costs(place: Place) -> str:
    """What the service costs on AWS, in words (`Step.costs`)."""
    return ecs_service.hourly(place, TASKS)
