"""The one table of what is refused in words of the sandbox's own: refused.toml, read once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

EVERY = "*"
"""All operations of a service."""


@dataclass(frozen=True)
class Argument:
    """An argument for which an operation is refused.

    parameter: a name, or names with dots between them, each a member of the structure (or of the
    structures of the list) before; values: the refused values, or with `others` the only values
    that are taken, in small letters; form: of the values that are taken, in whichever case.
    Without values and form, any value is refused.
    """

    parameter: str
    reason: str
    values: frozenset[str] = frozenset()
    others: bool = False
    form: str = ""

    def refused(self, params: Mapping[str, Any]) -> Iterator[str]:
        """The values of a request that are refused."""
        for value in _values_in(params, self.parameter.split(".")):
            text = str(value)
            if self.values and (text.lower() in self.values) == self.others:
                continue
            if self.form and re.fullmatch(self.form, text, re.IGNORECASE):
                continue
            yield text


def _values_in(value: Any, names: list[str]) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _values_in(each, names)
    elif not names:
        if value is not None:
            yield value
    elif isinstance(value, Mapping):
        yield from _values_in(value.get(names[0]), names[1:])


@dataclass(frozen=True)
class Row:
    """A row of the table; with arguments, the row refuses these and not the operations."""

    service: str
    reason: str
    operations: tuple[str, ...]
    arguments: tuple[Argument, ...]
    types: tuple[str, ...]


@cache
def rows() -> tuple[Row, ...]:
    """The table, in the order of the file."""
    text = Path(__file__).with_name("refused.toml").read_text(encoding="utf-8")
    return tuple(_row(name, each) for name, found in tomllib.loads(text).items() for each in found)


def _row(service: str, row: Mapping[str, str]) -> Row:
    return Row(
        service,
        row["reason"],
        tuple(row.get("operations", "").split()),
        tuple(
            _argument(spelled, row["reason"], row.get("form", ""))
            for spelled in row.get("arguments", "").split()
        ),
        tuple(row.get("types", "").split()),
    )


def _argument(spelled: str, reason: str, form: str) -> Argument:
    """The argument that refused.toml spells "Name", "Name=a,b" or "Name!=a,b"."""
    name, _, values = spelled.partition("=")
    listed = frozenset(values.split(",")) if values else frozenset[str]()
    return Argument(name.removesuffix("!"), reason, listed, name.endswith("!"), form)


@cache
def operations(service: str) -> Mapping[str, str]:
    """The operations of a service that are refused (EVERY among them) -> the reason."""
    found = [row for row in rows() if row.service == service and not row.arguments]
    return {name: row.reason for row in found for name in row.operations}


@cache
def arguments(service: str, operation: str) -> tuple[Argument, ...]:
    """The arguments for which an operation is refused."""
    found = [row for row in rows() if row.service == service and operation in row.operations]
    return tuple(argument for row in found for argument in row.arguments)


def reason_of_type(name: str) -> str:
    """Why a stack has no resource of a type; empty where the table says nothing of the type."""
    found = (row.reason for row in rows() if row.types and name.startswith(row.types))
    return next(found, "")
