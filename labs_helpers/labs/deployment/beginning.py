"""What labs 10, 12 and 14 begin with: two versions of the application in the registry, no pod."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from labs_helpers.defaults import REPOSITORY
from labs_helpers.labs.deployment.names import (
    BALANCER,
    CLUSTER,
    FAMILY,
    FRONT,
    FRONTS_ROLE,
    NODES_ROLE,
    ROLES,
    SHOP,
    TARGET_GROUPS,
)
from labs_helpers.prepare import ecs_service, networks
from labs_helpers.prepare.docker import IN_ECR, built, no_local_images, pushed, take_names
from labs_helpers.prepare.ecs import no_cluster, no_task_definition
from labs_helpers.prepare.load_balancers import no_load_balancer, no_target_group
from labs_helpers.prepare.people import no_role
from labs_helpers.prepare.repositories import empty_repository
from labs_helpers.prepare.step import Place, Step

VERSIONS = {"1.0.0": "10", "1.1.0": "10/next"}
"""The folder of each version, in the files of the labs."""
_LOCAL = (IN_ECR, "demo-app")
_REPOSITORY = empty_repository()
_NO_LOCAL_IMAGES = no_local_images(*_LOCAL)
_POD = "io.kubernetes.pod.name"
"""The label of a pod's containers."""
_PREFIX = "k8s_"
"""How their names begin: an image can bring the label, too."""


def _nothing_deployed(place: Place) -> None:
    no_cluster(CLUSTER).ensure(place)
    _no_balancer(place)
    for family in (FAMILY, SHOP):
        no_task_definition(family).ensure(place)
    for role in ROLES:
        no_role(role).ensure(place)


def _nothing_in_front(place: Place) -> None:
    ecs_service.remove(place, CLUSTER, FRONT)
    _no_balancer(place)
    for role in (FRONTS_ROLE, NODES_ROLE):
        no_role(role).ensure(place)


def _no_balancer(place: Place) -> None:
    no_load_balancer(BALANCER).ensure(place)
    for group in TARGET_GROUPS:
        no_target_group(group).ensure(place)


def _no_local_images(place: Place) -> None:
    """The tasks go first: they are containers, and Docker keeps what a container uses."""
    no_cluster(CLUSTER).ensure(place)
    _NO_LOCAL_IMAGES.ensure(place)


def _no_pods(place: Place) -> None:
    """No container of a pod, and no record of pods; see labs_helpers/pods."""
    for one in place.docker.containers.list(all=True, filters={"label": _POD}):
        if not one.name.startswith(_PREFIX):
            continue
        one.remove(force=True, v=True)
        place.removed.append(f"container {one.name}")
    (place.workspace.sandbox / "pods.json").unlink(missing_ok=True)


def push_versions(place: Place, wanted: Collection[str] = tuple(VERSIONS)) -> None:
    """The versions are in the repository, which is there. Raises APIError for a refused push."""
    names = [name.replace("$REGISTRY", place.registry) for name in _LOCAL]
    learners = {tag for name in names for one in place.docker.images.list(name) for tag in one.tags}
    taken: list[str] = []
    try:
        for version in wanted:
            built(f"demo-app:{version}", VERSIONS[version]).ensure(place)
            pushed(REPOSITORY, version, f"demo-app:{version}").ensure(place)
    finally:
        # these images were for the registry only: only what is the learner's is said
        take_names(place, _LOCAL, taken)
        place.removed.extend(one for one in taken if one.removeprefix("image ") in learners)


def bring_versions_back(place: Place) -> None:
    """Push the versions that are missing; the repository's other images and settings stay.

    Raises APIError for a push that a policy or a setting of the repository refuses.
    """
    if _REPOSITORY.gone is not None and _REPOSITORY.gone(place):
        _REPOSITORY.ensure(place)
    push_versions(place, missing_versions(place))


def lacks_a_version(place: Place) -> bool:
    """Whether the repository is missing, or one of the versions in it."""
    return bool(missing_versions(place))


def missing_versions(place: Place) -> list[str]:
    """The versions that are not in the repository; all where there is none."""
    ecr = place.client("ecr")
    try:
        pages = ecr.get_paginator("list_images").paginate(repositoryName=REPOSITORY)
        there = set(pages.search("imageIds[].imageTag"))
    except ecr.exceptions.RepositoryNotFoundException:
        there = set()
    return [version for version in VERSIONS if version not in there]


NOTHING_DEPLOYED = Step(
    "nothing is deployed: no cluster demo, and no role for its tasks",
    _nothing_deployed,
    on_aws=False,
)
NOTHING_IN_FRONT = Step(
    "no load balancer front, and no role of a Kubernetes node", _nothing_in_front, on_aws=False
)
NO_PODS = Step("no pod runs", _no_pods, on_aws=False)
NO_LOCAL_IMAGES = replace(_NO_LOCAL_IMAGES, ensure=_no_local_images)


def reachable(number: str) -> Step:
    """On AWS network.json names a security group that lets visitors in."""

    def ensure(place: Place) -> None:
        network = networks.of_a_task(place, ecs_service.GROUP)
        file = place.workspace.work(number) / "network.json"
        # the lesson writes the subnet
        network["subnets"] = json.loads(file.read_text("utf-8"))["awsvpcConfiguration"]["subnets"]
        file.write_text(json.dumps({"awsvpcConfiguration": network}, indent=2) + "\n", "utf-8")

    return Step(
        f"the security group {ecs_service.GROUP} lets everybody in at port {networks.PORT}, and "
        "network.json names the group",
        ensure,
        in_sandbox=False,
    )
