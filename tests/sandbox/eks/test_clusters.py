"""Records of EKS: clusters with time, node groups, Fargate profiles, access entries, and IAM."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from labs_helpers.runtime.shims import place_aws
from labs_helpers.workspace import Workspace
from tests.policies import allow, policy
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.sandbox_process import Running

ACCOUNT = "123456789012"
ARN = f"arn:aws:eks:us-west-2:{ACCOUNT}"
NETWORK = {"subnetIds": ["subnet-1", "subnet-2"]}
SOON = {"Delay": 0, "MaxAttempts": 2}


@pytest.fixture(scope="module")
def roles(sandbox: Running) -> dict[str, str]:
    """Role ARNs by the service that may take them."""
    found = {}
    for name in ("eks", "ec2", "eks-fargate-pods"):
        trust = policy(
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{name}.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        )
        made = sandbox.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        found[name] = made["Role"]["Arn"]
    return found


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Any:
    return sandbox.client("eks")


def later(sandbox: Running, seconds: float) -> None:
    assert sandbox.control("POST", "clock", {"advance_seconds": seconds})[0] == 200


def make(api: Any, name: str, role: str, mode: str = "API", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.create_cluster(
        name=name,
        version="1.34",
        roleArn=role,
        resourcesVpcConfig=NETWORK,
        accessConfig={"authenticationMode": mode},
        **more,
    )["cluster"]
    return made


def test_a_cluster_is_made_used_and_deleted(
    sandbox: Running, api: Any, roles: dict[str, str]
) -> None:
    made = make(api, "shop", roles["eks"], tags={"team": "a"})
    assert (made["arn"], made["status"]) == (f"{ARN}:cluster/shop", "CREATING")
    assert refusal_of(
        api,
        "create_nodegroup",
        clusterName="shop",
        nodegroupName="early",
        nodeRole=roles["ec2"],
        subnets=["subnet-1"],
    )[1:] == ("InvalidRequestException", "Cluster 'shop' is not in ACTIVE status")
    assert refusal_of(
        api,
        "create_cluster",
        name="shop",
        version="1.34",
        roleArn=roles["eks"],
        resourcesVpcConfig=NETWORK,
    ) == (409, "ResourceInUseException", "Cluster already exists with name: shop")
    later(sandbox, 31)
    api.get_waiter("cluster_active").wait(name="shop", WaiterConfig=SOON)
    cluster = api.describe_cluster(name="shop")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert "endpoint" not in cluster
    assert api.list_clusters()["clusters"] == ["shop"]
    api.tag_resource(resourceArn=cluster["arn"], tags={"cost": "1"})
    assert api.list_tags_for_resource(resourceArn=cluster["arn"])["tags"] == {
        "team": "a",
        "cost": "1",
    }

    group = api.create_nodegroup(
        clusterName="shop",
        nodegroupName="nodes",
        nodeRole=roles["ec2"],
        subnets=["subnet-1"],
        scalingConfig={"minSize": 1, "maxSize": 3, "desiredSize": 2},
    )["nodegroup"]
    assert group["nodegroupArn"].startswith(f"{ARN}:nodegroup/shop/nodes/")
    assert (group["status"], group["version"]) == ("CREATING", "1.34")
    profile = api.create_fargate_profile(
        clusterName="shop",
        fargateProfileName="pods",
        podExecutionRoleArn=roles["eks-fargate-pods"],
        selectors=[{"namespace": "default"}],
    )["fargateProfile"]
    assert profile["status"] == "CREATING"
    later(sandbox, 16)
    api.get_waiter("nodegroup_active").wait(
        clusterName="shop", nodegroupName="nodes", WaiterConfig=SOON
    )
    api.get_waiter("fargate_profile_active").wait(
        clusterName="shop", fargateProfileName="pods", WaiterConfig=SOON
    )
    assert api.list_nodegroups(clusterName="shop")["nodegroups"] == ["nodes"]
    assert api.list_fargate_profiles(clusterName="shop")["fargateProfileNames"] == ["pods"]

    said = refusal_of(api, "delete_cluster", name="shop")
    assert said == (409, "ResourceInUseException", "Cluster has nodegroups attached")
    deleted = api.delete_nodegroup(clusterName="shop", nodegroupName="nodes")["nodegroup"]
    assert deleted["status"] == "DELETING"
    api.delete_fargate_profile(clusterName="shop", fargateProfileName="pods")
    later(sandbox, 11)
    api.get_waiter("nodegroup_deleted").wait(
        clusterName="shop", nodegroupName="nodes", WaiterConfig=SOON
    )
    api.get_waiter("fargate_profile_deleted").wait(
        clusterName="shop", fargateProfileName="pods", WaiterConfig=SOON
    )
    assert api.delete_cluster(name="shop")["cluster"]["status"] == "DELETING"
    assert api.describe_cluster(name="shop")["cluster"]["status"] == "DELETING"
    later(sandbox, 11)
    api.get_waiter("cluster_deleted").wait(name="shop", WaiterConfig=SOON)
    assert refusal_of(api, "describe_cluster", name="shop") == (
        404,
        "ResourceNotFoundException",
        "No cluster found for name: shop.",
    )
    assert make(api, "shop", roles["eks"])["status"] == "CREATING"


def test_clusters_are_listed_in_pages(api: Any, roles: dict[str, str]) -> None:
    for number in range(3):
        make(api, f"page-{number}", roles["eks"])
    pages = api.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2})
    found = [name for page in pages for name in page["clusters"] if name.startswith("page-")]
    assert found == ["page-0", "page-1", "page-2"]


def test_access_entries_say_who_may_do_what(api: Any, roles: dict[str, str]) -> None:
    make(api, "doors", roles["eks"])
    learner = f"arn:aws:iam::{ACCOUNT}:user/learner"
    assert api.list_access_entries(clusterName="doors")["accessEntries"] == [learner]
    mine = api.list_associated_access_policies(clusterName="doors", principalArn=learner)
    assert [each["policyArn"] for each in mine["associatedAccessPolicies"]] == [
        "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    ]
    role = roles["ec2"]
    made = api.create_access_entry(clusterName="doors", principalArn=role)["accessEntry"]
    assert made["accessEntryArn"].startswith(f"{ARN}:access-entry/doors/role/{ACCOUNT}/ec2/")
    view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    scope = {"type": "namespace", "namespaces": ["default"]}
    api.associate_access_policy(
        clusterName="doors", principalArn=role, policyArn=view, accessScope=scope
    )
    found = api.list_access_entries(clusterName="doors", associatedPolicyArn=view)
    assert found["accessEntries"] == [role]
    api.disassociate_access_policy(clusterName="doors", principalArn=role, policyArn=view)
    api.delete_access_entry(clusterName="doors", principalArn=role)
    status, code, _ = refusal_of(
        api, "describe_access_entry", clusterName="doors", principalArn=role
    )
    assert (status, code) == (404, "ResourceNotFoundException")
    nobody = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    _, code, said = refusal_of(api, "create_access_entry", clusterName="doors", principalArn=nobody)
    assert "invalid principal" in said
    make(api, "old", roles["eks"], "CONFIG_MAP")
    _, code, said = refusal_of(api, "list_access_entries", clusterName="old")
    assert code == "InvalidRequestException"
    assert "must be set to one of [API, API_AND_CONFIG_MAP]" in said


def test_what_eks_refuses(sandbox: Running, api: Any, roles: dict[str, str]) -> None:
    make(api, "strict", roles["eks"])
    later(sandbox, 31)
    given = {"name": "x", "version": "1.34", "roleArn": roles["eks"], "resourcesVpcConfig": NETWORK}
    group = {"clusterName": "strict", "nodegroupName": "g", "subnets": ["subnet-1"]}
    profile = {"clusterName": "strict", "fargateProfileName": "p"}
    cases: list[tuple[str, dict[str, Any], str, str]] = [
        ("create_cluster", {**given, "roleArn": roles["ec2"]}, "InvalidParameterException",
         "could not be assumed"),
        ("create_cluster", {**given, "resourcesVpcConfig": {"subnetIds": ["s"]}},
         "InvalidParameterException", "two different AZs"),
        ("create_cluster", {**given, "version": ""}, "NotInSandbox", "--kubernetes-version"),
        ("create_cluster", {**given, "computeConfig": {"enabled": True}}, "NotInSandbox",
         "computeConfig"),
        ("create_nodegroup", {**group, "nodeRole": roles["eks"]}, "InvalidParameterException",
         "[ec2.amazonaws.com] were not found"),
        ("create_nodegroup", {**group, "nodeRole": roles["ec2"],
                              "scalingConfig": {"minSize": 3, "maxSize": 4, "desiredSize": 1}},
         "InvalidParameterException", "desired capacity 1"),
        ("create_fargate_profile", {**profile, "podExecutionRoleArn": roles["ec2"],
                                    "selectors": [{"namespace": "default"}]},
         "InvalidParameterException", "eks-fargate-pods.amazonaws.com"),
        ("create_fargate_profile", {**profile, "podExecutionRoleArn": roles["ec2"]},
         "InvalidParameterException", "at least one selector"),
        ("describe_nodegroup", {"clusterName": "strict", "nodegroupName": "none"},
         "ResourceNotFoundException", "No node group found for name: none."),
        ("update_cluster_version", {"name": "strict", "version": "1.35"}, "NotInSandbox",
         "create a new one"),
        ("create_addon", {"clusterName": "strict", "addonName": "vpc-cni"}, "NotInSandbox",
         "No add-on"),
    ]  # fmt: skip
    for operation, params, code, words in cases:
        found = refusal_of(api, operation, **params)
        assert (found[1], words in found[2]) == (code, True), (operation, found)


def test_iam_decides_and_roles_are_passed(
    sandbox: Running, api: Any, roles: dict[str, str]
) -> None:
    make(api, "guarded", roles["eks"])
    mary = People(sandbox).make("mary", allow("eks:*", on=f"{ARN}:cluster/guarded"))
    assert mary.client("eks").describe_cluster(name="guarded")["cluster"]["name"] == "guarded"
    said = mary.denied("eks", "describe_cluster", name="strict")
    assert f"eks:DescribeCluster on resource: {ARN}:cluster/strict" in said
    said = mary.denied(
        "eks",
        "create_cluster",
        name="guarded",
        version="1.34",
        roleArn=roles["eks"],
        resourcesVpcConfig=NETWORK,
    )
    assert "iam:PassRole" in said


def test_update_kubeconfig_is_refused_in_words(
    sandbox: Running, api: Any, roles: dict[str, str], tmp_path: Path
) -> None:
    make(api, "kube", roles["eks"])
    later(sandbox, 31)
    config = tmp_path / "config"
    workspace = Workspace(sandbox.home).create()
    place_aws(workspace, sandbox.port)
    done = subprocess.run(
        [
            *(workspace.bin / "aws", "eks", "update-kubeconfig"),
            *("--name", "kube", "--kubeconfig", config),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0
    assert "runs no Kubernetes API" in done.stderr
    assert "lab.pods" in done.stderr
    assert not config.exists()
    # what version 2 of the CLI says of itself
    agent = Config(user_agent_extra="md/command#eks.update-kubeconfig")
    _, code, said = refusal_of(sandbox.client("eks", config=agent), "describe_cluster", name="kube")
    assert (code, "runs no Kubernetes API" in said) == ("NotInSandbox", True)
