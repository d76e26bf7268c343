"""Who answers an operation of AWS: a function of ours, moto, or nobody.

The one table is table.toml; what is not in the table is refused: "NotInSandbox", with the reason of
refused.toml where there is one, and the page docs/services.md. `labs_helpers.sandbox.moto.page`
writes that page from the table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from labs_helpers.sandbox.moto import refusals
from labs_helpers.sandbox.service.aws_errors import not_implemented

PAGE = "docs/services.md"


class Answerer(Enum):
    """Who answers an operation."""

    OURS = "ours"
    MOTO = "moto"


@dataclass(frozen=True)
class Service:
    """One row.

    recorded: operations of which moto keeps a record on which nothing acts; room: the room of ours
    that answers the whole service, empty for none; always: the code of the error that answers every
    operation, empty for none; words: of that error.
    """

    title: str
    moto: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    recorded: frozenset[str] = frozenset()
    room: str = ""
    always: str = ""
    words: str = ""


@cache
def services() -> Mapping[str, Service]:
    """The table, by signing name."""
    rows = tomllib.loads(Path(__file__).with_name("table.toml").read_text(encoding="utf-8"))
    return {
        name: Service(
            row["title"],
            frozenset(row.get("moto", "").split()),
            frozenset(row.get("ours", "").split()),
            _recorded(row),
            row.get("room", ""),
            row.get("always", ""),
            row.get("words", ""),
        )
        for name, row in rows.items()
    }


_READS = ("BatchGet", "Describe", "Get", "List")


def _recorded(row: Mapping[str, str]) -> frozenset[str]:
    named = row.get("recorded", "").split()
    if named != ["*"]:
        return frozenset(named)
    return frozenset(name for name in row["moto"].split() if not name.startswith(_READS))


def answerer(service: str, operation: str) -> Answerer:
    """Who answers; raises Refusal (NotInSandbox) for what the table does not have."""
    row = services().get(service, Service(""))
    if operation not in row.moto | row.ours:
        refused = refusals.operations(service)
        reason = refused.get(operation) or refused.get(refusals.EVERY)
        reason = reason or f"The sandbox has what {PAGE} lists."
        raise not_implemented(f"the operation {service}:{operation}", reason)
    return Answerer.OURS if operation in row.ours else Answerer.MOTO
