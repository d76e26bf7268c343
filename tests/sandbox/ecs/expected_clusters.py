"""Rows of clusters (test_public_expectations.py)."""

from __future__ import annotations

import re
from typing import Any

from tests.sandbox.public_expectations import AWS, FLOCI, MOTO, Step, has, refused, row

SUITE = MOTO + "test_ecs/test_ecs.py"
FARGATE_ROWS = FLOCI + (
    "src/test/java/io/github/hectorvent/floci/services/ecs/EcsIntegrationTest.java"
)

API = AWS + "AmazonECS/latest/APIReference/API_"
ARN = "arn:aws:ecs:us-west-2:123456789012:"
STRATEGY = [
    {"base": 1, "capacityProvider": "FARGATE_SPOT", "weight": 1},
    {"base": 0, "capacityProvider": "FARGATE", "weight": 1},
]

TAG = {"key": "tagName", "value": "TagValue"}
COUNTS = {
    "registeredContainerInstancesCount": 0,
    "runningTasksCount": 0,
    "pendingTasksCount": 0,
    "activeServicesCount": 0,
}


def cluster(name: str, **more: Any) -> Step:
    return ("create_cluster", {"clusterName": name, **more}, {"cluster": {"clusterName": name}})


CLUSTERS = [
    row(
        "a new cluster is ACTIVE and empty",
        SUITE,
        (
            "create_cluster",
            {"clusterName": "new"},
            {
                "cluster": {
                    "clusterName": "new",
                    "clusterArn": f"{ARN}cluster/new",
                    "status": "ACTIVE",
                    **COUNTS,
                }
            },
        ),
    ),
    row("a cluster that is there is answered again", FARGATE_ROWS, *[cluster("again")] * 2),
    row(
        "a cluster has the providers and the strategy that it is given",
        SUITE,
        cluster("strategic"),
        (
            "put_cluster_capacity_providers",
            {
                "cluster": "strategic",
                "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "defaultCapacityProviderStrategy": STRATEGY,
            },
            {
                "cluster": {
                    "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
                    "defaultCapacityProviderStrategy": STRATEGY,
                }
            },
        ),
    ),
    row(
        "a cluster's settings are changed",
        SUITE,
        cluster("set", settings=[{"name": "containerInsights", "value": "disabled"}]),
        (
            "update_cluster",
            {
                "cluster": "set",
                "settings": [{"name": "containerInsights", "value": "enabled"}],
                "configuration": {"executeCommandConfiguration": {"kmsKeyId": "k"}},
            },
            {
                "cluster": {
                    "settings": [{"name": "containerInsights", "value": "enabled"}],
                    "configuration": {"executeCommandConfiguration": {"kmsKeyId": "k"}},
                }
            },
        ),
    ),
    row(
        "defaults of Service Connect are refused by name",
        SUITE,
        (
            "create_cluster",
            {"clusterName": "connected", "serviceConnectDefaults": {"namespace": "ns"}},
            refused("NotInSandbox", re.compile("serviceConnectDefaults")),
        ),
        aws=API + "CreateCluster.html",
    ),
    row(
        "clusters are listed by ARN",
        SUITE,
        cluster("listed0"),
        cluster("listed1"),
        (
            "list_clusters",
            {},
            {"clusterArns": has(f"{ARN}cluster/listed0", f"{ARN}cluster/listed1")},
        ),
    ),
    row(
        "tags of a cluster are shown where they are asked for",
        SUITE,
        cluster("tagged", tags=[TAG]),
        (
            "describe_clusters",
            {"clusters": ["tagged"], "include": ["TAGS"]},
            {"clusters": [{"tags": [TAG]}], "failures": []},
        ),
        ("describe_clusters", {"clusters": ["tagged"]}, {"clusters": [{"tags": []}]}),
        (
            "list_tags_for_resource",
            {"resourceArn": f"{ARN}cluster/tagged"},
            {"tags": [TAG]},
        ),
    ),
    row(
        "a cluster that is not there is MISSING",
        SUITE,
        (
            "describe_clusters",
            {"clusters": ["nowhere"]},
            {"clusters": [], "failures": [{"arn": f"{ARN}cluster/nowhere", "reason": "MISSING"}]},
        ),
    ),
    row(
        "a deleted cluster is INACTIVE and no longer listed",
        SUITE,
        cluster("0-deleted"),
        (
            "delete_cluster",
            {"cluster": "0-deleted"},
            {"cluster": {"clusterArn": f"{ARN}cluster/0-deleted", "status": "INACTIVE", **COUNTS}},
        ),
        ("describe_clusters", {"clusters": ["0-deleted"]}, {"clusters": [{"status": "INACTIVE"}]}),
    ),
    row(
        "deleting a cluster that is not there is refused",
        SUITE,
        (
            "delete_cluster",
            {"cluster": "not_a_cluster"},
            refused("ClusterNotFoundException", "Cluster not found."),
        ),
    ),
    *(
        row(
            f"{operation} is refused by name: tasks run as on Fargate",
            source,
            (operation, given, refused("NotInSandbox")),
            aws=API + page,
        )
        for operation, given, source, page in (
            (
                "create_capacity_provider",
                {"name": "p", "autoScalingGroupProvider": {"autoScalingGroupArn": "a"}},
                MOTO + "test_ecs/test_ecs_capacity_provider.py",
                "CreateCapacityProvider.html",
            ),
            ("register_container_instance", {}, SUITE, "RegisterContainerInstance.html"),
            (
                "start_task",
                {"taskDefinition": "t", "containerInstances": ["i"]},
                SUITE,
                "StartTask.html",
            ),
            ("discover_poll_endpoint", {}, SUITE, "DiscoverPollEndpoint.html"),
        )
    ),
]
