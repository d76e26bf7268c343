"""What labs 09, 11 and 13 begin with: no pipeline, and a service of ECS that runs release 1.0.0."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from labs_helpers.defaults import REPOSITORY
from labs_helpers.labs.delivery.names import (
    BUCKET,
    BY_TAG,
    CLUSTER,
    CONNECTION,
    EXECUTION_ROLE,
    FAMILY,
    FAMILY_BY_TAG,
    GITHUB,
    LOG_GROUPS,
    OF_OTHER_LABS,
    PIPELINE,
    PROJECTS,
    QUEUE,
    ROLES,
    RULE,
    SERVICE,
    SOURCE_REPOSITORY,
)
from labs_helpers.prepare import ecs_service, source_repository
from labs_helpers.prepare.buckets import no_bucket
from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import (
    IN_ECR,
    built,
    logged_out,
    no_local_images,
    pushed,
    take_names,
)
from labs_helpers.prepare.ecs import no_task_definition
from labs_helpers.prepare.logs import no_log_group
from labs_helpers.prepare.people import no_role
from labs_helpers.prepare.repositories import empty_repository, no_scanning_rules
from labs_helpers.prepare.step import Place, Step


def _nothing_defined(place: Place) -> None:
    _no_pipeline(place)
    _no_rule(place)
    for role in ROLES:
        no_role(role).ensure(place)
    iam = place.client("iam")
    provider = f"arn:aws:iam::{place.account}:oidc-provider/{GITHUB}"
    with suppress(iam.exceptions.NoSuchEntityException):
        iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
        place.removed.append(f"identity provider {GITHUB}")
    no_bucket(BUCKET).ensure(place)


def _no_pipeline(place: Place) -> None:
    """No pipeline, project or connection; each is looked for first, to say what was removed."""
    pipelines, builds = place.client("codepipeline"), place.client("codebuild")
    with suppress(pipelines.exceptions.PipelineNotFoundException):
        pipelines.get_pipeline(name=PIPELINE)
        pipelines.delete_pipeline(name=PIPELINE)
        place.removed.append(f"pipeline {PIPELINE}")
    for one in builds.batch_get_projects(names=list(PROJECTS))["projects"]:
        builds.delete_project(name=one["name"])
        place.removed.append(f"build project {one['name']}")
    for group in LOG_GROUPS:
        no_log_group(place, group)
    connections = place.client("codeconnections")
    for one in connections.list_connections()["Connections"]:
        if one["ConnectionName"] == CONNECTION:
            connections.delete_connection(ConnectionArn=one["ConnectionArn"])
            place.removed.append(f"connection {CONNECTION}")
    if place.mode != "sandbox":
        source_repository.remove(place, SOURCE_REPOSITORY)


def _no_rule(place: Place) -> None:
    events, queues = place.client("events"), place.client("sqs")
    with suppress(events.exceptions.ResourceNotFoundException):
        targets = events.list_targets_by_rule(Rule=RULE)["Targets"]
        if targets:
            events.remove_targets(Rule=RULE, Ids=[one["Id"] for one in targets])
        events.delete_rule(Name=RULE)
        place.removed.append(f"event rule {RULE}")
    for url in queues.list_queues(QueueNamePrefix=QUEUE).get("QueueUrls", []):
        if url.endswith(f"/{QUEUE}"):
            queues.delete_queue(QueueUrl=url)
            place.removed.append(f"queue {QUEUE}")


_EMPTY = empty_repository()
_RELEASE = "1.0.0"
_LOCAL = no_local_images(IN_ECR)


def _no_local_images(place: Place) -> None:
    """The services go first: their tasks are containers, and Docker keeps what a container uses."""
    of_others = OF_OTHER_LABS if place.mode == "sandbox" else ()  # on AWS they are in nobody's way
    for service in (SERVICE, BY_TAG, *of_others):
        ecs_service.remove(place, CLUSTER, service)
    for family in (FAMILY, FAMILY_BY_TAG):
        no_task_definition(family).ensure(place)
    _LOCAL.ensure(place)


def _image(place: Place) -> str:
    return f"{place.registry}/{REPOSITORY}:{_RELEASE}"


def _first_image(place: Place) -> None:
    """The repository scans on push, and has the image of release 1.0.0."""
    place.client("ecr").put_image_scanning_configuration(
        repositoryName=REPOSITORY, imageScanningConfiguration={"scanOnPush": True}
    )
    image = _image(place)
    for step in (built(image, "06"), pushed(REPOSITORY, _RELEASE, image)):
        step.ensure(place)


def _first_release(place: Place) -> None:
    """The repository scans on push, and the service runs the image of release 1.0.0."""
    _first_image(place)
    # the image was for the registry only: it is not the learner's, so nothing is said
    take_names(place, (f"{place.registry}/{REPOSITORY}",), [])
    _serve(place, ecs_service.execution_role(place, EXECUTION_ROLE))


def _first_release_again(place: Place) -> None:
    """The service that is gone runs release 1.0.0 again; image and role that are there stay."""
    tagged = f"imageIds[?imageTag=='{_RELEASE}']"
    pages = place.client("ecr").get_paginator("list_images").paginate(repositoryName=REPOSITORY)
    if not list(pages.search(tagged)):
        _first_image(place)
    _serve(place, ecs_service.role_that_pulls(place, EXECUTION_ROLE))


def _serve(place: Place, role: str) -> None:
    definition = ecs_service.define(place, FAMILY, SERVICE, _image(place), role)
    ecs_service.serve(place, CLUSTER, SERVICE, definition)


BEFORE = (
    configured(),
    replace(_EMPTY, fact=f"repository {REPOSITORY} exists, without images of yours"),
    replace(no_scanning_rules(), fact="the registry sets no scanning rules for all repositories"),
    replace(_LOCAL, ensure=_no_local_images),
    logged_out(),
)
"""The steps before the lab's files are laid out."""
AFTER = (
    Step(
        "no pipeline, build project, log group, connection, rule or bucket of demo-app",
        _nothing_defined,
    ),
    Step(
        f"the service {SERVICE} on ECS runs release 1.0.0; {REPOSITORY} itself scans each push",
        _first_release,
        lambda place: bool(ecs_service.lost(place, CLUSTER, SERVICE)),
        back=_first_release_again,
        lost=lambda place: ecs_service.lost(place, CLUSTER, SERVICE),
        costs=ecs_service.hourly,
    ),
)
"""The steps after them."""
