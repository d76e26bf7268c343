"""One resource of a stack: change the resource in place, or delete the resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.moto.stacks.calls import CallFailed, Calls
from labs_helpers.sandbox.moto.stacks.kinds import Made
from labs_helpers.sandbox.moto.stacks.types import types
from labs_helpers.sandbox.service.refusal import Refusal


def needs_replacement(kind: str, was: str, made: Made, wanted: Mapping[str, Any]) -> bool:
    """Whether a change needs a new resource in the place of this one.

    Raises Refusal for a change of which the sandbox does not know whether AWS replaces.
    """
    found = types()[kind]
    changed = sorted(
        name
        for name in {*made.properties, *wanted}
        if made.properties.get(name) != wanted.get(name)
    )
    if kind != was:
        raise _no_replacement(f"the type {was} to {kind}")
    for name in changed:
        if name not in found.changes | found.replaces:
            raise _no_replacement(f"the property {name} of {kind}")
    return not found.replaces.isdisjoint(changed)


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
