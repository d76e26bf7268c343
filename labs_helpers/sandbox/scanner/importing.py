"""Import newer advisories from an OSV export; the whole file is checked before any record counts.

An export is a zip of records as https://osv.dev offers for each ecosystem (``all.zip``), a JSON
file with one record or a list of them, or one record a line.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from labs_helpers.files import write_json
from labs_helpers.sandbox.scanner.osv import InvalidRecord, read
from labs_helpers.sandbox.scanner.snapshot import IMPORTED, SnapshotError, imported
from labs_helpers.sandbox.scanner.versions import Uncomparable, version

LARGEST = 256 * 1024**2
"""Bytes of all records of an export, unpacked."""

MOST = 200_000
_RECORD = 4 * 1024**2


def take(
    path: Path,
    folder: Path,
    *,
    complete: Collection[str] = (),
    retrieved: str | None = None,
) -> int:
    """Import a file into the folder of imported advisories; return how many records it has.

    complete: ecosystems of which the file is said to hold every advisory: their packages count
    as covered. retrieved: the day of the export, ISO 8601; by default that of its newest record.
    Raises SnapshotError and takes nothing when anything in the file is wrong.
    """
    records: dict[str, Any] = {}
    newest = ""
    ecosystems: set[str] = set()
    for place, document in _documents(path):
        try:
            record = read(document)
            if record is not None:
                for affected in record.affected:
                    ecosystems.add(affected.ecosystem)
                    for events in affected.ranges:
                        _placed(affected.ecosystem, events)
        except (InvalidRecord, Uncomparable) as error:
            raise SnapshotError(f"{path}: {place}: {error}.") from error
        identity = str(document["id"])
        if identity in records:
            raise SnapshotError(f"{path}: {place}: {identity} occurs twice.")
        records[identity] = document
        newest = max(newest, str(document.get("modified") or "")[:10])
    if not records:
        raise SnapshotError(f"{path} has no OSV record.")
    if absent := sorted(set(complete) - ecosystems):
        raise SnapshotError(
            f"{path} has no record of {', '.join(absent)}, so it is not complete for that. "
            f"It has: {', '.join(sorted(ecosystems))}."
        )
    target = folder / IMPORTED
    before = imported(target) if target.exists() else {}
    merged = {str(one["id"]): one for one in before.get("records", [])} | records
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(
        target,
        {
            "retrieved": max(before.get("retrieved", ""), retrieved or _day(path, newest)),
            "complete": sorted({*before.get("complete", []), *complete}),
            "records": [merged[identity] for identity in sorted(merged)],
        },
    )
    return len(records)


def forget(folder: Path) -> bool:
    """Remove the imported advisories; return whether there were any."""
    target = folder / IMPORTED
    if not target.exists():
        return False
    target.unlink()
    return True


def _placed(ecosystem: str, events: Iterable[tuple[str, str]]) -> None:
    """Raise for a version that the order of its ecosystem does not allow."""
    for _, text in events:
        if text != "0":
            try:
                version(ecosystem, text)
            except Uncomparable as error:
                if "not known here" in str(error):
                    return  # records of other ecosystems are kept, but match no package
                raise


def _documents(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        if zipfile.is_zipfile(path):
            yield from _of_zip(path)
        elif path.stat().st_size > LARGEST:
            raise SnapshotError(f"{path} has more than {LARGEST} bytes.")
        else:
            yield from _of_text(path.name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile, ValueError, RecursionError) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError(f"{path} is no OSV export that can be read: {error}.") from error


def _of_zip(path: Path) -> Iterator[tuple[str, Any]]:
    unpacked = 0
    with zipfile.ZipFile(path) as archive:
        names = [one for one in archive.infolist() if one.filename.endswith(".json")]
        if len(names) > MOST:
            raise SnapshotError(f"{path} has more than {MOST} records.")
        for one in names:
            with archive.open(one) as file:
                # the size that the zip file states may be wrong
                content = file.read(_RECORD + 1)
            unpacked += len(content)
            if len(content) > _RECORD or unpacked > LARGEST:
                raise SnapshotError(f"{path}: {one.filename} is too large for an OSV record.")
            yield one.filename, json.loads(content)


def _of_text(name: str, text: str) -> Iterator[tuple[str, Any]]:
    try:
        document = json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        for number, line in enumerate(lines, start=1):
            yield f"line {number}", json.loads(line)
        return
    if isinstance(document, list):
        for number, one in enumerate(document, start=1):
            yield f"record {number}", one
    else:
        yield name, document


def _day(path: Path, text: str) -> str:
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError as error:
        raise SnapshotError(
            f"{path}: no record says when it was modified; give --retrieved YYYY-MM-DD."
        ) from error
