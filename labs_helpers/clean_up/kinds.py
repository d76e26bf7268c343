"""The kinds of things that the labs make: which are there, their tags, what they cost, deletion.

Every kind of ``made.toml`` has a :class:`Kind` here or in ``delivery.py``. Things with parts (a
repository with images, a user with keys) go with their parts, in the order that AWS wants; see
``prepare/people.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.clean_up.delivery import DELIVERY
from labs_helpers.clean_up.kind import Kind, Tags, all_of, pairs, read
from labs_helpers.prepare.buckets import no_bucket
from labs_helpers.prepare.people import no_group, no_role, no_user
from labs_helpers.prepare.repositories import no_repository
from labs_helpers.prepare.step import Place

# Amazon ECR


def _repository_arn(place: Place, name: str) -> str:
    return f"arn:aws:ecr:{place.region}:{place.account}:repository/{name}"


def _repository_tags(place: Place, name: str) -> Tags:
    arn = _repository_arn(place, name)
    return read(place.client("ecr").list_tags_for_resource(resourceArn=arn)["tags"])


def _tag_repository(place: Place, name: str, tags: Tags) -> None:
    arn = _repository_arn(place, name)
    place.client("ecr").tag_resource(resourceArn=arn, tags=pairs(tags))


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
    return read(found.get("Tags", []))


def _tag_secret(place: Place, name: str, tags: Tags) -> None:
    place.client("secretsmanager").tag_resource(SecretId=name, Tags=pairs(tags))


def _delete_secret(place: Place, name: str) -> None:
    # without a recovery window: a secret that waits keeps its name from the next one
    place.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


# Amazon S3


def _bucket_tags(place: Place, name: str) -> Tags:
    try:
        return read(place.client("s3").get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchTagSet":
            return {}
        raise


def _tag_bucket(place: Place, name: str, tags: Tags) -> None:
    # a bucket's tags are put as a whole
    whole = {**_bucket_tags(place, name), **tags}
    place.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs(whole)})


def _delete_bucket(place: Place, name: str) -> None:
    no_bucket(name.removesuffix(f"-{place.account}")).ensure(place)


# IAM; https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html says what has tags


def _iam(kind: str) -> dict[str, Any]:
    whose = f"{kind.capitalize()}Name"

    def tags(place: Place, name: str) -> Tags:
        return read(getattr(place.client("iam"), f"list_{kind}_tags")(**{whose: name})["Tags"])

    def tag(place: Place, name: str, given: Tags) -> None:
        getattr(place.client("iam"), f"tag_{kind}")(**{whose: name}, Tags=pairs(given))

    return {"tags": tags, "tag": tag}


def _policy(place: Place, name: str) -> str:
    return f"arn:aws:iam::{place.account}:policy/{name}"


def _own_policies(place: Place) -> Iterator[str]:
    pages = place.client("iam").get_paginator("list_policies").paginate(Scope="Local")
    yield from pages.search("Policies[].PolicyName")


def _policy_tags(place: Place, name: str) -> Tags:
    arn = _policy(place, name)
    return read(place.client("iam").list_policy_tags(PolicyArn=arn)["Tags"])


def _tag_policy(place: Place, name: str, tags: Tags) -> None:
    place.client("iam").tag_policy(PolicyArn=_policy(place, name), Tags=pairs(tags))


def _delete_policy(place: Place, name: str) -> None:
    """Delete a policy with its versions. AWS refuses that while somebody has the policy.

    The labs' users, groups and roles went before: who still has the policy is not the labs'.
    """
    iam, arn = place.client("iam"), _policy(place, name)
    if iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 0:
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)


def _provider(place: Place, name: str) -> str:
    return f"arn:aws:iam::{place.account}:oidc-provider/{name}"


def _providers(place: Place) -> Iterator[str]:
    for one in place.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        yield one["Arn"].partition("/")[2]


def _provider_tags(place: Place, name: str) -> Tags:
    arn = _provider(place, name)
    found = place.client("iam").list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)
    return read(found["Tags"])


def _tag_provider(place: Place, name: str, tags: Tags) -> None:
    place.client("iam").tag_open_id_connect_provider(
        OpenIDConnectProviderArn=_provider(place, name), Tags=pairs(tags)
    )


def _delete_provider(place: Place, name: str) -> None:
    place.client("iam").delete_open_id_connect_provider(
        OpenIDConnectProviderArn=_provider(place, name)
    )


KINDS = {
    **DELIVERY,
    "pull-through cache rule": Kind(
        all_of(
            "ecr",
            "describe_pull_through_cache_rules",
            "pullThroughCacheRules[].ecrRepositoryPrefix",
        ),
        _delete_cache_rule,
        costs="makes repositories whenever somebody pulls through it",
    ),
    "creation template": Kind(
        all_of(
            "ecr",
            "describe_repository_creation_templates",
            "repositoryCreationTemplates[].prefix",
        ),
        _delete_template,
    ),
    "repository": Kind(
        all_of("ecr", "describe_repositories", "repositories[].repositoryName"),
        lambda place, name: no_repository(name).ensure(place),
        _repository_tags,
        _tag_repository,
        costs="costs what its images take, a month",
    ),
    "secret": Kind(
        all_of("secretsmanager", "list_secrets", "SecretList[].Name"),
        _delete_secret,
        _secret_tags,
        _tag_secret,
        costs="costs money every month, used or not",
    ),
    "bucket": Kind(
        all_of("s3", "list_buckets", "Buckets[].Name"),
        _delete_bucket,
        _bucket_tags,
        _tag_bucket,
        costs="costs what its files take, a month",
    ),
    "user": Kind(
        all_of("iam", "list_users", "Users[].UserName"),
        lambda place, name: no_user(name).ensure(place),
        **_iam("user"),
        costs="costs nothing, but its access keys open your account",
    ),
    "group": Kind(
        all_of("iam", "list_groups", "Groups[].GroupName"),
        lambda place, name: no_group(name).ensure(place),
    ),
    "role": Kind(
        all_of("iam", "list_roles", "Roles[].RoleName"),
        lambda place, name: no_role(name).ensure(place),
        **_iam("role"),
        costs="costs nothing, but it can be assumed",
    ),
    "policy": Kind(
        _own_policies,
        _delete_policy,
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
