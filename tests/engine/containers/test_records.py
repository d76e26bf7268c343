"""Records of containers that are made at the same time."""

from __future__ import annotations

import errno
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


def test_nobody_writes_in_the_folder_of_a_container_while_the_folder_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A HEALTHCHECK that began just then made `docker rm` an internal error."""
    records = record.Records(tmp_path)
    made = record.Container("1" * 64, name="", created="", image="", config={}, host={})
    records.path(made).mkdir()
    records.add(made)
    refused: list[type[OSError]] = []
    remove = record.owners.remove

    def remove_while_another_writes(folder: Path) -> None:
        try:
            (records.path(made) / "exec-1.json").write_text("{}")
        except OSError as error:
            refused.append(type(error))
        remove(folder)

    monkeypatch.setattr(record.owners, "remove", remove_while_another_writes)
    records.remove(made)
    assert refused == [FileNotFoundError]
    assert list(tmp_path.iterdir()) == []
    records.remove(made)  # as the second of two clients


def test_a_folder_in_which_a_program_still_writes_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = record.Records(tmp_path)
    made = record.Container("1" * 64, name="", created="", image="", config={}, host={})
    records.path(made).mkdir()
    records.add(made)
    remove, left = record.owners.remove, [1, 2, 3]

    def remove_what_is_not_empty(folder: Path) -> None:
        if left:
            raise OSError(errno.ENOTEMPTY, f"written for the time {left.pop()}", str(folder))
        remove(folder)

    monkeypatch.setattr(record.owners, "remove", remove_what_is_not_empty)
    records.remove(made)
    assert list(tmp_path.iterdir()) == []
