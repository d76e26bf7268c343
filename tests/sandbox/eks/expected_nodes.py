"""Rows of node groups and Fargate profiles (test_public_expectations.py)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.sandbox.eks.expected_clusters import API, ARN, CLIENT, SUITE, group, not_found, profile
from tests.sandbox.public_expectations import has, refused, row

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
SHOP = {"clusterName": "shop"}


def labels(count: int) -> dict[str, str]:
    return {f"label{number}": "v" for number in range(count)}


NO_GROUP = not_found("node group", "none")
NO_PROFILE = refused("ResourceNotFoundException", "No Fargate Profile found with name: none.")
NO_NAMESPACE = "Fargate Profile must have at least one selector with at least one namespace value."
TOO_MANY = "Request contains Selector with more than 5 Label pairs"
DEFAULT = {"namespace": "default"}
SELECTORS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a namespace": ([DEFAULT], ""),
    "no labels": ([{**DEFAULT, "labels": {}}], ""),
    "five labels": ([{**DEFAULT, "labels": labels(5)}], ""),
    "two of a namespace": ([DEFAULT, DEFAULT], ""),
    "no selector": ([], "Fargate Profile requires at least one selector."),
    "an empty selector": ([{}], NO_NAMESPACE),
    "labels alone": ([{"labels": labels(1)}], NO_NAMESPACE),
    "six labels": ([{**DEFAULT, "labels": labels(6)}], TOO_MANY),
    "an empty selector after another": ([DEFAULT, {}], NO_NAMESPACE),
    "an empty selector before another": ([{}, DEFAULT], NO_NAMESPACE),
    "six labels after another": ([DEFAULT, {**DEFAULT, "labels": labels(6)}], TOO_MANY),
}

TEMPLATE = {"name": "template", "version": "2"}
NODES = [
    row(
        "a node group is CREATING, with AWS's defaults; Floci's is ACTIVE at once",
        CLIENT,
        (
            "create_nodegroup",
            group("defaults", labels={"workload": "api"}, tags={"env": "test"}),
            {
                "nodegroup": {
                    "nodegroupName": "defaults",
                    "clusterName": "shop",
                    "nodegroupArn": re.compile(f"^{ARN}nodegroup/shop/defaults/{UUID}"),
                    "status": "CREATING",
                    "capacityType": "ON_DEMAND",
                    "instanceTypes": ["t3.medium"],
                    "labels": {"workload": "api"},
                    "createdAt": datetime,
                    "modifiedAt": datetime,
                }
            },
        ),
        aws=API + "Nodegroup.html#AmazonEKS-Type-Nodegroup-status",
    ),
    row(
        "a node group is made once in a cluster",
        SUITE,
        (
            "create_nodegroup",
            group("nodes"),
            refused(
                "ResourceInUseException",
                "NodeGroup already exists with name nodes and cluster name shop",
            ),
        ),
    ),
    *(
        row(
            f"{operation} of a node group that is not there is refused",
            SUITE,
            (operation, {**SHOP, "nodegroupName": "none"}, NO_GROUP),
        )
        for operation in ("describe_nodegroup", "delete_nodegroup")
    ),
    row(
        "a cluster with node groups is not deleted",
        SUITE,
        (
            "delete_cluster",
            {"name": "shop"},
            refused("ResourceInUseException", "Cluster has nodegroups attached"),
        ),
    ),
    *(
        row(
            f"a launch template and {what} are refused together",
            SUITE,
            (
                "create_nodegroup",
                group("templated", launchTemplate=TEMPLATE, **more),
                refused("InvalidParameterException", words),
            ),
        )
        for what, more, words in (
            (
                "a disk size",
                {"diskSize": 30},
                "Disk size must be specified within the launch template.",
            ),
            (
                "remote access",
                {"remoteAccess": {"ec2SshKey": "key"}},
                "Remote access configuration cannot be specified with a launch template.",
            ),
        )
    ),
    *(
        row(
            f"{name} is refused by name",
            SUITE,
            (
                "create_nodegroup",
                group("x", **{name: given}),
                refused("NotInSandbox", re.compile(name)),
            ),
            aws=API + "CreateNodegroup.html",
        )
        for name, given in {"launchTemplate": TEMPLATE, "remoteAccess": {"ec2SshKey": "k"}}.items()
    ),
    *(
        row(
            f"{operation} is refused by name",
            SUITE,
            (operation, given, refused("NotInSandbox")),
            aws=API + page,
        )
        for operation, given, page in (
            ("update_cluster_config", {"name": "shop"}, "UpdateClusterConfig.html"),
            (
                "update_nodegroup_config",
                {**SHOP, "nodegroupName": "nodes"},
                "UpdateNodegroupConfig.html",
            ),
        )
    ),
    row(
        "a Fargate profile is CREATING, as it was given; Floci's is ACTIVE at once",
        CLIENT,
        (
            "create_fargate_profile",
            profile("given", subnets=["subnet-1"], tags={"env": "test"}),
            {
                "fargateProfile": {
                    "fargateProfileArn": re.compile(f"^{ARN}fargateprofile/shop/given/{UUID}"),
                    "status": "CREATING",
                    "subnets": ["subnet-1"],
                    "selectors": [DEFAULT],
                    "tags": {"env": "test"},
                }
            },
        ),
        ("list_fargate_profiles", SHOP, {"fargateProfileNames": has("given", "pods")}),
        aws=API + "FargateProfile.html#AmazonEKS-Type-FargateProfile-status",
    ),
    row(
        "a Fargate profile is made once in a cluster",
        SUITE,
        (
            "create_fargate_profile",
            profile("pods"),
            refused(
                "ResourceInUseException",
                "A Fargate Profile already exists with this name in this cluster.",
            ),
        ),
    ),
    *(
        row(
            f"{operation} of a Fargate profile that is not there is refused",
            SUITE,
            (operation, {**SHOP, "fargateProfileName": "none"}, NO_PROFILE),
        )
        for operation in ("describe_fargate_profile", "delete_fargate_profile")
    ),
    *(
        row(
            f"selectors: {name}",
            SUITE,
            (
                "create_fargate_profile",
                profile(f"selects-{number}", selectors=selectors),
                refused("InvalidParameterException", words)
                if words
                else {"fargateProfile": {"selectors": selectors}},
            ),
        )
        for number, (name, (selectors, words)) in enumerate(SELECTORS.items())
    ),
]
