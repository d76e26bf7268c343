"""What a Kubernetes node on EC2 may do: the session of its role, which the machine hands out.

POST /_labs/eks/node   {"role": ARN, "region"} -> {"AWS_ACCESS_KEY_ID", ...}

On AWS every program of the machine gets the session from the instance metadata service, and the
kubelet asks ECR for a token with the session. The role's trust policy has to let EC2 in.
https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
"""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.control_api import ControlRefused, Routes
from labs_helpers.sandbox.iam.service_roles import Principal, RoleRefused, ServiceRoles

_EC2 = Principal("ec2.amazonaws.com", "EC2")
_INSTANCE = "i-0123456789abcdef0"
"""The one node. An instance's sessions have its ID as their name."""


def routes(roles: ServiceRoles) -> Routes:
    """(method, path) -> the function that answers."""

    def session(sent: dict[str, Any]) -> dict[str, Any]:
        role, region = sent.get("role"), sent.get("region")
        if not isinstance(role, str) or not isinstance(region, str):
            raise ControlRefused(400, 'send {"role": "arn:aws:iam::...", "region": "us-west-2"}')
        try:
            taken = roles.assume(role, _EC2, _INSTANCE, region)
        except RoleRefused as error:
            raise ControlRefused(403, str(error)) from error
        return taken.environment

    return {("POST", "/_labs/eks/node"): session}
