"""Validation of lifecycle policies: the schema, and what the rules must not do together.

ECR checks the text with a JSON schema validator and passes on that validator's words; those below
are the ones reported from AWS. Schema:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import json
from collections.abc import Iterable
from typing import Any

from labs_helpers.sandbox.ecr.errors import InvalidParameter

_TAG_STATUS = ("any", "tagged", "untagged")
_ACTIONS = ("expire", "transition")
_STORAGE = ("archive", "standard")
_COUNTS_WITH_UNIT = ("sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_NO_SCHEMA = "instance failed to match exactly one schema (matched 0 out of 2)"
_MAX_WILDCARDS = 4

_DAYS_IN_ARCHIVE = 90
"""For less, no image stays in the archive.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html
"""


class InvalidLifecyclePolicy(InvalidParameter):
    """The text is no lifecycle policy; the message names the first problem."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
            f"'Lifecycle policy validation failure: {fault}'"
        )


def check_lifecycle_policy(text: str) -> None:
    """Raise InvalidLifecyclePolicy unless ECR would accept the text as a lifecycle policy."""
    rules = _rules(text)
    for rule in rules:
        _check_rule(rule)
    _check_together(rules)


def as_ecr_prints(text: str) -> str:
    """A policy without the white space between its parts, as ECR hands every policy back.

    https://docs.aws.amazon.com/cli/latest/reference/ecr/put-lifecycle-policy.html
    """
    return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


