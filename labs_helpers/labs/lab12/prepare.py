"""Lab 12 starts from what lab 10 leaves: a service that runs release 1.1.0 in two tasks."""

from __future__ import annotations

from dataclasses import replace

from labs_helpers.defaults import REPOSITORY
from labs_helpers.labs.deployment import beginning, web
from labs_helpers.labs.deployment.names import (
    BALANCER,
    CLUSTER,
    FAMILY,
    FRONT,
    RELEASE,
    WEB,
)
from labs_helpers.prepare import ecs_service
from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.ecs import no_task_definition
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.load_balancers import balancer_arn
from labs_helpers.prepare.repositories import empty_repository
from labs_helpers.prepare.step import Place, Step


def _versions(place: Place) -> None:
    if beginning.lacks_a_version(place):
        if not _runs(place):
            # the tasks of another lab's service are containers, and Docker keeps their images
            ecs_service.remove(place, CLUSTER, WEB)
        empty_repository().ensure(place)
        beginning.push_versions(place)


def _runs(place: Place) -> bool:
    """Whether the service of lab 10 is there with its tasks, by the execution role of that lab."""
    found = web.service(place)
    family = str(found.get("taskDefinition", "")).rpartition("/")[2].partition(":")[0]
    return family == FAMILY and found["runningCount"] == found["desiredCount"] == web.TASKS


def _web(place: Place) -> None:
    if _runs(place):
        return
    ecs_service.remove(place, CLUSTER, WEB)
    no_task_definition(FAMILY).ensure(place)
    web.make(place)


_MADE = "my-front.json"
"""What the lesson writes when the load balancer is there."""


def _cleaned_up(place: Place) -> str:
    """The service front in words, once the lesson has made what it needs and that is gone."""
    made = (place.workspace.work("12") / _MADE).exists()
    if not made or balancer_arn(place.client("elbv2"), BALANCER):
        return ""
    lost = ecs_service.lost(place, CLUSTER, FRONT)
    return f"{lost} with its load balancer" if lost else ""


STEPS = (
    configured(),
    replace(beginning.NOTHING_IN_FRONT, cleaned_up=_cleaned_up),
    beginning.NO_PODS,
    Step(
        f"repository {REPOSITORY} has the images 1.0.0 and 1.1.0",
        _versions,
        beginning.lacks_a_version,
        back=beginning.bring_versions_back,
    ),
    as_they_came("12", "the lab's files are as they came", made=(_MADE, "next.json")),
    as_they_came(
        "12",
        "task-definition.json and network.json of lab 10 are as they came",
        ("network.json", "task-definition.json"),
        made=("my-network.json",),
        of="10",
    ),
    beginning.reachable("12"),
    Step(
        f"the service {WEB} of the cluster {CLUSTER} runs {RELEASE} in {web.TASKS} tasks",
        _web,
        web.gone,
        back=web.bring_back,
        lost=web.lost,
        costs=web.costs,
    ),
)
