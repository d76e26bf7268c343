"""Operations on resource tags: the tags of AWS on a repository, not the tags of images."""

import re

from labs_helpers.sandbox.ecr import repositories
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.validation import invalid, limit_tags, tags_by_key
from labs_helpers.sandbox.service.service import Members

_ARN = re.compile(r"arn:aws:ecr:([a-z0-9-]+):([0-9]{12}):repository/(.+)", re.DOTALL)


def tag_resource(call: Call, params: Members) -> Members:
    """Adds or replaces resource tags."""
    repository = _repository_of(call, params["resourceArn"])
    changes = tags_by_key(params["tags"])
    limit_tags({**repositories.tags(call.store, repository), **changes})
    repositories.tag(call.store, repository, changes)
    return {}


def untag_resource(call: Call, params: Members) -> Members:
    """Removes resource tags; a key without a tag is no error."""
    repository = _repository_of(call, params["resourceArn"])
    repositories.untag(call.store, repository, params["tagKeys"])
    return {}


def list_tags_for_resource(call: Call, params: Members) -> Members:
    """The resource tags of a repository."""
    repository = _repository_of(call, params["resourceArn"])
    tags = repositories.tags(call.store, repository)
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _repository_of(call: Call, arn: str) -> Repository:
    match = _ARN.fullmatch(arn)
    if match is None or match[1] != call.registry.region:
        raise invalid("resourceArn", "Invalid ARN")
    registry = repositories.Registry(match[2], match[1])
    return repositories.get(call.store, registry, match[3])
