"""The kinds of things that deliver: services, their networks and load balancers, and the builds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labs_helpers.clean_up.builds import BUILDS
from labs_helpers.clean_up.kind import Kind, Tags, all_of, pairs, read
from labs_helpers.clean_up.listed import listed
from labs_helpers.prepare import networks
from labs_helpers.prepare.ecs import (
    clusters,
    delete_service,
    no_task_definition,
    revisions,
    services,
    stop_tasks,
)
from labs_helpers.prepare.load_balancers import (
    balancer_arn,
    no_load_balancer,
    no_target_group,
    target_group_arn,
)
from labs_helpers.prepare.step import Place


def _families(place: Place) -> Iterator[str]:
    # a family goes on for ever, so only those count that have an active revision
    pages = place.client("ecs").get_paginator("list_task_definitions").paginate(status="ACTIVE")
    arns = [str(arn) for arn in pages.search("taskDefinitionArns[]")]
    yield from sorted({arn.rpartition("/")[2].rpartition(":")[0] for arn in arns})


def _family_tags(place: Place, family: str) -> Tags:
    ecs, found = place.client("ecs"), revisions(place, family)
    tags = [read(ecs.list_tags_for_resource(resourceArn=one)["tags"], *_LOWER) for one in found]
    # every revision has to be the labs' for the family to be theirs
    return {key: value for key, value in tags[0].items() if all(key in one for one in tags)}


def _tag_family(place: Place, family: str, tags: Tags) -> None:
    for arn in revisions(place, family):
        place.client("ecs").tag_resource(resourceArn=arn, tags=pairs(tags, *_LOWER))


def _services(place: Place) -> Iterator[str]:
    for cluster in clusters(place):
        yield from (f"{cluster}/{name}" for name in services(place, cluster))


def _delete_service(place: Place, name: str) -> None:
    cluster, _, service = name.partition("/")
    delete_service(place, cluster, service)


def _delete_cluster(place: Place, name: str) -> None:
    """Stop the tasks of the labs' task definitions, and delete the cluster.

    AWS refuses to delete a cluster that has services or other tasks, which are not the labs'.
    """
    families = {one.name for one in listed(place.account) if one.kind == "task definition"}
    stop_tasks(place, name, families)
    place.client("ecs").delete_cluster(cluster=name)


def _ecs(kind: str) -> dict[str, Any]:
    """Tags of an "ecs" resource whose ARN ends with kind/name."""

    def arn(place: Place, name: str) -> str:
        return f"arn:aws:ecs:{place.region}:{place.account}:{kind}/{name}"

    def tags(place: Place, name: str) -> Tags:
        found = place.client("ecs").list_tags_for_resource(resourceArn=arn(place, name))
        return read(found["tags"], *_LOWER)

    def tag(place: Place, name: str, given: Tags) -> None:
        place.client("ecs").tag_resource(resourceArn=arn(place, name), tags=pairs(given, *_LOWER))

    return {"tags": tags, "tag": tag}


def _group_tags(place: Place, name: str) -> Tags:
    wanted = [{"Name": "resource-id", "Values": [networks.groups(place).get(name, "")]}]
    return read(place.client("ec2").describe_tags(Filters=wanted)["Tags"])


def _tag_group(place: Place, name: str, tags: Tags) -> None:
    group = networks.groups(place).get(name)
    if group is not None:
        place.client("ec2").create_tags(Resources=[group], Tags=pairs(tags))


_LOWER = ("key", "value")


def _elb(arn_of: Any) -> dict[str, Any]:
    """Tags of a load balancer or a target group; arn_of: of a name."""

    def tags(place: Place, name: str) -> Tags:
        elb = place.client("elbv2")
        found = elb.describe_tags(ResourceArns=[arn_of(elb, name)])["TagDescriptions"]
        return read(found[0]["Tags"]) if found else {}

    def tag(place: Place, name: str, given: Tags) -> None:
        elb = place.client("elbv2")
        elb.add_tags(ResourceArns=[arn_of(elb, name)], Tags=pairs(given))

    return {"tags": tags, "tag": tag}


DELIVERY = {
    **BUILDS,
    "service": Kind(
        _services,
        _delete_service,
        **_ecs("service"),
        costs="costs what its tasks cost, by the hour",
    ),
    "cluster": Kind(
        lambda place: iter(clusters(place)),
        _delete_cluster,
        **_ecs("cluster"),
        costs="costs what its tasks cost, by the hour",
    ),
    "task definition": Kind(
        _families,
        lambda place, family: no_task_definition(family).ensure(place),
        _family_tags,
        _tag_family,
    ),
    "security group": Kind(
        lambda place: iter(networks.groups(place)),
        networks.remove_group,
        _group_tags,
        _tag_group,
        costs="costs nothing, but it lets everybody in at port 80",
    ),
    "load balancer": Kind(
        all_of("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerName"),
        lambda place, name: no_load_balancer(name).ensure(place),
        **_elb(balancer_arn),
        costs="costs by the hour, used or not",
    ),
    "target group": Kind(
        all_of("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupName"),
        lambda place, name: no_target_group(name).ensure(place),
        **_elb(target_group_arn),
    ),
}
