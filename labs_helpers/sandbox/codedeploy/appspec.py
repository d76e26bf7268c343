"""An AppSpec file for Amazon ECS, read and checked.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
Names of sections and properties are found whether they begin with a capital or not: the template of
`aws ecs deploy` has both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.service.errors import NotHere

_BEGINS = (
    "The deployment failed because the AppSpec file that specifies the deployment configuration is "
    "missing or has an invalid configuration. "
)
"""https://github.com/aws/aws-cli/issues/6267"""
_KIND = "AWS::ECS::Service"
_PROPERTIES = {
    *("taskdefinition", "loadbalancerinfo", "platformversion", "networkconfiguration"),
    "capacityproviderstrategy",
}
_NETWORK = {
    "subnets": "subnets",
    "securitygroups": "securityGroups",
    "assignpublicip": "assignPublicIp",
}


class Invalid(Exception):
    """What is wrong with an AppSpec file, in AWS's words where they are known."""

    def __init__(self, what: str) -> None:
        super().__init__(_BEGINS + what)


def read(content: str) -> dict[str, Any]:
    """{"taskDefinition", "container", "port", "network"}; network: networkConfiguration or {}.

    Raises Invalid, and NotHere for hooks, which are Lambda functions.
    """
    import yaml  # not at the start, which nobody should wait for

    try:
        found = yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError) as error:
        raise Invalid(
            "The input AppSpec file is a not well-formed yaml. The template cannot be parsed."
        ) from error
    top = _named(found, "The AppSpec file")
    if str(top.get("version", "")) not in ("0.0", "0", "1", "1.0"):
        raise Invalid("The version of the AppSpec file must be 0.0.")
    unknown = set(top) - {"version", "resources", "hooks"}
    if unknown:
        raise Invalid(f"The AppSpec file has sections of no ECS deployment: {sorted(unknown)}.")
    if top.get("hooks"):
        raise NotHere(
            "The sandbox does not have hooks of an AppSpec file, which are AWS Lambda functions; "
            "they exist on AWS. Take the section Hooks out, and test on the test listener while "
            "deploymentReadyOption lets the deployment wait."
        )
    return _service(top.get("resources"))


def _service(resources: Any) -> dict[str, Any]:
    if not isinstance(resources, list) or len(resources) != 1:
        raise Invalid("The section Resources must list exactly one service.")
    named = resources[0]
    if not isinstance(named, Mapping) or len(named) != 1:
        raise Invalid("Resources must list one name, with Type and Properties below the name.")
    body = _named(next(iter(named.values())), "The resource")
    if body.get("type") != _KIND:
        raise Invalid(f"The Type of the resource must be {_KIND}.")
    properties = _named(body.get("properties"), "Properties")
    unknown = set(properties) - _PROPERTIES
    if unknown:
        raise Invalid(f"Properties has names of no ECS service: {sorted(unknown)}.")
    definition = properties.get("taskdefinition")
    if not isinstance(definition, str) or not definition:
        raise Invalid("TaskDefinition must be the ARN of a task definition.")
    balancer = _named(properties.get("loadbalancerinfo"), "LoadBalancerInfo")
    container, port = balancer.get("containername"), balancer.get("containerport")
    if not isinstance(container, str) or not container:
        raise Invalid("ContainerName of LoadBalancerInfo must be the name of a container.")
    if isinstance(port, str) and port.isdecimal():
        port = int(port)
    if not isinstance(port, int) or isinstance(port, bool):
        raise Invalid("ContainerPort of LoadBalancerInfo must be a number.")
    if properties.get("capacityproviderstrategy"):
        raise Invalid("The sandbox has no capacity providers but FARGATE: name none.")
    if str(properties.get("platformversion") or "LATEST") not in ("LATEST", "1.4.0"):
        raise Invalid("The sandbox has the PlatformVersion LATEST, which is 1.4.0, only.")
    return {
        "taskDefinition": definition,
        "container": container,
        "port": port,
        "network": _network(properties.get("networkconfiguration")),
    }


def _network(given: Any) -> dict[str, Any]:
    if not given:
        return {}
    inner = _named(given, "NetworkConfiguration").get("awsvpcconfiguration")
    found = _named(inner, "AwsvpcConfiguration of NetworkConfiguration")
    unknown = set(found) - set(_NETWORK)
    if unknown or not isinstance(found.get("subnets"), list):
        raise Invalid("AwsvpcConfiguration must have Subnets, SecurityGroups, AssignPublicIp.")
    return {
        "awsvpcConfiguration": {_NETWORK[name]: value for name, value in found.items() if value}
    }


def _named(given: Any, what: str) -> dict[str, Any]:
    """A mapping with its names in small letters; raises Invalid for anything else."""
    if not isinstance(given, Mapping):
        raise Invalid(f"{what} must be a mapping of names to values.")
    return {str(name).lower(): value for name, value in given.items()}
