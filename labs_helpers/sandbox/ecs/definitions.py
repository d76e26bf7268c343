"""A task definition: validated as ECS does, completed by ECS's defaults.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from labs_helpers.sandbox.ecs import fargate
from labs_helpers.sandbox.ecs.errors import Refused
from labs_helpers.sandbox.ecs.naming import Document, Place, arn
from labs_helpers.sandbox.service.errors import not_here

_FAMILY = re.compile(r"[\w-]{1,255}", re.ASCII)
_CONTAINER = re.compile(r"[\w-]{1,255}", re.ASCII)
_MOST_CONTAINERS = 10
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""


_IMAGE = re.compile(r"[\w:./#@-]{1,255}", re.ASCII)
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html#ECS-Type-ContainerDefinition-image"""
_PID_MODE = (
    "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for "
    "pidMode is 'task'."
)
_KEPT = (
    *("family", "taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities"),
    *("runtimePlatform", "ephemeralStorage"),
)
_NOT_HERE: Mapping[str, str] = {
    "volumes": "A container has the files of its image, and what it writes.",
    "proxyConfiguration": "There is no App Mesh.",
    "inferenceAccelerators": "There is no accelerator.",
    "ipcMode": "Each container has an IPC namespace of its own.",
    "pidMode": "Each container sees its own processes only.",
    "enableFaultInjection": "Stop a task with StopTask instead.",
    "trustedExecutionConfiguration": "There is no Nitro enclave.",
}
_NOT_HERE_OF_CONTAINER: Mapping[str, str] = {
    "repositoryCredentials": "Images come from ECR and from the stand-in for public registries.",
    "links": "Containers of a task reach each other at localhost.",
    "restartPolicy": "A service replaces its tasks.",
    "environmentFiles": "Use environment or secrets.",
    "mountPoints": "A container has the files of its image, and what it writes.",
    "volumesFrom": "A container has the files of its image, and what it writes.",
    "privileged": "A container gets no rights on this machine.",
    "dnsServers": "A container's network leads nowhere outside.",
    "dnsSearchDomains": "A container's network leads nowhere outside.",
    "extraHosts": "Containers of a task reach each other at localhost.",
    "hostname": "The host name of a container is its ID.",
    "disableNetworking": "A container's network leads nowhere outside.",
    "dockerSecurityOptions": "The engine's own isolation always holds.",
    "interactive": "Nobody attaches to a task.",
    "pseudoTerminal": "Nobody attaches to a task.",
    "ulimits": "The engine sets no limits but that of processes.",
    "systemControls": "A container may not change settings of the kernel.",
    "resourceRequirements": "There is no GPU.",
    "firelensConfiguration": "Logs go to CloudWatch Logs with awslogs.",
    "credentialSpecs": "There is no Active Directory.",
}
_NOT_HERE_OF_LINUX: Mapping[str, str] = {
    "capabilities": "A container has the capabilities that Docker gives.",
    "devices": "A container gets no device of this machine.",
    "sharedMemorySize": "A container has 64 MiB of shared memory.",
    "tmpfs": "A container has the files of its image, and what it writes.",
    "maxSwap": "A container has no swap space of its own.",
    "swappiness": "A container has no swap space of its own.",
}
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinuxParameters.html"""


def register(
    params: Mapping[str, Any], revision: int, place: Place, by: str, at: float
) -> Document:
    """The new revision; by: the caller's ARN. Raises Refused, NotHere."""
    family = params["family"]
    if not _FAMILY.fullmatch(family):
        raise Refused(
            "Family contains invalid characters or exceeds 255 characters: use letters, digits, "
            "hyphens and underscores."
        )
    wants = params.get("requiresCompatibilities") or []
    if "FARGATE" in wants and params.get("pidMode") == "host":
        raise Refused(_PID_MODE)
    _refuse(params, _NOT_HERE, "")
    containers = [_container(each) for each in params["containerDefinitions"]]
    _check_containers(containers)
    mode = params.get("networkMode")
    for each in wants:
        if each not in ("EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"):
            raise Refused(f"Invalid compatibility: {each}")
    why_not = fargate.why_not(params, containers)
    if "FARGATE" in wants and why_not:
        raise Refused(why_not)
    found: Document = {name: params[name] for name in _KEPT if name in params}
    for name in ("cpu", "memory"):
        if params.get(name):
            found[name] = str(fargate.units(params[name], name))
    if "FARGATE" not in wants and "memory" not in found:
        _check_memory(containers)
    compatibilities = ["EC2"] + ([] if why_not else ["FARGATE"])
    return found | {
        "taskDefinitionArn": arn(place, f"task-definition/{family}:{revision}"),
        "revision": revision,
        "status": "ACTIVE",
        "containerDefinitions": containers,
        "volumes": [],
        "placementConstraints": list(params.get("placementConstraints") or []),
        **({"networkMode": mode} if mode else {}),
        "compatibilities": compatibilities,
        "requiresAttributes": [],
        "registeredAt": at,
        "registeredBy": by,
        "_tags": list(params.get("tags") or []),
    }


