"""Records of containers that are made at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labs_helpers.engine.containers import record


def test_containers_made_at_once_get_names_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "_WORDS", ("calm", "otter"))
    records = record.Records(tmp_path)

    def add(number: int) -> str:
        new = f"{number:064x}"
        made = record.Container(new, name="", created="", image="", config={}, host={})
        records.path(made).mkdir()
        records.add(made)
        return made.name

    with ThreadPoolExecutor(10) as threads:
        names = list(threads.map(add, range(50)))
    assert len(set(names)) == 50
    assert "calm_otter" in names
    assert sorted(each.name for each in record.Records(tmp_path)) == sorted(names)
