"""What ECR says of parameters, and what it checks beyond the model: tags, filters, pages.

ECR answers the first problem only, as InvalidParameterException with the text
``Invalid parameter at '<path>' failed to satisfy constraint: '<constraint>'``. Two spellings live
side by side on AWS: the framework's (``Member must ...``), and ECR's own for the repository's name
(``must ...``). Seen on AWS: https://github.com/carvel-dev/kbld (imageTag: ``must satisfy regular
expression ...``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.ecr.errors import InvalidParameter, InvalidTagParameter, TooManyTags
from labs_helpers.sandbox.service.validation import Problem

IMAGE_TAG = "[a-zA-Z0-9-_.]+"
"""The pattern of an image tag, which the model lacks."""

_PATTERN = "Member must satisfy regular expression pattern: "

_MUTABILITIES = ("IMMUTABLE", "MUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")
"""In the order of AWS's message; the model has another."""

_MAX_TAGS = 50
_MAX_KEY = 128
_MAX_VALUE = 256

_MAX_WILDCARDS = 2
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html"""


def invalid(path: str, constraint: str) -> InvalidParameter:
    """ECR's sentence about one parameter: its path and, quoted, the constraint it breaks."""
    return InvalidParameter.constraint(path, f"'{constraint}'")


def in_ecrs_words(problem: Problem) -> InvalidParameter:
    """The refusal of a parameter that breaks a constraint of the model."""
    path, constraint = problem.path, problem.constraint
    if path == "policyText" and problem.value is None:
        return invalid("PolicyText", "Cannot be null")
    if path == "repositoryName" and constraint.startswith(_PATTERN):
        return invalid(
            path, f"must satisfy regular expression '{constraint.removeprefix(_PATTERN)}'"
        )
    if path == "repositoryName":
        return invalid(path, constraint.removeprefix("Member "))
    if problem.value is not None and path == "imageTagMutability":
        return invalid(path, one_of(_MUTABILITIES))
    return invalid(path, constraint)


def one_of(values: Sequence[str]) -> str:
    """The constraint of a parameter that takes one of a few values."""
    return f"Member must satisfy enum value set: [{', '.join(values)}]"


def refuse_paging(params: Mapping[str, Any], names: str) -> None:
    """Raise InvalidParameter when a request that names items also asks for a page."""
    for member in ("nextToken", "maxResults"):
        if member in params:
            raise InvalidParameter(f"{member} cannot be specified with {names}")


def tags_by_key(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Resource tags by key; raises InvalidTagParameter or TooManyTags."""
    by_key = {tag["Key"]: tag["Value"] for tag in tags}
    limit_tags(by_key)
    sound = len(by_key) == len(tags) and all(
        0 < len(key) <= _MAX_KEY and len(value) <= _MAX_VALUE and not key.startswith("aws:")
        for key, value in by_key.items()
    )
    if not sound:
        raise InvalidTagParameter("Tag parameters are invalid")
    return by_key


def limit_tags(tags: Mapping[str, str]) -> None:
    """Raise TooManyTags for more resource tags than a repository can have."""
    if len(tags) > _MAX_TAGS:
        raise TooManyTags(
            "The list of tags on the repository is over the limit. The maximum number of tags that "
            f"can be applied to a repository is {_MAX_TAGS}."
        )


def check_exclusions(mutability: str, filters: Sequence[Mapping[str, str]] | None) -> None:
    """Raise InvalidParameter unless the exclusion filters fit the image tag mutability."""
    name = "imageTagMutabilityExclusionFilters"
    if mutability.endswith("_WITH_EXCLUSION") != bool(filters):
        must = "must be null" if filters else "can't be null"
        raise invalid(
            name,
            f"ImageTagMutabilityExclusionFilters {must} when imageTagMutability is set as "
            f"{mutability}",
        )
    if any(each["filter"].count("*") > _MAX_WILDCARDS for each in filters or ()):
        raise invalid(name, f"A filter can have at most {_MAX_WILDCARDS} wildcards")
