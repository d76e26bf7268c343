"""The types of resources that a stack may have; every other type is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from labs_helpers.sandbox.moto import refusals
from labs_helpers.sandbox.moto.stacks import (
    identities,
    messages,
    networks,
    registries,
    repositories,
    storage,
)
from labs_helpers.sandbox.moto.stacks.kinds import Kind
from labs_helpers.sandbox.service.aws_errors import not_implemented

IAM_NAMES = frozenset(("RoleName", "UserName", "GroupName", "ManagedPolicyName"))
"""Properties that name what is IAM's: CAPABILITY_NAMED_IAM is needed.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html
"""


@cache
def types() -> Mapping[str, Kind]:
    """Every type that a stack may have, by its name."""
    found: dict[str, Kind] = {}
    for module in (identities, messages, networks, registries, repositories, storage):
        found |= module.KINDS
    return found


def check(logical_id: str, resource: Mapping[str, Any]) -> None:
    """Raise Refusal for a resource of a template that cannot be made as the template says."""
    name = resource["Type"]
    found = types().get(name)
    if found is None:
        known = "docs/services.md lists the types of a stack."
        reason = refusals.reason_of_type(name) or known
        raise not_implemented(f"the resource type {name[:120]}", reason)
    if unknown := sorted(set(resource.get("Properties", {})) - found.properties):
        raise not_implemented(
            f"the property {unknown[0][:120]} of {name} in a stack",
            f"[/Resources/{logical_id}] can have: {', '.join(sorted(found.properties))}.",
        )


def capabilities(template: Mapping[str, Any]) -> list[str]:
    """The capabilities that a stack of the template needs."""
    needy = [each for each in template["Resources"].values() if types()[each["Type"]].needs]
    if not needy:
        return []
    named = any(IAM_NAMES & set(each.get("Properties", {})) for each in needy)
    return ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"]


def needing_capabilities(template: Mapping[str, Any]) -> list[str]:
    """The types for which a stack of the template needs a capability."""
    found = {each["Type"] for each in template["Resources"].values()}
    return sorted(each for each in found if types()[each].needs)
