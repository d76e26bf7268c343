"""Writes docs/services.md from the table: `python -m labs_helpers.sandbox.moto.page`."""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path

from labs_helpers.sandbox.moto.refusals import EVERY, rows
from labs_helpers.sandbox.moto.stacks.types import types
from labs_helpers.sandbox.moto.table import PAGE, services
from labs_helpers.sandbox.service.operations import collect, recorded
from labs_helpers.sandbox.service.protocol import service_model

_HEAD = """# What the sandbox answers

Written by `python -m labs_helpers.sandbox.moto.page` from `labs_helpers/sandbox/moto/table.toml`;
do not edit this page by hand.

An operation that is not listed is refused with the code `NotInSandbox`.

- "Ours" are operations that the sandbox does itself; of a service that is ours as a whole, what
  is refused is listed too.
- "True" are operations that [moto](https://docs.getmoto.org/) does, as far as moto goes: what was
  put is there, and is found again after the sandbox was stopped or killed.
- "Recorded" are operations, moto's or ours, that keep a record on which nothing acts: no packet
  flows, nothing expires, no push starts a build.

The sandbox decides on every call with IAM's policies, whoever answers.
"""

_STACKS = (
    "A stack makes its resources by calls of whoever calls CloudFormation, who needs the right to "
    "each. A stack that fails is rolled back. Types and properties that a stack can have; a "
    "template with any other is refused by name:"
)


def page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for name, row in sorted(services().items(), key=lambda item: item[1].title.lower()):
        parts.append(f"## {row.title} (`{name}`)\n")
        if row.room:
            parts += _of_room(name, row.room)
        if row.ours:
            parts.append(_listed("Ours", row.ours))
        if row.always:
            parts.append(_listed(f"Ours, and the answer is always {row.always}", row.moto))
        elif row.moto:
            parts.append(_listed("True", row.moto - row.recorded))
        if row.recorded:
            parts.append(_listed("Recorded", row.recorded))
        if name == "cloudformation":
            parts += _types()
    parts.append("## Refused with a reason of their own\n")
    for refused in rows():
        if refused.operations and not refused.arguments:
            names = sorted(refused.operations)
            named = "every operation" if names == [EVERY] else ", ".join(names)
            parts.append(_wrapped(f"- `{refused.service}`, {named}: {refused.reason}", "  ") + "\n")
    return "\n".join(parts)


def _of_room(name: str, room: str) -> list[str]:
    """What a service of ours does, and what it refuses, with the reason where there is one."""
    operations = importlib.import_module(f"labs_helpers.{room.replace('/', '.')}.operations")
    names = service_model(name).operation_names
    functions, reasons = collect(names, operations)
    absent = frozenset(names) - set(functions)
    parts = [f"`labs_helpers/{room}` answers for the whole service.\n"]
    kept = recorded(operations)
    parts.append(_listed("Ours", frozenset(functions) - kept))
    if kept:
        parts.append(_listed("Recorded", kept))
    if absent - set(reasons):
        parts.append(_listed("Refused", absent - set(reasons)))
    told: dict[str, list[str]] = {}
    for operation, reason in sorted(reasons.items()):
        told.setdefault(reason, []).append(operation)
    for reason, refused in told.items():
        parts.append(_wrapped(f"- Refused, {', '.join(refused)}: {reason}", "  ") + "\n")
    return parts


def _types() -> list[str]:
    """What a stack can have, each with the properties that are applied."""
    parts = [_wrapped(_STACKS, "") + "\n"]
    for name, kind in sorted(types().items()):
        parts.append(_wrapped(f"- `{name}`: {', '.join(sorted(kind.properties))}", "  "))
    return [*parts, ""]


def _listed(head: str, operations: frozenset[str]) -> str:
    return _wrapped(f"{head}: {', '.join(sorted(operations))}.", "") + "\n"


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(
        text, 100, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def main() -> None:
    """Write the page into the repository that this file is in."""
    place = Path(__file__).parents[3] / PAGE
    place.write_text(page(), encoding="utf-8")
    print(place)


if __name__ == "__main__":
    main()
