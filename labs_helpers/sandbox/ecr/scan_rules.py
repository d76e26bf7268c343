"""How often a repository is scanned: the registry's configuration, and the filters of its rules.

Sources: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html and
image-scanning-filters.html beside it.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.ecr import wildcards
from labs_helpers.sandbox.ecr.repositories import Registry, Repository

KIND = "scanning"
"""The kind of the registry's document that holds the configuration."""

#: The rule that scans more often wins.
_ORDER = ("CONTINUOUS_SCAN", "SCAN_ON_PUSH", "MANUAL")


@dataclass(frozen=True)
class Rule:
    """How a repository is scanned: BASIC or ENHANCED, how often, by which filters."""

    scan_type: str
    frequency: str
    filters: tuple[dict[str, str], ...] = ()


def configuration(db: sqlite3.Connection, registry: Registry) -> dict[str, Any]:
    """``{"scanType": ..., "rules": [...]}``; BASIC without rules until somebody sets it."""
    row = db.execute(
        "select body from registry_documents"
        " where account = ? and region = ? and kind = ? and name = ''",
        (registry.account, registry.region, KIND),
    ).fetchone()
    found: dict[str, Any] = json.loads(row["body"]) if row else {}
    return {"scanType": "BASIC", "rules": [], **found}


def rule(configuration: dict[str, Any], repository: Repository) -> Rule:
    """The rule that applies to a repository.

    The repository's ``scanOnPush`` counts for basic scanning when no filter matches; enhanced
    scanning has only the registry's filters.
    """
    scan_type = configuration["scanType"]
    for each in sorted(configuration["rules"], key=lambda one: _ORDER.index(one["scanFrequency"])):
        matching = [
            one for one in each["repositoryFilters"] if matches(one["filter"], repository.name)
        ]
        if matching:
            return Rule(scan_type, each["scanFrequency"], tuple(matching))
    own = repository.scan_on_push and scan_type == "BASIC"
    return Rule(scan_type, "SCAN_ON_PUSH" if own else "MANUAL")


def matches(wildcard: str, name: str) -> bool:
    """Whether a scanning filter matches a repository's name.

    A filter without ``*`` matches every name that contains it; ``*`` stands for any characters.
    """
    if "*" not in wildcard:
        return wildcard in name
    return wildcards.matches(wildcard, name)
