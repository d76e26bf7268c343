"""The rules of a listener, changed as a deployment moves the visitors: by signed calls.

The calls have the infrastructure role of the service, so that IAM decides:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
A listener's default rule is changed with the listener, as that policy says, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.balancing.weights import forward
from labs_helpers.sandbox.ecs.balanced import Balancers
from labs_helpers.sandbox.ecs.naming import Place
from labs_helpers.sandbox.iam.service_roles import Principal, RoleRefused, ServiceRoles

ECS = Principal("ecs.amazonaws.com", "ECS")
_SESSION = "ecs-traffic-shift"


class TrafficRefused(Exception):
    """The rules do not have the new weights; the message says why."""


def keys(place: Place) -> dict[str, tuple[str, ...]]:
    """aws:SourceArn and aws:SourceAccount, for the role's trust policy."""
    account, region = place
    return {
        "aws:sourcearn": (f"arn:aws:ecs:{region}:{account}:*",),
        "aws:sourceaccount": (account,),
    }


class Traffic:
    """Thread-safe."""

    def __init__(self, balancers: Balancers, roles: ServiceRoles) -> None:
        self._balancers = balancers
        self._roles = roles

    def send(
        self,
        advanced: Mapping[str, str],
        wanted: Mapping[str, Mapping[str, int]],
        place: Place,
    ) -> None:
        """Give the rules of an advancedConfiguration their weights; raises TrafficRefused.

        wanted: {rule: {target group: weight}}.
        """
        from botocore.exceptions import ClientError

        try:
            taken = self._roles.assume(advanced["roleArn"], ECS, _SESSION, place[1], keys(place))
            client = taken.client("elbv2")
            for name in ("productionListenerRule", "testListenerRule"):
                if advanced.get(name) in wanted:
                    self._change(client, advanced[name], wanted[advanced[name]])
        except RoleRefused as error:
            raise TrafficRefused(str(error)) from error
        except ClientError as error:
            said = error.response["Error"]
            raise TrafficRefused(f"{said['Code']}: {said['Message']}") from error

    def _change(self, client: Any, arn: str, weights: Mapping[str, int]) -> None:
        rule = self._balancers.rule(arn)
        if rule is None:
            raise TrafficRefused(f"the listener rule {arn} does not exist")
        forward(client, arn, rule["listener"] if rule["default"] else "", weights)
