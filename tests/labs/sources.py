"""The sources of what the lessons claim: the table in docs/sources.md, and the labs' links.

`python -m tests.labs.sources` (part of `make check`) names the rows that were looked up more than a
year ago. It never fails: a lesson does not become wrong on a birthday, somebody has to look.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from labs_helpers.curriculum import LABS

PROJECT = Path(__file__).parents[2]
TABLE = PROJECT / "docs" / "sources.md"
DAYS = 365

_LINK = re.compile(r"\]\((https?://[^)\s]+)\)")
_ADDRESS = re.compile(r"https?://[^\s\"',;)]+[^\s\"',;:.)]")
_CODE = re.compile(r"```.*?```", re.DOTALL)
_ROW = re.compile(
    r"^\| (?P<claim>.+) \| (?P<lab>\S+) \| <(?P<url>\S+)> \| (?P<day>\d{4}-\d\d-\d\d) \|$"
)


@dataclass(frozen=True)
class Row:
    """A claim of a lab, the address of its source, and the day on which somebody last read it."""

    claim: str
    lab: str
    url: str
    day: date


def rows(text: str) -> list[Row]:
    """The rows of a table. Raises ValueError, with the line, for a line that is no row."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    found = []
    for line in lines:
        row = _ROW.match(line)
        if row is None:
            raise ValueError(f"not a row of claim, lab, <address> and day: {line}")
        found.append(Row(row["claim"], row["lab"], row["url"], date.fromisoformat(row["day"])))
    return found


def links(number: str) -> set[str]:
    """Every external link of a lab: in its text, its questions and differences, and its prices."""
    return set(_links(number))


def _links(number: str) -> Iterator[str]:
    notebook = json.loads((PROJECT / "notebooks" / LABS[number].notebook).read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            yield from _LINK.findall(_CODE.sub("", "".join(cell["source"])))
    files = sorted((PROJECT / "labs_helpers" / "labs" / f"lab{number}").glob("*.json"))
    for file in [*files, PROJECT / "notebooks" / "files" / number / "prices.json"]:
        if file.is_file():
            yield from _ADDRESS.findall(file.read_text("utf-8"))


def old(table: list[Row], today: date) -> list[Row]:
    """The rows that were looked up more than a year before ``today``."""
    return [row for row in table if (today - row.day).days > DAYS]


def main() -> int:
    """Name the rows that are older than a year."""
    if found := old(rows(TABLE.read_text("utf-8")), date.today()):
        print(f"{len(found)} claims of docs/sources.md were looked up more than a year ago:")
        for row in found:
            print(f"  {row.day}  lab {row.lab}  {row.url}\n    {row.claim}")
        print("Look each up again, correct the lab, and write today's date into the row.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
