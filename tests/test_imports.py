"""Who may know whom (DESIGN): an import against the table is a defect."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "labs_helpers"

GROUND = {"runtime", "names", "workspace", "modes", "daemon"}
SERVERS = GROUND | {"database", "oci"}
MAY_IMPORT = {
    "oci": {"oci"},
    "runtime": {"runtime"},
    "database.py": {"workspace"},
    "sandbox": {"sandbox"} | SERVERS,
    "engine": {"engine"} | SERVERS,
    "checks": {"checks", "oci", "display", "gate"} | GROUND,
    "display": {"display", "oci"},
    "gate": {"gate", "oci"} | GROUND,
}


def imported(file: Path) -> set[str]:
    """First names below labs_helpers that a module imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ["labs_helpers", *file.relative_to(PACKAGE).parent.parts]
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        parts = [name.split(".") for name in names]
        found |= {part[1] for part in parts if part[0] == "labs_helpers" and len(part) > 1}
    return found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    place = PACKAGE / room
    modules = [place] if place.is_file() else sorted(place.rglob("*.py"))
    assert modules
    against = {
        str(module.relative_to(PACKAGE)): sorted(bad)
        for module in modules
        if (bad := imported(module) - MAY_IMPORT[room])
    }
    assert against == {}