def _rules(text: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InvalidLifecyclePolicy("Could not map policyString into LifecyclePolicy.")
    _properties(document, required=["rules"], allowed=["rules"])
    rules = document["rules"]
    if not isinstance(rules, list):
        raise InvalidLifecyclePolicy(_wrong_type(rules, "array"))
    if not rules:
        raise InvalidLifecyclePolicy("array is too short: must have at least 1 elements")
    return rules


def _check_rule(rule: Any) -> None:
    _object(rule)
    required = ["action", "rulePriority", "selection"]
    _properties(rule, required, [*required, "description"])
    _number(rule["rulePriority"])
    if not isinstance(rule.get("description", ""), str):
        raise InvalidLifecyclePolicy(_wrong_type(rule["description"], "string"))
    _check_action(rule["action"])
    _check_selection(rule["selection"])
    _check_way(rule["selection"], rule["action"]["type"])


def _check_action(action: Any) -> None:
    _object(action)
    _properties(action, ["type"], ["type", "targetStorageClass"])
    _enum(action["type"], _ACTIONS)
    wanted = "archive" if action["type"] == "transition" else None
    if action.get("targetStorageClass") != wanted or (
        wanted is None and "targetStorageClass" in action
    ):
        raise InvalidLifecyclePolicy(_NO_SCHEMA)


def _check_selection(selection: Any) -> None:
    _object(selection)
    required = ["countNumber", "countType", "tagStatus"]
    _properties(
        selection,
        required,
        [*required, "countUnit", "storageClass", "tagPatternList", "tagPrefixList"],
    )
    _enum(selection["tagStatus"], _TAG_STATUS)
    _number(selection["countNumber"])
    for name in ("tagPatternList", "tagPrefixList"):
        if not isinstance(selection.get(name, []), list):
            raise InvalidLifecyclePolicy(_wrong_type(selection[name], "array"))
    _check_count(selection)
    if selection["countType"] == "sinceImageTransitioned":
        _number(selection["countNumber"], _DAYS_IN_ARCHIVE)
    if "storageClass" in selection:
        _enum(selection["storageClass"], _STORAGE)
    lists = [name for name in ("tagPatternList", "tagPrefixList") if name in selection]
    if (selection["tagStatus"] == "tagged") != (len(lists) == 1):
        raise InvalidLifecyclePolicy(_NO_SCHEMA)
    for name in lists:
        _check_tags(selection[name], patterns=name == "tagPatternList")


def _check_count(selection: dict[str, Any]) -> None:
    """Counts of days need a countUnit; no other count may have one."""
    if selection["countType"] in _COUNTS_WITH_UNIT:
        if "countUnit" not in selection:
            raise InvalidLifecyclePolicy(_NO_SCHEMA)
        _enum(selection["countUnit"], ("days",))
    elif selection["countType"] != "imageCountMoreThan" or "countUnit" in selection:
        raise InvalidLifecyclePolicy(_NO_SCHEMA)


def _check_way(selection: dict[str, Any], action: str) -> None:
    """Images go from the standard class to the archive or away, and from the archive away only.

    The archive's rules count the days since the move; days since the last pull only archive:
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html and
    https://github.com/aws/containers-roadmap/issues/921. No source has ECR's words for these two.
    """
    counted, storage = selection["countType"], selection.get("storageClass", "standard")
    of_archive = counted == "sinceImageTransitioned"
    if (storage == "archive") != of_archive:
        raise InvalidLifecyclePolicy(_NO_SCHEMA)
    only = {"sinceImagePulled": "transition", "sinceImageTransitioned": "expire"}
    if action != only.get(counted, action):
        raise InvalidLifecyclePolicy(_NO_SCHEMA)


def _check_tags(tags: list[Any], patterns: bool) -> None:
    if not tags:
        raise InvalidLifecyclePolicy("array is too short: must have at least 1 elements")
    for tag in tags:
        if not isinstance(tag, str):
            raise InvalidLifecyclePolicy(_wrong_type(tag, "string"))
        if not tag or (patterns and tag.count("*") > _MAX_WILDCARDS):
            raise InvalidLifecyclePolicy(_NO_SCHEMA)


def _check_together(rules: list[dict[str, Any]]) -> None:
    priorities = [rule["rulePriority"] for rule in rules]
    if len(set(priorities)) != len(priorities):
        raise InvalidLifecyclePolicy("Rule priorities must be unique")
    for storage in _STORAGE:
        in_class = [
            rule for rule in rules if rule["selection"].get("storageClass", "standard") == storage
        ]
        status = {rule["rulePriority"]: rule["selection"]["tagStatus"] for rule in in_class}
        values = list(status.values())
        if values.count("untagged") > 1:
            raise InvalidLifecyclePolicy(
                "Only one rule can select Untagged images per storage class."
            )
        if values.count("any") > 1 or ("any" in values and status[max(status)] != "any"):
            raise InvalidLifecyclePolicy(
                "Rule for tagStatus=ANY must have the lowest priority per storage class"
            )


def _object(value: Any) -> None:
    if not isinstance(value, dict):
        raise InvalidLifecyclePolicy(_wrong_type(value, "object"))


def _properties(value: dict[str, Any], required: list[str], allowed: list[str]) -> None:
    missing = sorted(set(required) - set(value))
    if missing:
        raise InvalidLifecyclePolicy(f"object has missing required properties ({_quoted(missing)})")
    unknown = sorted(set(value) - set(allowed))
    if unknown:
        raise InvalidLifecyclePolicy(
            "object instance has properties which are not allowed by the schema: "
            f"({_quoted(unknown)})"
        )


def _enum(value: Any, allowed: Iterable[str]) -> None:
    values = list(allowed)
    if value not in values:
        raise InvalidLifecyclePolicy(
            f"instance value ({json.dumps(value)}) not found in enum "
            f"(possible values: {_quoted(values)})"
        )


def _number(value: Any, minimum: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidLifecyclePolicy(_wrong_type(value, "integer"))
    if value < minimum:
        raise InvalidLifecyclePolicy(
            "numeric instance is lower than the required minimum "
            f"(minimum: {minimum}, found: {value})"
        )


def _wrong_type(value: Any, wanted: str) -> str:
    names = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    found = names.get(type(value), "null")
    return (
        f'instance type ({found}) does not match any allowed primitive type (allowed: ["{wanted}"])'
    )


def _quoted(names: list[str]) -> str:
    return json.dumps(names, separators=(",", ","))
