"""The kinds of things that the labs make: which are there, their tags, what they cost, deletion.

Every kind of ``made.toml`` has a :class:`Kind` here. Things with parts (a repository with images, a
user with keys) go with their parts, in the order that AWS wants; see ``prepare/people.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.prepare.buckets import no_bucket
from labs_helpers.prepare.people import no_group, no_policy, no_role, no_user
from labs_helpers.prepare.repositories import no_repository
from labs_helpers.prepare.step import Place

Tags = dict[str, str]
FREE = "costs nothing by itself"


@dataclass(frozen=True)
class Kind:
    """How the things of one kind are listed, tagged and deleted.

    ``names`` lists what the account has of this kind, in the place's region. ``tags`` and ``tag``
    read and add tags; None for a kind that AWS cannot tag. ``costs`` says what a thing costs while
    it stays.
    """

    names: Callable[[Place], Iterator[str]]
    delete: Callable[[Place, str], None]
    tags: Callable[[Place, str], Tags] | None = None
    tag: Callable[[Place, str, Tags], object] | None = None
    costs: str = FREE


def _all(service: str, operation: str, query: str) -> Callable[[Place], Iterator[str]]:
    def names(place: Place) -> Iterator[str]:
        yield from place.client(service).get_paginator(operation).paginate().search(query)

    return names


def _pairs(tags: Tags, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: given} for name, given in tags.items()]


def _read(found: list[dict[str, str]], key: str = "Key", value: str = "Value") -> Tags:
    return {one[key]: one[value] for one in found}


# Amazon ECR


def _repository_arn(place: Place, name: str) -> str:
    return f"arn:aws:ecr:{place.region}:{place.account}:repository/{name}"


def _repository_tags(place: Place, name: str) -> Tags:
    arn = _repository_arn(place, name)
    return _read(place.client("ecr").list_tags_for_resource(resourceArn=arn)["tags"])


def _tag_repository(place: Place, name: str, tags: Tags) -> None:
    arn = _repository_arn(place, name)
    place.client("ecr").tag_resource(resourceArn=arn, tags=_pairs(tags))


def _delete_cache_rule(place: Place, name: str) -> None:
    ecr = place.client("ecr")
    with suppress(ecr.exceptions.PullThroughCacheRuleNotFoundException):
        ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix=name)


def _delete_template(place: Place, name: str) -> None:
    ecr = place.client("ecr")
    with suppress(ecr.exceptions.TemplateNotFoundException):
        ecr.delete_repository_creation_template(prefix=name)


# AWS Secrets Manager


def _secret_tags(place: Place, name: str) -> Tags:
    found = place.client("secretsmanager").describe_secret(SecretId=name)
    return _read(found.get("Tags", []))


def _tag_secret(place: Place, name: str, tags: Tags) -> None:
    place.client("secretsmanager").tag_resource(SecretId=name, Tags=_pairs(tags))


def _delete_secret(place: Place, name: str) -> None:
    # without a recovery window: a secret that waits keeps its name from the next one
    place.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


# Amazon S3


def _bucket_tags(place: Place, name: str) -> Tags:
    try:
        return _read(place.client("s3").get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchTagSet":
            return {}
        raise


def _tag_bucket(place: Place, name: str, tags: Tags) -> None:
    # a bucket's tags are put as a whole
    whole = {**_bucket_tags(place, name), **tags}
    place.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": _pairs(whole)})


def _delete_bucket(place: Place, name: str) -> None:
    no_bucket(name.removesuffix(f"-{place.account}")).ensure(place)


# IAM; https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html says what has tags


def _iam(kind: str) -> dict[str, Any]:
    whose = f"{kind.capitalize()}Name"

    def tags(place: Place, name: str) -> Tags:
        return _read(getattr(place.client("iam"), f"list_{kind}_tags")(**{whose: name})["Tags"])

    def tag(place: Place, name: str, given: Tags) -> None:
        getattr(place.client("iam"), f"tag_{kind}")(**{whose: name}, Tags=_pairs(given))

    return {"tags": tags, "tag": tag}


def _policy(place: Place, name: str) -> str:
    return f"arn:aws:iam::{place.account}:policy/{name}"


def _own_policies(place: Place) -> Iterator[str]:
    pages = place.client("iam").get_paginator("list_policies").paginate(Scope="Local")
    yield from pages.search("Policies[].PolicyName")


def _policy_tags(place: Place, name: str) -> Tags:
    arn = _policy(place, name)
    return _read(place.client("iam").list_policy_tags(PolicyArn=arn)["Tags"])


def _tag_policy(place: Place, name: str, tags: Tags) -> None:
    place.client("iam").tag_policy(PolicyArn=_policy(place, name), Tags=_pairs(tags))


def _provider(place: Place, name: str) -> str:
    return f"arn:aws:iam::{place.account}:oidc-provider/{name}"


def _providers(place: Place) -> Iterator[str]:
    for one in place.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        yield one["Arn"].partition("/")[2]


def _provider_tags(place: Place, name: str) -> Tags:
    arn = _provider(place, name)
    found = place.client("iam").list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)
    return _read(found["Tags"])


def _tag_provider(place: Place, name: str, tags: Tags) -> None:
    place.client("iam").tag_open_id_connect_provider(
        OpenIDConnectProviderArn=_provider(place, name), Tags=_pairs(tags)
    )


def _delete_provider(place: Place, name: str) -> None:
    place.client("iam").delete_open_id_connect_provider(
        OpenIDConnectProviderArn=_provider(place, name)
    )


# delivery


def _families(place: Place) -> Iterator[str]:
    # a family goes on for ever, so only those count that have an active revision
    pages = place.client("ecs").get_paginator("list_task_definitions").paginate(status="ACTIVE")
    arns = [str(arn) for arn in pages.search("taskDefinitionArns[]")]
    yield from sorted({arn.rpartition("/")[2].rpartition(":")[0] for arn in arns})


def _revisions(place: Place, family: str) -> list[str]:
    pages = place.client("ecs").get_paginator("list_task_definitions").paginate(familyPrefix=family)
    arns = (str(arn) for arn in pages.search("taskDefinitionArns[]"))
    # familyPrefix finds longer names as well
    return [arn for arn in arns if arn.rpartition("/")[2].rpartition(":")[0] == family]


def _family_tags(place: Place, family: str) -> Tags:
    ecs, found = place.client("ecs"), _revisions(place, family)
    tags = [_read(ecs.list_tags_for_resource(resourceArn=one)["tags"], *_LOWER) for one in found]
    # every revision has to be the labs' for the family to be theirs
    return {key: value for key, value in tags[0].items() if all(key in one for one in tags)}


def _tag_family(place: Place, family: str, tags: Tags) -> None:
    for arn in _revisions(place, family):
        place.client("ecs").tag_resource(resourceArn=arn, tags=_pairs(tags, *_LOWER))


def _delete_family(place: Place, family: str) -> None:
    for arn in _revisions(place, family):
        place.client("ecs").deregister_task_definition(taskDefinition=arn)


def _connections(place: Place) -> Iterator[str]:
    yield from (name for name, _ in _every_connection(place))


def _every_connection(place: Place) -> Iterator[tuple[str, str]]:
    """(name, ARN); botocore has no paginator for this list."""
    client = place.client("codeconnections")
    token: dict[str, str] = {}
    while True:
        found = client.list_connections(**token)
        yield from ((one["ConnectionName"], one["ConnectionArn"]) for one in found["Connections"])
        if not found.get("NextToken"):
            return
        token = {"NextToken": found["NextToken"]}


def _delete_connection(place: Place, name: str) -> None:
    for known, arn in list(_every_connection(place)):
        if known == name:
            place.client("codeconnections").delete_connection(ConnectionArn=arn)


def _queues(place: Place) -> Iterator[str]:
    pages = place.client("sqs").get_paginator("list_queues").paginate()
    yield from (str(url).rpartition("/")[2] for url in pages.search("QueueUrls[]") if url)


def _delete_queue(place: Place, name: str) -> None:
    queues = place.client("sqs")
    queues.delete_queue(QueueUrl=queues.get_queue_url(QueueName=name)["QueueUrl"])


def _delete_rule(place: Place, name: str) -> None:
    events = place.client("events")
    targets = [one["Id"] for one in events.list_targets_by_rule(Rule=name)["Targets"]]
    if targets:
        events.remove_targets(Rule=name, Ids=targets)
    events.delete_rule(Name=name)


_LOWER = ("key", "value")

KINDS = {
    "build project": Kind(
        _all("codebuild", "list_projects", "projects[]"),
        lambda place, name: place.client("codebuild").delete_project(name=name),
        costs="costs nothing until a build runs",
    ),
    "pipeline": Kind(
        _all("codepipeline", "list_pipelines", "pipelines[].name"),
        lambda place, name: place.client("codepipeline").delete_pipeline(name=name),
        costs="costs what each of its runs costs",
    ),
    "connection": Kind(
        _connections,
        _delete_connection,
        costs="costs nothing, but it lets pipelines read your repository",
    ),
    "queue": Kind(_queues, _delete_queue),
    "event rule": Kind(_all("events", "list_rules", "Rules[].Name"), _delete_rule),
    "task definition": Kind(_families, _delete_family, _family_tags, _tag_family),
    "pull-through cache rule": Kind(
        _all(
            "ecr",
            "describe_pull_through_cache_rules",
            "pullThroughCacheRules[].ecrRepositoryPrefix",
        ),
        _delete_cache_rule,
        costs="makes repositories whenever somebody pulls through it",
    ),
    "creation template": Kind(
        _all(
            "ecr",
            "describe_repository_creation_templates",
            "repositoryCreationTemplates[].prefix",
        ),
        _delete_template,
    ),
    "repository": Kind(
        _all("ecr", "describe_repositories", "repositories[].repositoryName"),
        lambda place, name: no_repository(name).ensure(place),
        _repository_tags,
        _tag_repository,
        costs="costs what its images take, a month",
    ),
    "secret": Kind(
        _all("secretsmanager", "list_secrets", "SecretList[].Name"),
        _delete_secret,
        _secret_tags,
        _tag_secret,
        costs="costs money every month, used or not",
    ),
    "bucket": Kind(
        _all("s3", "list_buckets", "Buckets[].Name"),
        _delete_bucket,
        _bucket_tags,
        _tag_bucket,
        costs="costs what its files take, a month",
    ),
    "user": Kind(
        _all("iam", "list_users", "Users[].UserName"),
        lambda place, name: no_user(name).ensure(place),
        **_iam("user"),
        costs="costs nothing, but its access keys open your account",
    ),
    "group": Kind(
        _all("iam", "list_groups", "Groups[].GroupName"),
        lambda place, name: no_group(name).ensure(place),
    ),
    "role": Kind(
        _all("iam", "list_roles", "Roles[].RoleName"),
        lambda place, name: no_role(name).ensure(place),
        **_iam("role"),
        costs="costs nothing, but it can be assumed",
    ),
    "policy": Kind(
        _own_policies,
        lambda place, name: no_policy(name).ensure(place),
        _policy_tags,
        _tag_policy,
    ),
    "identity provider": Kind(
        _providers,
        _delete_provider,
        _provider_tags,
        _tag_provider,
        costs="costs nothing, but it lets GitHub ask for your roles",
    ),
}
