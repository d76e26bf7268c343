"""A service of ECS that runs an image of the labs' repository, for a lab to begin with.

On AWS it runs in the account's default network, and costs money by the second.
"""

from __future__ import annotations

import json

from botocore.exceptions import WaiterError

from labs_helpers.files import LabsError
from labs_helpers.prepare import networks, prices
from labs_helpers.prepare.ecs import clusters, delete_service, services
from labs_helpers.prepare.people import MANAGED, no_role
from labs_helpers.prepare.step import Place

_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
_SUBNET = "subnet-of-the-labs"
"""The sandbox has no networks; ECS wants a name."""

GROUP = "demo-app-web"
"""The security group of the labs' tasks on AWS."""

_PATIENCE, _PATIENCE_ON_AWS = 90, 300
"""Seconds that the first task may take to run."""


def remove(place: Place, cluster: str, service: str) -> None:
    """No such service; its tasks are stopped."""
    if cluster in clusters(place) and service in services(place, cluster):
        delete_service(place, cluster, service)


def execution_role(place: Place, name: str) -> str:
    """The ARN of a new role with which ECS pulls images."""
    no_role(name).ensure(place)
    return role_that_pulls(place, name)


def role_that_pulls(place: Place, name: str) -> str:
    """The ARN of a role with AWS's policy for pulls; made where it is missing, and else kept."""
    iam = place.client("iam")
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException:
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_TRUST)["Role"]
    iam.attach_role_policy(
        RoleName=name, PolicyArn=f"{MANAGED}service-role/AmazonECSTaskExecutionRolePolicy"
    )
    return str(role["Arn"])


def define(place: Place, family: str, container: str, image: str, role: str) -> str:
    """A new revision of a task definition with one container on port 80; its ARN."""
    made = place.client("ecs").register_task_definition(
        family=family,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=role,
        containerDefinitions=[
            {"name": container, "image": image, "portMappings": [{"containerPort": 80}]}
        ],
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def serve(
    place: Place,
    cluster: str,
    service: str,
    definition: str,
    seconds: int | None = None,
    wanted: int = 1,
) -> None:
    """Make cluster and service, and wait for its tasks. Raises LabsError where they do not run."""
    ecs, on_aws = place.client("ecs"), place.mode != "sandbox"
    network = networks.of_a_task(place, GROUP) if on_aws else {"subnets": [_SUBNET]}
    ecs.create_cluster(clusterName=cluster)
    ecs.create_service(
        cluster=cluster,
        serviceName=service,
        taskDefinition=definition,
        desiredCount=wanted,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
    )
    delay, patience = (3, _PATIENCE_ON_AWS) if on_aws else (1, _PATIENCE)
    patience = seconds or patience
    try:
        ecs.get_waiter("services_stable").wait(
            cluster=cluster,
            services=[service],
            WaiterConfig={"Delay": delay, "MaxAttempts": patience // delay},
        )
    except WaiterError as error:
        (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
        said = [one["message"] for one in found["events"][:3]]
        raise LabsError(
            f"The service {service} does not run its first tasks: {'; '.join(said) or error}"
        ) from error


def lost(place: Place, cluster: str, service: str) -> str:
    """The service in words, once it is gone; empty while it is there (`Step.lost`)."""
    there = cluster in clusters(place) and service in services(place, cluster)
    return "" if there else f"the service {service} of the cluster {cluster}"


def hourly(place: Place, tasks: int = 1) -> str:
    """What a service of so many tasks costs on AWS, in words (`Step.costs`)."""
    address = "a public address" if tasks == 1 else "public addresses"
    return (
        f"about {tasks * prices.task_hour(place.workspace):.3f} USD an hour until you clean up, "
        f"with {address} at which everybody can read the page"
    )
