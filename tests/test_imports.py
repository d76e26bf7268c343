"""Each module imports only what the table in CONTRIBUTING.md lets the module's room import."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "labs_helpers"
HEADING = "## Which room may import which"


@dataclass(frozen=True)
class Row:
    """One row of the table: the paths of a room, and the rooms that the room may import."""

    rooms: tuple[str, ...]
    allowed: frozenset[str]


def table() -> list[Row]:
    """The rows of the table, from the top."""
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    rows: list[Row] = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rooms = tuple(re.findall(r"`([^`]+)`", cells[0]))
        if not line.startswith("|") or not rooms:
            continue
        allowed = set(re.findall(r"`([^`]+)`", cells[2].partition("every room of")[0]))
        if (every := re.search(r"every room of `([^`]+)` above", cells[2])) is not None:
            above = [room for row in rows for room in row.rooms]
            allowed |= {room for room in above if room.startswith(f"{every[1]}/")}
        rows.append(Row(rooms, frozenset(allowed)))
    return rows


ROWS = table()
ROOMS = {room: row for row in ROWS for room in row.rooms}


def row_of(module: str) -> Row | None:
    """The row of a module by its path below labs_helpers: the longest room that fits."""
    fitting = [room for room in ROOMS if module == room or module.startswith(f"{room}/")]
    return ROOMS[max(fitting, key=len)] if fitting else None


def imported(module: str, source: str) -> set[str]:
    """Paths below labs_helpers of the modules that a module imports, at any depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = ["labs_helpers", *Path(module).parent.parts]
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{start}.{alias.name}" for alias in node.names}
    return {path for name in names if (path := _path_of(name)) is not None}


def _path_of(name: str) -> str | None:
    """The module that holds a dotted name, as a path below labs_helpers; None if not ours."""
    parts = name.split(".")
    if parts[0] != "labs_helpers" or len(parts) == 1:
        return None
    for end in range(len(parts), 0, -1):
        place = PROJECT.joinpath(*parts[:end])
        if place.with_suffix(".py").is_file():
            return str(place.with_suffix(".py").relative_to(PACKAGE))
        if place.is_dir():
            return str((place / "__init__.py").relative_to(PACKAGE))
    return None


MODULES = sorted(str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py"))


def test_no_room_is_named_twice_and_each_room_exists() -> None:
    named = [room for row in ROWS for room in row.rooms]
    assert sorted(named) == sorted(set(named))
    assert [room for room in named if not (PACKAGE / room).exists()] == []


def test_a_room_imports_only_rooms_above_it() -> None:
    above: set[str] = set()
    for row in ROWS:
        assert row.allowed <= above, f"{row.rooms} may import {sorted(row.allowed - above)}"
        above |= set(row.rooms)


def against_the_table(module: str, source: str) -> list[str]:
    """The modules that a module imports and may not."""
    row = row_of(module)
    assert row is not None, f"{module} has no row in CONTRIBUTING.md"
    allowed = [row, *(ROOMS[room] for room in row.allowed)]
    return sorted(other for other in imported(module, source) if row_of(other) not in allowed)


def test_no_module_imports_in_a_circle() -> None:
    sources = {module: (PACKAGE / module).read_text(encoding="utf-8") for module in MODULES}
    arrows = {
        # a package that imports a module of its own is its table of contents
        module: {one for one in imported(module, source) if Path(one).name != "__init__.py"}
        for module, source in sources.items()
    }
    tuple(TopologicalSorter(arrows).static_order())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    assert against_the_table(module, (PACKAGE / module).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import labs_helpers.sandbox.clock", "sandbox/clock.py"),
        ("from labs_helpers.engine import store", "engine/store.py"),
        ("from labs_helpers.checks import World", "checks/__init__.py"),
        ("def late():\n    from labs_helpers import lab", "lab.py"),
        ("from .. import workspace", "workspace.py"),
    ],
)
def test_an_import_against_the_table_is_found(source: str, found: str) -> None:
    assert against_the_table("oci/digest.py", source) == [found]
