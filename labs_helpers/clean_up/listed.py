"""The one list of what the labs make in an account: ``made.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("made.toml")


@dataclass(frozen=True)
class Listed:
    """One name of the list: its kind ("repository"), the name, and the labs that make it.

    A name may end in ``/*``: every name that begins so.
    """

    kind: str
    name: str
    labs: tuple[str, ...]

    def fits(self, name: str) -> bool:
        """Whether a thing of this kind with ``name`` is meant."""
        return name.startswith(self.name[:-1]) if self.name.endswith("/*") else name == self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def listed(account: str) -> tuple[Listed, ...]:
    """The list, in the order of deletion, with the account's number in the names."""
    kinds = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        Listed(kind, name.replace("ACCOUNT", account), tuple(labs))
        for kind, names in kinds.items()
        for name, labs in names.items()
    )
