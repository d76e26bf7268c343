"""Tags, of both kinds: resource tags of AWS on a repository, and the rules for image tags."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecr import repositories
from labs_helpers.sandbox.ecr.errors import InvalidTagParameter, TooManyTags
from labs_helpers.sandbox.ecr.operations.call import Call
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.validation import invalid

MAX_TAGS = 50
_MAX_KEY = 128
_MAX_VALUE = 256
_ARN = re.compile(r"arn:aws:ecr:([a-z0-9-]+):([0-9]{12}):repository/(.+)", re.DOTALL)

#: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
_MAX_WILDCARDS = 2


def tag_resource(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Adds or replaces resource tags."""
    repository = _repository_of(call, params["resourceArn"])
    changes = checked_tags(params["tags"])
    if len({**repositories.tags(call.store, repository), **changes}) > MAX_TAGS:
        raise _too_many()
    repositories.tag(call.store, repository, changes)
    return {}


def untag_resource(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Removes resource tags; keys that are not there are passed over."""
    repository = _repository_of(call, params["resourceArn"])
    repositories.untag(call.store, repository, params["tagKeys"])
    return {}


def list_tags_for_resource(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """The resource tags of a repository."""
    repository = _repository_of(call, params["resourceArn"])
    tags = repositories.tags(call.store, repository)
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def checked_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Resource tags by key; raises InvalidTagParameter or TooManyTags."""
    by_key = {tag["Key"]: tag["Value"] for tag in tags}
    if len(by_key) > MAX_TAGS:
        raise _too_many()
    sound = len(by_key) == len(tags) and all(
        0 < len(key) <= _MAX_KEY and len(value) <= _MAX_VALUE and not key.startswith("aws:")
        for key, value in by_key.items()
    )
    if not sound:
        raise InvalidTagParameter("Tag parameters are invalid")
    return by_key


def check_exclusions(mutability: str, filters: Sequence[Mapping[str, str]] | None) -> None:
    """Raises InvalidParameter unless the filters go with the image tag mutability."""
    if mutability.endswith("_WITH_EXCLUSION") != bool(filters):
        raise invalid(
            "imageTagMutabilityExclusionFilters",
            "ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as "
            f"{mutability}"
            if not filters
            else "ImageTagMutabilityExclusionFilters must be null when imageTagMutability is set "
            f"as {mutability}",
        )
    for each in filters or ():
        if each["filter"].count("*") > _MAX_WILDCARDS:
            raise invalid(
                "imageTagMutabilityExclusionFilters",
                f"A filter can have at most {_MAX_WILDCARDS} wildcards",
            )


def _repository_of(call: Call, arn: str) -> Repository:
    match = _ARN.fullmatch(arn)
    if match is None or match[1] != call.registry.region:
        raise invalid("resourceArn", "Invalid ARN")
    registry = repositories.Registry(match[2], match[1])
    return repositories.get(call.store, registry, match[3])


def _too_many() -> TooManyTags:
    return TooManyTags(
        "The list of tags on the repository is over the limit. The maximum number of tags that "
        f"can be applied to a repository is {MAX_TAGS}."
    )
