"""The cache of built images is complete, private, and rebuilt when it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs_helpers.oci import digest as digests
from labs_helpers.sandbox.hub import catalogue
from labs_helpers.sandbox.hub.catalogue import Catalogue


def resolved(images: Catalogue, tag: str = "alpine") -> str:
    found = images.resolve("library/nginx", tag)
    assert found is not None
    return found[0]


def test_a_second_start_reads_what_the_first_one_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = resolved(Catalogue(tmp_path))
    monkeypatch.delattr(catalogue.image, "build")
    again = Catalogue(tmp_path)
    assert resolved(again) == digest
    assert digests.of_bytes(again.read(digest)) == digest


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"form":1}', "\x00\x01", None])
def test_a_damaged_catalogue_is_built_again(tmp_path: Path, damage: str | None) -> None:
    digest = resolved(Catalogue(tmp_path))
    file = tmp_path / "catalogue.json"
    if damage is None:
        file.write_bytes(b"\xff\xfe")
    else:
        file.write_text(damage)
    assert resolved(Catalogue(tmp_path)) == digest


@pytest.mark.parametrize("damage", [b"", b"other", None])
def test_a_damaged_or_missing_blob_is_built_again(tmp_path: Path, damage: bytes | None) -> None:
    images = Catalogue(tmp_path)
    digest = resolved(images)
    whole = images.read(digest)
    blob = tmp_path / "blobs" / digests.parse(digest).hex
    if damage is None:
        blob.unlink()
    else:
        blob.write_bytes(damage)
    assert images.read(digest) == whole
    assert blob.read_bytes() == whole


def test_changed_recipes_are_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved(Catalogue(tmp_path))
    file = tmp_path / "catalogue.json"
    before = file.stat().st_mtime_ns
    monkeypatch.setattr(catalogue.recipe, "fingerprint", lambda: "of other recipes")
    resolved(Catalogue(tmp_path))
    assert file.stat().st_mtime_ns > before


def test_nothing_half_written_stays_and_nobody_else_can_read(tmp_path: Path) -> None:
    resolved(Catalogue(tmp_path))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if path.name.startswith(".writing-")]
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_every_reference_resolves(tmp_path: Path) -> None:
    images = Catalogue(tmp_path)
    for reference in images.references():
        name, _, tag = reference.partition(":")
        assert images.resolve(f"library/{name}", tag), reference
