"""Lab 10 starts from two versions of the application in the registry, and deploys them."""

import json
from dataclasses import replace

from labs_helpers.defaults import REPOSITORY
from labs_helpers.prepare import ecs_service, networks
from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import (
    IN_ECR,
    built,
    logged_out,
    no_local_images,
    pushed,
    take_names,
)
from labs_helpers.prepare.ecs import no_cluster, no_task_definition
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.load_balancers import no_load_balancer, no_target_group
from labs_helpers.prepare.people import no_role
from labs_helpers.prepare.repositories import empty_repository
from labs_helpers.prepare.step import Place, Step

VERSIONS = {"1.0.0": "10", "1.1.0": "10/next"}
LOCAL = (IN_ECR, "demo-app")
_NO_LOCAL_IMAGES = no_local_images(*LOCAL)
POD = "io.kubernetes.pod.name"
"""The label of a pod's containers."""
_PREFIX = "k8s_"
"""How their names begin: an image can bring the label, too."""


def _nothing_deployed(place: Place) -> None:
    no_cluster("demo").ensure(place)
    no_load_balancer("front").ensure(place)
    for color in ("blue", "green"):
        no_target_group(f"front-{color}").ensure(place)
    for family in ("demo-app", "shop"):
        no_task_definition(family).ensure(place)
    for role in ("demo-app-execution", "shop-execution", "demo-app-front", "demo-app-node"):
        no_role(role).ensure(place)


def _no_local_images(place: Place) -> None:
    """The tasks go first: they are containers, and Docker keeps what a container uses."""
    no_cluster("demo").ensure(place)
    _NO_LOCAL_IMAGES.ensure(place)


def _no_pods(place: Place) -> None:
    """No container of a pod, and no record of pods; see labs_helpers/pods."""
    for one in place.docker.containers.list(all=True, filters={"label": POD}):
        if not one.name.startswith(_PREFIX):
            continue
        one.remove(force=True, v=True)
        place.removed.append(f"container {one.name}")
    (place.workspace.sandbox / "pods.json").unlink(missing_ok=True)


def _images(place: Place) -> None:
    for version, folder in VERSIONS.items():
        built(f"demo-app:{version}", folder).ensure(place)
        pushed(REPOSITORY, version, f"demo-app:{version}").ensure(place)
    # these images were for the registry only: they are not the learner's, so nothing is said
    take_names(place, LOCAL, [])


def _lacks_an_image(place: Place) -> bool:
    ecr = place.client("ecr")
    try:
        pages = ecr.get_paginator("list_images").paginate(repositoryName=REPOSITORY)
        return not set(VERSIONS) <= set(pages.search("imageIds[].imageTag"))
    except ecr.exceptions.RepositoryNotFoundException:
        return True


def _reachable(place: Place) -> None:
    """network.json names a security group that lets visitors in; the default one lets nobody in."""
    network = networks.of_a_task(place, ecs_service.GROUP)
    file = place.workspace.work("10") / "network.json"
    # the lesson writes the subnet
    network["subnets"] = json.loads(file.read_text("utf-8"))["awsvpcConfiguration"]["subnets"]
    file.write_text(json.dumps({"awsvpcConfiguration": network}, indent=2) + "\n", "utf-8")


STEPS = (
    configured(),
    Step(
        "nothing is deployed: no cluster demo, and no role for its tasks",
        _nothing_deployed,
        on_aws=False,
    ),
    Step("no pod runs", _no_pods, on_aws=False),
    replace(empty_repository(), passing=True),
    Step(
        f"repository {REPOSITORY} exists, with the images 1.0.0 and 1.1.0 only",
        _images,
        _lacks_an_image,
    ),
    replace(_NO_LOCAL_IMAGES, ensure=_no_local_images),
    logged_out(),
    as_they_came(
        "10",
        "the lab's files are as they came",
        made=(
            *("my-network.json", "my-front.json", "next.json"),
            *("no-such-image.json", "no-such-repository.json"),
        ),
    ),
    Step(
        f"the security group {ecs_service.GROUP} lets everybody in at port {networks.PORT}, and "
        "network.json names the group",
        _reachable,
        in_sandbox=False,
    ),
)
