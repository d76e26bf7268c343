"""Deployment controllers: what ECS refuses for a service that CodeDeploy deploys."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.ecs import controllers
from labs_helpers.sandbox.ecs.errors import InvalidParameter

# (UpdateService's parameter, how AWS's refusal begins)
# https://github.com/boto/boto3/issues/1936, https://github.com/kayac/ecspresso/issues/393
UPDATES = [
    ({"taskDefinition": "web:2"}, "Unable to update task definition"),
    ({"loadBalancers": [{"targetGroupArn": "arn:blue"}]}, "Unable to update load balancers"),
    ({"forceNewDeployment": True}, "Cannot force a new deployment"),
    ({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["a"]}}}, "Unable to update net"),
    ({"platformVersion": "LATEST"}, "Unable to update platform version"),
]


@pytest.mark.parametrize(("params", "words"), UPDATES)
def test_ecs_leaves_the_deployment_of_a_service_to_codedeploy(
    params: dict[str, Any], words: str
) -> None:
    service = {"deploymentController": {"type": "CODE_DEPLOY"}}
    with pytest.raises(InvalidParameter) as raised:
        controllers.check_update(params, service)
    assert raised.value.message.startswith(words)
    assert raised.value.message.endswith(
        "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new "
        "deployment."
    )


def test_alarms_and_circuit_breaker_are_of_the_controller_ecs() -> None:
    """https://github.com/aws/aws-cdk/issues/26307"""
    for name, words in (
        ("alarms", "Alarm based rollback feature"),
        ("deploymentCircuitBreaker", "Deployment circuit breaker feature"),
    ):
        config = {"strategy": "ROLLING", name: {"enable": True}}
        with pytest.raises(InvalidParameter) as raised:
            controllers.check_service(config, [{"targetGroupArn": "arn:blue"}])
        assert raised.value.message == (
            f"{words} is only supported with ECS deployment controller. Update to ECS deployment "
            "controller and try again."
        )
    with pytest.raises(InvalidParameter, match="exactly one load balancer"):
        controllers.check_service({"strategy": "ROLLING"}, [])