def _container(given: Mapping[str, Any]) -> Document:
    """A container definition with its defaults."""
    name, image = given.get("name") or "", given.get("image") or ""
    if not name:
        raise Refused("Container.name should not be null or empty.")
    if not _CONTAINER.fullmatch(name):
        raise Refused(
            f"Invalid container name: {name}. Use letters, digits, hyphens and underscores, at "
            "most 255 of them."
        )
    if not image:
        raise Refused("Container.image should not be null or empty.")
    if not _IMAGE.fullmatch(image):
        raise Refused("Container.image contains invalid characters.")
    _refuse(given, _NOT_HERE_OF_CONTAINER, f"containerDefinitions ({name}).")
    linux = given.get("linuxParameters") or {}
    _refuse(linux, _NOT_HERE_OF_LINUX, f"containerDefinitions ({name}).linuxParameters.")
    if (logs := given.get("logConfiguration")) is not None:
        _check_logs(logs)
    for port in given.get("portMappings") or []:
        if port.get("containerPortRange"):
            raise not_here("containerPortRange", "Name each port.")
    check = given.get("healthCheck")
    if check is not None and (check.get("command") or [""])[0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise Refused("Health check command must begin with CMD or CMD-SHELL.")
    ports = [{"protocol": "tcp", **port} for port in given.get("portMappings") or []]
    return {
        **given,
        "cpu": given.get("cpu", 0),
        "essential": given.get("essential", True),
        "portMappings": ports,
        "environment": list(given.get("environment") or []),
        "mountPoints": [],
        "volumesFrom": [],
        **({"healthCheck": _health_check(check)} if check else {}),
    }


def _health_check(check: Mapping[str, Any]) -> Document:
    return {"interval": 30, "timeout": 5, "retries": 3, **check}


def _check_logs(logs: Mapping[str, Any]) -> None:
    driver, options = logs["logDriver"], logs.get("options") or {}
    if driver != "awslogs":
        raise not_here(f"the log driver {driver}", "Use awslogs.")
    if logs.get("secretOptions"):
        raise not_here("secretOptions of awslogs", "The driver has no secret option.")
    for name in ("awslogs-group", "awslogs-region"):
        if not options.get(name):
            raise Refused(f"Log driver awslogs requires options: {name}")


def _check_containers(containers: list[Document]) -> None:
    if not containers:
        raise Refused("Container list cannot be empty.")
    if len(containers) > _MOST_CONTAINERS:
        raise Refused(f"Too many containers: at most {_MOST_CONTAINERS} per task definition.")
    names = [each["name"] for each in containers]
    if len(set(names)) < len(names):
        raise Refused("Container names must be unique within a task definition.")
    if not any(each["essential"] for each in containers):
        raise Refused("No essential container was specified: mark one container essential.")
    for each in containers:
        for needed in each.get("dependsOn") or []:
            if needed["containerName"] not in names or needed["containerName"] == each["name"]:
                raise Refused(
                    f"Invalid dependsOn of the container {each['name']}: there is no other "
                    f"container {needed['containerName']}."
                )
    order(containers)


def order(containers: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names in the order of their start: what a container depends on comes first.

    Raises Refused for containers that wait for each other.
    """
    waiting = {
        each["name"]: {needed["containerName"] for needed in each.get("dependsOn") or []}
        for each in containers
    }
    found: list[str] = []
    while waiting:
        ready = [name for name, needs in waiting.items() if needs <= set(found)]
        if not ready:
            raise Refused("Containers have a circular dependency.")
        found += ready
        for name in ready:
            del waiting[name]
    return found


def _check_memory(containers: list[Document]) -> None:
    for each in containers:
        if not each.get("memory") and not each.get("memoryReservation"):
            raise Refused(
                f"Invalid setting for container '{each['name']}'. At least one of 'memory' or "
                "'memoryReservation' must be specified."
            )


def _refuse(given: Mapping[str, Any], table: Mapping[str, str], prefix: str) -> None:
    for name, why in table.items():
        if given.get(name):
            raise not_here(f"{prefix}{name}", why)


def check_platform(definition: Mapping[str, Any]) -> None:
    """Raise NotHere for an operating system that is not Linux."""
    family = (definition.get("runtimePlatform") or {}).get("operatingSystemFamily", "LINUX")
    if family != "LINUX":
        raise not_here(f"operatingSystemFamily {family}", "Containers here are Linux.")
