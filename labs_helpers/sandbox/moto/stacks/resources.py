"""One resource of a stack: change the resource in place, or delete the resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.moto.stacks.calls import CallFailed, Calls
from labs_helpers.sandbox.moto.stacks.kinds import Made
from labs_helpers.sandbox.moto.stacks.types import types
from labs_helpers.sandbox.service.refusal import Refusal


def require_in_place(kind: str, was: str, made: Made, wanted: Mapping[str, Any]) -> None:
    """Raise Refusal for a change that would need another resource in the place of this one."""
    found = types()[kind]
    changed = sorted(
        name
        for name in {*made.properties, *wanted}
        if made.properties.get(name) != wanted.get(name)
    )
    fixed = [name for name in changed if name not in found.changes]
    if kind != was:
        raise _no_replacement(f"the type {was} to {kind}")
    if fixed:
        raise _no_replacement(f"the property {fixed[0]} of {kind}")


def _no_replacement(what: str) -> Refusal:
    words = (
        f"The sandbox does not change {what} of a resource that a stack has made: AWS might "
        "replace the resource. Delete the stack and create the stack anew."
    )
    return Refusal("NotInSandbox", words, 501)


def apply(calls: Calls, kind: str, made: Made, wanted: Mapping[str, Any]) -> None:
    """Change a resource to the wanted properties; raises Refusal where no call changes the type."""
    update = types()[kind].update
    if update is None:
        raise _no_replacement(f"the properties of {kind}")
    update(calls, made, wanted)
    made.properties = wanted


def take_away(calls: Calls, kind: str, made: Made) -> None:
    """Delete a resource; one that somebody has deleted already is gone, as for CloudFormation."""
    try:
        types()[kind].delete(calls, made)
    except CallFailed as error:
        gone = ("NotFound", "NoSuch", "NonExistent", "DoesNotExist")
        if not any(word in error.code for word in gone):
            raise
