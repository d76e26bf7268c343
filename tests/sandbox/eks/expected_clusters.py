"""Rows of clusters (test_public_expectations.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.sandbox.public_expectations import (
    ABSENT,
    AWS,
    FLOCI,
    LATER,
    MOTO,
    Step,
    has,
    refused,
    row,
)

SUITE = MOTO + "test_eks/test_eks.py"
CLIENT = FLOCI + "compatibility-tests/sdk-test-java/src/test/java/com/floci/test/EksTest.java"
API = AWS + "eks/latest/APIReference/API_"
ACCOUNT = "123456789012"
ARN = f"arn:aws:eks:us-west-2:{ACCOUNT}:"


def role(service: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{service}"


def cluster(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1.34",
        "roleArn": role("eks"),
        "resourcesVpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]},
        **changed,
    }


def group(name: str, cluster_name: str = "shop", **changed: Any) -> dict[str, Any]:
    given = {"nodegroupName": name, "nodeRole": role("ec2"), "subnets": ["subnet-1"]}
    return {"clusterName": cluster_name, **given, **changed}


def profile(name: str, cluster_name: str = "shop", **changed: Any) -> dict[str, Any]:
    given = {
        "fargateProfileName": name,
        "podExecutionRoleArn": role("eks-fargate-pods"),
        "selectors": [{"namespace": "default"}],
    }
    return {"clusterName": cluster_name, **given, **changed}


def created(name: str, **changed: Any) -> Step:
    return ("create_cluster", cluster(name, **changed), {"cluster": {"name": name}})


def not_found(what: str, name: str) -> Any:
    return refused("ResourceNotFoundException", f"No {what} found for name: {name}.")


NO_CLUSTER = not_found("cluster", "none")
CLUSTERS = [
    row(
        "a cluster is CREATING, with an ARN and a time, and then ACTIVE",
        SUITE,
        (
            "create_cluster",
            cluster("made", tags={"env": "test"}),
            {
                "cluster": {
                    "arn": f"{ARN}cluster/made",
                    "version": "1.34",
                    "status": "CREATING",
                    "createdAt": datetime,
                    "roleArn": role("eks"),
                    "tags": {"env": "test"},
                }
            },
        ),
        (LATER, {"seconds": 31}, {}),
        ("describe_cluster", {"name": "made"}, {"cluster": {"status": "ACTIVE"}}),
    ),
    row(
        "a cluster is made once",
        SUITE,
        created("twice"),
        (
            "create_cluster",
            cluster("twice"),
            refused("ResourceInUseException", "Cluster already exists with name: twice"),
        ),
    ),
    row(
        "clusters are listed by name, in pages of the size that is asked",
        SUITE,
        *(created(f"0-{name}") for name in "bca"),
        (
            "list_clusters",
            {"maxResults": 2},
            {"clusters": ["0-a", "0-b"], "nextToken": str},
        ),
        ("list_clusters", {}, {"clusters": has("0-c", "shop")}),
    ),
    row(
        "a cluster has no endpoint, certificate or issuer here, where no Kubernetes API runs",
        SUITE,
        (
            "describe_cluster",
            {"name": "shop"},
            {"cluster": {"endpoint": ABSENT, "identity": ABSENT, "certificateAuthority": ABSENT}},
        ),
        aws=API + "Cluster.html",
    ),
    row(
        "a role is named by an ARN of IAM",
        SUITE,
        (
            "create_cluster",
            cluster("a", roleArn="arn:invalid:format"),
            refused("InvalidParameterException"),
        ),
    ),
    row(
        "a cluster has subnets in two zones; Floci's has none",
        CLIENT,
        (
            "create_cluster",
            cluster("a", resourcesVpcConfig={"subnetIds": []}),
            refused(
                "InvalidParameterException",
                "Subnets specified must be in at least two different AZs",
            ),
        ),
        aws=AWS + "eks/latest/userguide/network-reqs.html",
    ),
    row(
        "a cluster that is deleted is DELETING, and then gone; moto's is gone at once",
        SUITE,
        created("gone"),
        ("delete_cluster", {"name": "gone"}, {"cluster": {"status": "DELETING"}}),
        ("describe_cluster", {"name": "gone"}, {"cluster": {"status": "DELETING"}}),
        (LATER, {"seconds": 11}, {}),
        ("describe_cluster", {"name": "gone"}, not_found("cluster", "gone")),
        aws=AWS + "eks/latest/userguide/delete-cluster.html",
    ),
    *(
        row(
            f"{operation} of a cluster that is not there is refused",
            SUITE,
            (operation, given, NO_CLUSTER),
        )
        for operation, given in {
            "describe_cluster": {"name": "none"},
            "delete_cluster": {"name": "none"},
            "create_nodegroup": group("g", "none"),
            "describe_nodegroup": {"clusterName": "none", "nodegroupName": "g"},
            "delete_nodegroup": {"clusterName": "none", "nodegroupName": "g"},
            "list_nodegroups": {"clusterName": "none"},
            "create_fargate_profile": profile("p", "none"),
            "describe_fargate_profile": {"clusterName": "none", "fargateProfileName": "p"},
            "delete_fargate_profile": {"clusterName": "none", "fargateProfileName": "p"},
        }.items()
    ),
    *(
        row(
            f"{operation} waits for an ACTIVE cluster",
            SUITE,
            created(name),
            (
                operation,
                given,
                refused("InvalidRequestException", f"Cluster '{name}' is not in ACTIVE status"),
            ),
        )
        for operation, name, given in (
            ("create_nodegroup", "early-1", group("g", "early-1")),
            ("create_fargate_profile", "early-2", profile("p", "early-2")),
        )
    ),
    row(
        "tags of a cluster are none, set, and taken away",
        SUITE,
        created("tagged"),
        ("list_tags_for_resource", {"resourceArn": f"{ARN}cluster/tagged"}, {"tags": {}}),
        (
            "tag_resource",
            {"resourceArn": f"{ARN}cluster/tagged", "tags": {"key1": "val1", "key2": "val2"}},
            {},
        ),
        ("untag_resource", {"resourceArn": f"{ARN}cluster/tagged", "tagKeys": ["key1"]}, {}),
        (
            "list_tags_for_resource",
            {"resourceArn": f"{ARN}cluster/tagged"},
            {"tags": {"key1": ABSENT, "key2": "val2"}},
        ),
    ),
]
