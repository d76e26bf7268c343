"""Deployment controllers: what a service may have and change where CodeDeploy deploys the service.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentController.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecs import strategies, task_sets
from labs_helpers.sandbox.ecs.errors import InvalidParameter
from labs_helpers.sandbox.service.errors import not_here

_CONTROLLERS = "Use ECS, which deploys by itself, or CODE_DEPLOY."
_OF_CODE_DEPLOY: Mapping[str, str] = {
    "taskDefinition": "Unable to update task definition",
    "networkConfiguration": "Unable to update network parameters",
    "platformVersion": "Unable to update platform version",
    "loadBalancers": "Unable to update load balancers",
    "forceNewDeployment": "Cannot force a new deployment",
}
"""What UpdateService does not change where CodeDeploy deploys, and how AWS's refusal begins.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
https://github.com/boto/boto3/issues/1936 (task definition)
https://github.com/kayac/ecspresso/issues/393 (load balancers)
The sentence on forced deployments is one that users quote; the other two are made like these.
"""


def of(params: Mapping[str, Any], usual: str = "ECS") -> str:
    """The deployment controller that a request asks for; raises NotHere for EXTERNAL."""
    controller = str((params.get("deploymentController") or {}).get("type", usual))
    if controller not in ("ECS", task_sets.CODE_DEPLOY):
        raise not_here(f"the deployment controller {controller}", _CONTROLLERS)
    return controller


def check_service(config: Mapping[str, Any], listed: Sequence[Any]) -> None:
    """Raise InvalidParameter for what a service that CodeDeploy deploys cannot have.

    Of the first two, AWS's sentences are not public.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html
    """
    if len(listed) != 1:
        raise InvalidParameter(
            "A service with a CODE_DEPLOY deployment controller requires exactly one load balancer."
        )
    if config["strategy"] != strategies.ROLLING:
        raise InvalidParameter(
            f"The deployment strategy {config['strategy']} requires the ECS deployment controller."
        )
    for name, feature in _FEATURES.items():
        if (config.get(name) or {}).get("enable"):
            raise InvalidParameter(
                f"{feature} feature is only supported with ECS deployment controller. Update to "
                "ECS deployment controller and try again."
            )


_FEATURES = {
    "alarms": "Alarm based rollback",
    "deploymentCircuitBreaker": "Deployment circuit breaker",
}
"""https://github.com/aws/aws-cdk/issues/26307 for alarms; the other sentence is made like it."""


def check_update(params: Mapping[str, Any], service: Mapping[str, Any]) -> None:
    """Raise InvalidParameter or NotHere for an UpdateService that the service cannot have."""
    again = "Delete the service, and create it with the others."
    if (
        of(params, service["deploymentController"]["type"])
        != service["deploymentController"]["type"]
    ):
        raise not_here("deploymentController of UpdateService", again)
    if not task_sets.has(service):
        if params.get("loadBalancers") is not None:
            raise not_here("loadBalancers of UpdateService", again)
        return
    for name, refused in _OF_CODE_DEPLOY.items():
        if params.get(name):
            raise InvalidParameter(
                f"{refused} on services with a CODE_DEPLOY deployment controller. "
                "Use AWS CodeDeploy to trigger a new deployment."
            )
