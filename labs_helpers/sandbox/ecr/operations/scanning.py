"""Which repositories are to be scanned when, by the registry's rules and their own setting."""

import re
from typing import Any

from labs_helpers.sandbox.ecr.errors import RepositoryNotFound
from labs_helpers.sandbox.ecr.operations.call import Call
from labs_helpers.sandbox.ecr.operations.registries import scanning_configuration
from labs_helpers.sandbox.ecr.repositories import Repository

#: The rule that scans more often wins.
_ORDER = ("CONTINUOUS_SCAN", "SCAN_ON_PUSH", "MANUAL")


def batch_get_repository_scanning_configuration(
    call: Call, params: dict[str, Any]
) -> dict[str, Any]:
    """For each repository how often it is scanned and which of the registry's filters say so."""
    rules = scanning_configuration(call)["rules"]
    found: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for name in dict.fromkeys(params["repositoryNames"]):
        try:
            repository = call.repository(name)
        except RepositoryNotFound:
            failures.append(
                {
                    "repositoryName": name,
                    "failureCode": "REPOSITORY_NOT_FOUND",
                    "failureReason": "REPOSITORY_NOT_FOUND",
                }
            )
        else:
            found.append(_configuration(repository, rules))
    return {"scanningConfigurations": found, "failures": failures}


def _configuration(repository: Repository, rules: list[dict[str, Any]]) -> dict[str, Any]:
    frequency = "SCAN_ON_PUSH" if repository.scan_on_push else "MANUAL"
    filters: list[dict[str, str]] = []
    for rule in sorted(rules, key=lambda rule: _ORDER.index(rule["scanFrequency"])):
        matching = [
            each for each in rule["repositoryFilters"] if matches(each["filter"], repository.name)
        ]
        if matching:
            frequency, filters = rule["scanFrequency"], matching
            break
    return {
        "repositoryArn": repository.arn,
        "repositoryName": repository.name,
        "scanOnPush": frequency != "MANUAL",
        "scanFrequency": frequency,
        "appliedScanFilters": filters,
    }


def matches(wildcard: str, name: str) -> bool:
    """Whether a scanning filter takes a repository in.

    A filter without ``*`` takes in every name that contains it; ``*`` stands for any characters.
    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-filters.html
    """
    if "*" not in wildcard:
        return wildcard in name
    # stars in a row are one; lazily, each piece is looked for once, left to right
    first, *middle, last = re.split(r"\*+", wildcard)
    if not (name.startswith(first) and name.endswith(last)):
        return False
    if len(name) < len(first) + len(last):
        return False
    inner = name[len(first) : len(name) - len(last)]
    for piece in middle:
        at = inner.find(piece)
        if at < 0:
            return False
        inner = inner[at + len(piece) :]
    return True
