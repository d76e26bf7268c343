"""Where the sandbox differs from AWS: one data file a lab, each entry held true by a test.

An entry says what happens ``here``, what happens on ``aws``, the ``source`` that says so, and the
``test`` (a pytest node id) that fails when the entry stops being true.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Difference:
    """One difference from AWS; ``labs`` are the numbers of the labs that show it."""

    id: str
    labs: tuple[str, ...]
    here: str
    aws: str
    source: str
    test: str


def every() -> list[Difference]:
    """All entries of all files, by file name and then in file order."""
    files = sorted(
        (file for file in resources.files(__package__).iterdir() if file.name.endswith(".json")),
        key=lambda file: file.name,
    )
    return [
        Difference(**{**entry, "labs": tuple(entry["labs"])})
        for file in files
        for entry in json.loads(file.read_text(encoding="utf-8"))
    ]


def of_lab(number: str) -> list[Difference]:
    """The entries that one lab shows."""
    return [entry for entry in every() if number in entry.labs]
