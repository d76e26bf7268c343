"""Show the advisories that the sandbox's scanner uses: their date, their number, and the packages
that they cover. `import` adds an OSV export (zip, JSON, JSON lines), `forget` removes it."""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from labs_helpers.cli.terminal import columns, table
from labs_helpers.files import LabsError
from labs_helpers.workspace import Workspace

if TYPE_CHECKING:
    from labs_helpers.sandbox.scanner import snapshot

EXAMPLES = (
    "labs advisories",
    "labs advisories --coverage",
    "labs advisories import all.zip --complete Alpine:v3.24",
    "labs advisories forget",
)
LIMIT = "No finding means: no finding in these records."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """[show|import|forget] [FILE], --coverage, --complete, --retrieved, --json."""
    parser.add_argument(
        "action", nargs="?", default="show", choices=("show", "import", "forget"), metavar="ACTION"
    )
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the export to import")
    parser.add_argument("--coverage", action="store_true", help="name the covered packages")
    parser.add_argument(
        "--complete",
        action="append",
        default=[],
        metavar="ECOSYSTEM",
        help="the export has every advisory of this one, e.g. Debian:12",
    )
    parser.add_argument("--retrieved", type=date.fromisoformat, help="the day of the export")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the advisories, or change them first."""
    from labs_helpers.sandbox.scanner import importing, snapshot

    folder = Workspace.find().home / "advisories"
    try:
        if arguments.action == "import":
            if arguments.file is None:
                raise LabsError("Which file? For example: labs advisories import all.zip")
            day = arguments.retrieved.isoformat() if arguments.retrieved else None
            count = importing.take(
                arguments.file, folder, complete=arguments.complete, retrieved=day
            )
            print("1 record imported." if count == 1 else f"{count} records imported.")
        elif arguments.file is not None:
            raise LabsError(f"{arguments.action} takes no file.")
        elif arguments.action == "forget":
            there = importing.forget(folder)
            print("The imported advisories are gone." if there else "Nothing was imported.")
            return 0
        _show(snapshot.load(folder), arguments)
    except snapshot.SnapshotError as error:
        raise LabsError(str(error)) from error
    return 0


def _show(found: snapshot.Snapshot, arguments: argparse.Namespace) -> None:
    covered, counts = found.packages(), found.counts()
    if arguments.json:
        facts = {
            "retrieved": found.retrieved,
            "fingerprint": found.fingerprint,
            "records": len(found.records),
            "imported": found.imported,
            "ecosystems": {
                name: {
                    "records": counts.get(name, 0),
                    "packages": packages,
                    "complete": name in found.complete,
                }
                for name, packages in covered.items()
            },
        }
        print(json.dumps(facts, indent=2))
        return
    imported = f", {found.imported} of them imported" if found.imported else ""
    columns([("retrieved", found.retrieved), ("records", f"{len(found.records)}{imported}")])
    print()
    rows = [
        [
            name,
            str(counts.get(name, 0)),
            "all" if name in found.complete else str(len(packages)),
        ]
        for name, packages in covered.items()
    ]
    table(("ecosystem", "records", "packages"), rows)
    if arguments.coverage:
        for name, packages in covered.items():
            print(f"\n{name}: {', '.join(packages)}")
    print(f"\n{LIMIT}")
