"""The advisories that scans use: the records shipped with the labs, and imported records.

Shipped files are in ``data/`` with their SOURCES.md; imported ones in the folder of the labs,
``advisories/imported.json``, which takes the place of shipped records of the same id.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.scanner.osv import Affected, InvalidRecord, Record, read
from labs_helpers.sandbox.scanner.versions import Uncomparable, version

DATA = files("labs_helpers.sandbox.scanner").joinpath("data")
SHIPPED = ("alpine", "debian", "pypi")
IMPORTED = "imported.json"


class SnapshotError(ValueError):
    """The advisories cannot be used; the message names the file and says why."""


@dataclass(frozen=True)
class Snapshot:
    """Advisories by ecosystem and source package.

    ``retrieved`` is the newest day on which anything was taken, ISO 8601. ``coverage`` is
    ecosystem -> package -> the version from which the source lists nothing open ("0": no entry);
    ``complete`` are ecosystems whose whole set of advisories is here.
    """

    retrieved: str
    records: tuple[Record, ...]
    coverage: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    complete: frozenset[str] = frozenset()
    imported: int = 0

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of all advisories: scans with equal fingerprints have equal results."""
        whole = hashlib.sha256()
        for record in self.records:
            whole.update(f"{record.id}\0{record.modified}\0".encode())
            whole.update(json.dumps(record.document, sort_keys=True).encode())
        whole.update(json.dumps([sorted(self.complete), self.coverage], sort_keys=True).encode())
        return whole.hexdigest()[:16]

    @cached_property
    def _by_package(self) -> Mapping[tuple[str, str], list[tuple[Record, Affected]]]:
        found: dict[tuple[str, str], list[tuple[Record, Affected]]] = defaultdict(list)
        for record in self.records:
            for affected in record.affected:
                found[affected.ecosystem, affected.name].append((record, affected))
        return found

    def about(self, ecosystem: str, name: str) -> list[tuple[Record, Affected]]:
        """The advisories about a source package, in the order of the records."""
        return self._by_package.get((ecosystem, name), [])

    def covers(self, ecosystem: str, name: str, installed: str) -> bool:
        """Whether the advisories cover this version, so that no finding means no known fault."""
        if ecosystem in self.complete or (ecosystem, name) in self._by_package:
            return True
        start = self.coverage.get(ecosystem, {}).get(name)
        if start is None or start == "0":
            return start is not None
        try:
            return not version(ecosystem, installed) < version(ecosystem, start)
        except Uncomparable:
            return False

    def packages(self) -> dict[str, list[str]]:
        """The source packages covered at any version, by ecosystem; both sorted."""
        found: dict[str, set[str]] = defaultdict(set)
        for ecosystem, name in self._by_package:
            found[ecosystem].add(name)
        for ecosystem, names in self.coverage.items():
            found[ecosystem].update(names)
        return {ecosystem: sorted(found[ecosystem]) for ecosystem in sorted(found)}

    def counts(self) -> dict[str, int]:
        """The number of records about each ecosystem."""
        names = ({one.ecosystem for one in record.affected} for record in self.records)
        return dict(sorted(Counter(name for some in names for name in some).items()))


def load(imports: Path | None = None) -> Snapshot:
    """The shipped advisories and those imported into a folder; raises SnapshotError."""
    facts = json.loads(DATA.joinpath("snapshot.json").read_text(encoding="utf-8"))
    coverage = json.loads(DATA.joinpath("coverage.json").read_text(encoding="utf-8"))
    documents = [
        document
        for name in SHIPPED
        for document in json.loads(DATA.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    ]
    extra: dict[str, Any] = {}
    path = imports / IMPORTED if imports else None
    if path is not None and path.exists():
        extra = imported(path)
    replaced = {str(one.get("id")) for one in extra.get("records", [])}
    records = read_all(
        [*(one for one in documents if one["id"] not in replaced), *extra.get("records", [])]
    )
    return Snapshot(
        retrieved=max(facts["retrieved"], coverage["retrieved"], extra.get("retrieved", "")),
        records=tuple(records),
        coverage={
            ecosystem: dict(entry["packages"])
            for ecosystem, entry in coverage["ecosystems"].items()
        },
        complete=frozenset(extra.get("complete", [])),
        imported=len(replaced),
    )


def read_all(documents: Iterable[Any]) -> list[Record]:
    """Read all records, withdrawn ones apart; raises SnapshotError for an invalid record."""
    found = []
    for document in documents:
        try:
            record = read(document)
        except InvalidRecord as error:
            raise SnapshotError(str(error)) from error
        if record is not None:
            found.append(record)
    return found


def imported(path: Path) -> dict[str, Any]:
    """``records``, ``complete`` and ``retrieved`` of a file of imports; raises SnapshotError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        sound = isinstance(found["records"], list) and isinstance(found["complete"], list)
        if not sound or not isinstance(found["retrieved"], str):
            raise ValueError("the file is not in the format that labs advisories import writes")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SnapshotError(
            f"The imported advisories in {path} cannot be read: {error}.\n"
            "Remove them with: labs advisories forget"
        ) from error
    return dict(found)
