"""What moto's and Floci's tests expect of EKS, held against what AWS says.

moto's sentences were read from AWS's own answers:
https://github.com/getmoto/moto/blob/master/moto/eks/models.py
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies import policy
from tests.sandbox.eks.expected_clusters import CLUSTERS, cluster, group, profile
from tests.sandbox.eks.expected_nodes import NODES
from tests.sandbox.public_expectations import Row, client_of, goes_as_expected
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def eks(sandbox: Running) -> Any:
    """EKS with an ACTIVE cluster "shop" that has a node group and a Fargate profile."""
    for name in ("eks", "ec2", "eks-fargate-pods"):
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": f"{name}.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        sandbox.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy(statement))
    client = client_of(sandbox, "eks")
    client.create_cluster(**cluster("shop"))
    assert sandbox.control("POST", "clock", {"advance_seconds": 31})[0] == 200
    client.create_nodegroup(**group("nodes"))
    client.create_fargate_profile(**profile("pods"))
    return client


@pytest.mark.parametrize("expected", [*CLUSTERS, *NODES])
def test_eks_answers_as_the_public_suites_expect(sandbox: Running, eks: Any, expected: Row) -> None:
    goes_as_expected(eks, expected, sandbox)
