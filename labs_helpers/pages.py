"""Links to the pages that a container, a service of ECS or a load balancer serves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import boto3
import docker.errors

from labs_helpers import deliveries
from labs_helpers.control_client import Control
from labs_helpers.display import page
from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.errors import LabError
from labs_helpers.prepare.ecs import public_address, tasks_of


def page_of(
    name: str,
    port: int | None,
    client: Any,
    control: Control | None,
    environ: Mapping[str, str],
    balancers: Collection[str],
) -> Rendering:
    """A link to the page of a container, or of a load balancer.

    port: of a load balancer's listener, by default the lowest; client: the Docker SDK's; control:
    of the sandbox, None on AWS; balancers: the names that the labs give load balancers. Raises
    LabError where nothing serves such a page.
    """
    if port is not None or not has_container(client, name):
        shown = balancer_page(name, port, control, environ)
        if shown is not None:
            return shown
    return container_page(client, name, environ, name in balancers)


def container_page(
    client: Any, name: str, environ: Mapping[str, str], balancer: bool = False
) -> Rendering:
    """A link to the page that a running container serves on its first published port.

    balancer: whether the labs call a load balancer so. Raises LabError for a container that does
    not run, or publishes no port.
    """
    try:
        found = client.containers.get(name)
    except docker.errors.NotFound:
        if balancer:
            raise LabError(
                f"There is no load balancer {name}: `aws elbv2 describe-load-balancers` lists "
                "those that there are. The lesson's cell that makes this one makes it again."
            ) from None
        raise LabError(
            f"There is no container and no load balancer {name}. `docker ps -a` lists containers, "
            "`aws elbv2 describe-load-balancers` load balancers. A container with a page: docker "
            f"run -d --name {name} -p 8080:80 IMAGE. A service of ECS needs its cluster, too: "
            f'lab.open("{name}", cluster="demo").'
        ) from None
    published = [
        (int(inside.partition("/")[0]), int(places[0]["HostPort"]))
        for inside, places in sorted(found.ports.items())
        if places
    ]
    if found.status != "running":
        raise LabError(f"The container {name} does not run. docker logs {name} may say why.")
    if not published:
        raise LabError(f"The container {name} publishes no port: run it with -p 8080:80.")
    inside, outside = published[0]
    return _shown(page.page(name, inside, page.address(outside, environ)), environ)


def has_container(client: Any, name: str) -> bool:
    """Whether a container has the name."""
    try:
        client.containers.get(name)
    except docker.errors.NotFound:
        return False
    return True


def service_page(name: str, cluster: str, environ: Mapping[str, str]) -> Rendering:
    """A link to the page that a running task of a service serves on its first port.

    The port is one of this machine's in the sandbox; on AWS the task has an address of its own.
    Raises LabError where there is no such service, and where no task of it serves a page.
    """
    ecs = boto3.client("ecs")
    found = deliveries.described(ecs, name, cluster)
    tasks = [one for one in tasks_of(ecs, found, cluster) if one["lastStatus"] == "RUNNING"]
    bindings = [
        port
        for task in tasks
        for container in task["containers"]
        for port in container.get("networkBindings", ())
    ]
    if bindings:
        inside = bindings[0]["containerPort"]
        where = page.address(bindings[0]["hostPort"], environ)
    else:
        address = public_address(boto3.client("ec2"), tasks[0]) if tasks else ""
        if not address:
            raise LabError(
                f"No running task of the service {name} has a port on this machine, or a public "
                f'address. lab.service("{name}", "{cluster}") shows its tasks, and why tasks '
                "stopped."
            )
        inside = _port_of(ecs, tasks[0]["taskDefinitionArn"])
        where = f"http://{address}:{inside}/"
    return _shown(page.page(f"a task of the service {name}", inside, where), environ)


def _port_of(ecs: Any, definition: str) -> int:
    """The first port of a task definition's first container."""
    described = ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    return int(described["containerDefinitions"][0]["portMappings"][0]["containerPort"])


def balancer_page(
    name: str, port: int | None, control: Control | None, environ: Mapping[str, str]
) -> Rendering | None:
    """A link to what a load balancer serves; None where there is no load balancer of the name.

    port: of a listener, by default the lowest; control: of the sandbox, None on AWS. Raises
    LabError for a load balancer without such a listener.
    """
    elb = boto3.client("elbv2")
    try:
        found = elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]
    except elb.exceptions.LoadBalancerNotFoundException:
        return None
    arn = found["LoadBalancerArn"]
    listeners = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    ports = sorted(each["Port"] for each in listeners)
    if not ports or port not in (None, *ports):
        listed = ", ".join(map(str, ports)) or "none"
        raise LabError(
            f"The load balancer {name} has no such listener; its ports are: {listed}. "
            "aws elbv2 create-listener adds one."
        )
    inside = port or ports[0]
    if control is None:
        return page.page(name, inside, f"http://{found['DNSName']}:{inside}/")
    here = {
        each["port"]: int(each["address"].rpartition(":")[2])
        for balancer in control.ask("GET", "balancing")["balancers"]
        if balancer["arn"] == arn
        for each in balancer["listeners"]
    }
    return _shown(page.page(name, inside, page.address(here[inside], environ)), environ)


def _shown(drawn: Rendering, environ: Mapping[str, str]) -> Rendering:
    """The link as text where a program compares outputs: the port is another at each start."""
    return paragraph(drawn.text) if environ.get("LABS_START") else drawn
