"""Newer advisories from a file: taken whole or not at all."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.scanner import importing, snapshot
from labs_helpers.sandbox.scanner.snapshot import SnapshotError


def record(name: str = "CVE-2026-1", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "modified": "2026-11-24T10:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "Alpine:v3.24", "name": "redis"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "8.0-r0"}]}
                ],
            }
        ],
        **more,
    }


def zipped(path: Path, *records: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, one in enumerate(records):
            archive.writestr(f"{number}.json", one if isinstance(one, bytes) else json.dumps(one))
    return path


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("form", ["zip", "list", "one", "lines"])
def test_every_form_of_export_is_taken(tmp_path: Path, form: str) -> None:
    records = [record()] if form == "one" else [record(), record("CVE-2026-2")]
    export = tmp_path / "export"
    match form:
        case "zip":
            zipped(export, *records)
        case "list":
            written(export, json.dumps(records))
        case "one":
            written(export, json.dumps(records[0]))
        case "lines":
            written(export, "\n".join(json.dumps(one) for one in records))
    assert importing.take(export, tmp_path / "in") == len(records)
    found = snapshot.load(tmp_path / "in")
    assert found.imported == len(records)
    assert found.retrieved == "2026-11-25"
    assert found.covers("Alpine:v3.24", "redis", "7.0-r0")


def test_an_import_takes_the_place_of_the_shipped_record(tmp_path: Path) -> None:
    before = snapshot.load()
    newer = {**record("CVE-2022-37434"), "modified": "2026-12-24"}
    importing.take(written(tmp_path / "e", json.dumps(newer)), tmp_path / "in")
    after = snapshot.load(tmp_path / "in")
    assert len(after.records) == len(before.records)
    assert (after.retrieved, after.fingerprint != before.fingerprint) == ("2026-12-24", True)
    assert importing.forget(tmp_path / "in")
    assert snapshot.load(tmp_path / "in").fingerprint == before.fingerprint
    assert not importing.forget(tmp_path / "in")


def test_imports_add_up(tmp_path: Path) -> None:
    for name in ("CVE-2026-1", "CVE-2026-2"):
        importing.take(written(tmp_path / "e", json.dumps(record(name))), tmp_path / "in")
    assert snapshot.load(tmp_path / "in").imported == 2


def test_a_complete_export_covers_every_package(tmp_path: Path) -> None:
    export = written(tmp_path / "e", json.dumps(record()))
    importing.take(export, tmp_path / "in", complete=["Alpine:v3.24"])
    found = snapshot.load(tmp_path / "in")
    assert found.covers("Alpine:v3.24", "anything", "1-r0")
    assert not found.covers("Alpine:v3.23", "anything", "1-r0")


def test_an_export_is_not_complete_for_what_is_not_in_it(tmp_path: Path) -> None:
    export = written(tmp_path / "e", json.dumps(record()))
    with pytest.raises(SnapshotError, match="no record of Debian:13"):
        importing.take(export, tmp_path / "in", complete=["Debian:13"])


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "no OSV export"),
        (b"rubbish", "no OSV export"),
        (b"[]", "no OSV record"),
        (b'{"no": "id"}', "no id"),
        (json.dumps([record(), record()]).encode(), "twice"),
        (json.dumps(record(modified=None)).encode(), "--retrieved"),
        (b"[" * 100_000, "no OSV export"),
        (b"\xff\xfe", "no OSV export"),
    ],
)
def test_a_faulty_export_changes_nothing(tmp_path: Path, content: bytes, fault: str) -> None:
    export = tmp_path / "export"
    export.write_bytes(content)
    with pytest.raises(SnapshotError, match=fault):
        importing.take(export, tmp_path / "in")
    assert not (tmp_path / "in" / snapshot.IMPORTED).exists()


def test_a_version_without_a_place_is_refused(tmp_path: Path) -> None:
    broken = record()
    broken["affected"][0]["ranges"][0]["events"][1]["fixed"] = "not a version"
    with pytest.raises(SnapshotError, match="no version of Alpine"):
        importing.take(written(tmp_path / "e", json.dumps(broken)), tmp_path / "in")


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    export = zipped(tmp_path / "bomb.zip", b" " * (8 * 1024**2))
    with pytest.raises(SnapshotError, match="too large"):
        importing.take(export, tmp_path / "in")


def test_an_ecosystem_whose_order_is_unknown_is_kept_and_judges_nothing(tmp_path: Path) -> None:
    other = record()
    other["affected"][0]["package"]["ecosystem"] = "Hackage"
    assert importing.take(written(tmp_path / "e", json.dumps(other)), tmp_path / "in") == 1
