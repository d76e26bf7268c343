"""Notebooks are opened and saved on a full disk, as far as there is room for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat.sign import NotebookNotary, SQLiteSignatureStore

from labs_helpers.jupyter.signatures import Signatures, of_this_server

KNOWN, NEW = "a" * 64, "b" * 64
SHA256 = "sha256"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Signatures]:
    """A store that knows one signature, and in whose file SQLite finds no room for any change."""
    found = Signatures(str(tmp_path / "nbsignatures.db"))
    found.store_signature(KNOWN, SHA256)
    found.db.execute("CREATE TABLE filler (content)")
    for change in ("INSERT", "UPDATE"):
        found.db.execute(
            f"CREATE TRIGGER on_{change} AFTER {change} ON nbsignatures "
            "BEGIN INSERT INTO filler VALUES (randomblob(100000)); END"
        )
    (pages,) = found.db.execute("PRAGMA page_count").fetchone()
    found.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        SQLiteSignatureStore.store_signature(found, NEW, SHA256)
    found.db.rollback()
    yield found
    found.close()


def test_a_trusted_notebook_stays_trusted_on_a_full_disk(full: Signatures) -> None:
    assert full.check_signature(KNOWN, SHA256)
    full.store_signature(KNOWN, SHA256)
    assert full.check_signature(KNOWN, SHA256)


def test_a_signature_that_finds_no_room_is_lost_and_stops_nothing(full: Signatures) -> None:
    full.store_signature(NEW, SHA256)
    assert not full.check_signature(NEW, SHA256)


def test_signatures_are_kept_again_once_there_is_room(full: Signatures) -> None:
    full.store_signature(NEW, SHA256)
    full.db.execute("PRAGMA max_page_count = 100000")
    full.store_signature(NEW, SHA256)
    assert full.check_signature(NEW, SHA256)


def test_another_fault_of_the_file_is_no_full_disk(full: Signatures) -> None:
    full.db.execute("DROP TABLE nbsignatures")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        full.check_signature(KNOWN, SHA256)


def test_the_server_keeps_signatures_where_jupyter_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    ours = of_this_server()
    ours.store_signature(KNOWN, SHA256)
    ours.close()
    notary = NotebookNotary(data_dir=str(tmp_path))
    assert notary.store.check_signature(KNOWN, SHA256)
    notary.close()
