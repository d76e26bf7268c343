"""The kinds of things that build and start builds: projects, pipelines, sources, queues, rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from labs_helpers.clean_up.kind import Kind, Tags, all_of, pairs, read
from labs_helpers.prepare import source_repository
from labs_helpers.prepare.logs import no_log_group
from labs_helpers.prepare.step import Place

_MOST_BUILDS = 100
"""https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetBuilds.html"""
_SECONDS, _PAUSE = 60.0, 2.0
"""How long a build may take to stop, and between two looks."""
_LOWER = ("key", "value")


def _project_tags(place: Place, name: str) -> Tags:
    found = place.client("codebuild").batch_get_projects(names=[name])["projects"]
    return read(found[0].get("tags", []), *_LOWER) if found else {}


def _tag_project(place: Place, name: str, tags: Tags) -> None:
    # a project's tags are put as a whole:
    # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProject.html
    whole = {**_project_tags(place, name), **tags}
    place.client("codebuild").update_project(name=name, tags=pairs(whole, *_LOWER))


def _delete_project(place: Place, name: str) -> None:
    """Stop the builds that run, whose log groups would come back, and delete the project."""
    builds = place.client("codebuild")
    ids = builds.list_builds_for_project(projectName=name)["ids"][:_MOST_BUILDS]
    until = time.monotonic() + _SECONDS
    while running := _running(builds, ids):
        for one in running:
            builds.stop_build(id=one)
        if time.monotonic() >= until:
            break
        time.sleep(_PAUSE)
    builds.delete_project(name=name)


def _running(builds: Any, ids: list[str]) -> list[str]:
    found = builds.batch_get_builds(ids=ids)["builds"] if ids else []
    return [str(one["id"]) for one in found if one["buildStatus"] == "IN_PROGRESS"]


def _by_arn(service: str, ends: str) -> Callable[[Place, str], str]:
    """The ARN of a thing of a service, which ends so; NAME stands for the thing's name."""

    def arn(place: Place, name: str) -> str:
        return f"arn:aws:{service}:{place.region}:{place.account}:{ends.replace('NAME', name)}"

    return arn


_log_group = _by_arn("logs", "log-group:NAME")
_pipeline = _by_arn("codepipeline", "NAME")
_source = _by_arn("codecommit", "NAME")
_rule = _by_arn("events", "rule/NAME")


def _log_group_tags(place: Place, name: str) -> Tags:
    logs = place.client("logs")
    return dict(logs.list_tags_for_resource(resourceArn=_log_group(place, name))["tags"])


def _tag_log_group(place: Place, name: str, tags: Tags) -> None:
    place.client("logs").tag_resource(resourceArn=_log_group(place, name), tags=tags)


def _pipeline_tags(place: Place, name: str) -> Tags:
    asked = place.client("codepipeline").list_tags_for_resource
    return read(asked(resourceArn=_pipeline(place, name))["tags"], *_LOWER)


def _tag_pipeline(place: Place, name: str, tags: Tags) -> None:
    given = pairs(tags, *_LOWER)
    place.client("codepipeline").tag_resource(resourceArn=_pipeline(place, name), tags=given)


def _source_tags(place: Place, name: str) -> Tags:
    found = place.client("codecommit").list_tags_for_resource(resourceArn=_source(place, name))
    return dict(found["tags"])


def _tag_source(place: Place, name: str, tags: Tags) -> None:
    place.client("codecommit").tag_resource(resourceArn=_source(place, name), tags=tags)


def _connections(place: Place) -> Iterator[tuple[str, str]]:
    """(name, ARN) of each connection; botocore has no paginator for this list."""
    client = place.client("codeconnections")
    token: dict[str, str] = {}
    while True:
        found = client.list_connections(**token)
        yield from ((one["ConnectionName"], one["ConnectionArn"]) for one in found["Connections"])
        if not found.get("NextToken"):
            return
        token = {"NextToken": found["NextToken"]}


def _connections_of(place: Place, name: str) -> list[str]:
    """The ARNs of the connections of a name, which several may have."""
    return [arn for known, arn in _connections(place) if known == name]


def _connection_tags(place: Place, name: str) -> Tags:
    asked = place.client("codeconnections").list_tags_for_resource
    tags = [read(asked(ResourceArn=arn)["Tags"]) for arn in _connections_of(place, name)]
    # deletion takes all of the name, so each has to be the labs'
    return {k: v for k, v in tags[0].items() if all(k in one for one in tags)} if tags else {}


def _tag_connection(place: Place, name: str, tags: Tags) -> None:
    for arn in _connections_of(place, name):
        place.client("codeconnections").tag_resource(ResourceArn=arn, Tags=pairs(tags))


def _delete_connection(place: Place, name: str) -> None:
    for arn in _connections_of(place, name):
        place.client("codeconnections").delete_connection(ConnectionArn=arn)


def _queues(place: Place) -> Iterator[str]:
    pages = place.client("sqs").get_paginator("list_queues").paginate()
    yield from (str(url).rpartition("/")[2] for url in pages.search("QueueUrls[]") if url)


def _url(place: Place, name: str) -> str:
    return str(place.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def _queue_tags(place: Place, name: str) -> Tags:
    return dict(place.client("sqs").list_queue_tags(QueueUrl=_url(place, name)).get("Tags", {}))


def _tag_queue(place: Place, name: str, tags: Tags) -> None:
    place.client("sqs").tag_queue(QueueUrl=_url(place, name), Tags=tags)


def _delete_queue(place: Place, name: str) -> None:
    place.client("sqs").delete_queue(QueueUrl=_url(place, name))


def _rule_tags(place: Place, name: str) -> Tags:
    found = place.client("events").list_tags_for_resource(ResourceARN=_rule(place, name))
    return read(found["Tags"])


def _tag_rule(place: Place, name: str, tags: Tags) -> None:
    place.client("events").tag_resource(ResourceARN=_rule(place, name), Tags=pairs(tags))


def _delete_rule(place: Place, name: str) -> None:
    events = place.client("events")
    targets = [one["Id"] for one in events.list_targets_by_rule(Rule=name)["Targets"]]
    if targets:
        events.remove_targets(Rule=name, Ids=targets)
    events.delete_rule(Name=name)


BUILDS = {
    "build project": Kind(
        all_of("codebuild", "list_projects", "projects[]"),
        _delete_project,
        _project_tags,
        _tag_project,
        costs="costs nothing until a build runs",
    ),
    "log group": Kind(
        all_of("logs", "describe_log_groups", "logGroups[].logGroupName"),
        no_log_group,
        _log_group_tags,
        _tag_log_group,
        costs="costs what its logs take, a month, and keeps them for ever",
    ),
    "pipeline": Kind(
        all_of("codepipeline", "list_pipelines", "pipelines[].name"),
        lambda place, name: place.client("codepipeline").delete_pipeline(name=name),
        _pipeline_tags,
        _tag_pipeline,
        costs="costs what each of its runs costs",
    ),
    "source repository": Kind(
        all_of("codecommit", "list_repositories", "repositories[].repositoryName"),
        source_repository.remove,
        _source_tags,
        _tag_source,
        costs="costs nothing for the first five users of CodeCommit in a month",
    ),
    "connection": Kind(
        lambda place: (name for name, _ in _connections(place)),
        _delete_connection,
        _connection_tags,
        _tag_connection,
        costs="costs nothing, but it lets pipelines read your repository",
    ),
    "queue": Kind(_queues, _delete_queue, _queue_tags, _tag_queue),
    "event rule": Kind(
        all_of("events", "list_rules", "Rules[].Name"), _delete_rule, _rule_tags, _tag_rule
    ),
}
