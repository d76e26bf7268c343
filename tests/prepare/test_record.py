"""The record of begun labs: what is in it, and what becomes of one that is damaged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labs_helpers.curriculum import LABS
from labs_helpers.files import SetAside, WorkspaceError
from labs_helpers.prepare.record import Entry, Record
from labs_helpers.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "h").create()


def test_no_lab_is_begun_in_a_new_sandbox_whatever_folders_an_earlier_one_left(
    workspace: Workspace,
) -> None:
    workspace.work("05").mkdir(parents=True)
    assert Record(workspace).entry("05") is None


@pytest.mark.parametrize(
    "entry",
    [Entry(finished=True), Entry(False, "a thing is there (no)", ("user labs-ci", "role b"))],
)
def test_an_entry_is_read_as_it_was_written(entry: Entry, workspace: Workspace) -> None:
    Record(workspace).write("05", entry)
    assert Record(Workspace(workspace.home).create()).entry("05") == entry
    assert Record(workspace).entry("04") is None


def test_labs_begun_at_once_are_all_in_it(workspace: Workspace) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: Record(workspace).write(one, Entry(True)), LABS))
    assert [number for number in LABS if Record(workspace).entry(number) is None] == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"half of",
        b"[]",
        b"{}",
        b'{"labs": 3}',
        b'{"labs": {"05": true}}',
        b'{"labs": {"05": {"finished": "no", "removed": []}}}',
        b'{"labs": {"05": {"finished": true, "removed": [3]}}}',
        b'{"labs": {"05": {"finished": true}}}',
        b'{"labs": {"05": {"finished": true, "removed": [], "colour": 1}}}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_record_is_kept_aside_and_labs_with_a_work_folder_count_as_begun(
    text: bytes, workspace: Workspace
) -> None:
    workspace.work("05").mkdir(parents=True)
    workspace.begun.write_bytes(text)
    with pytest.warns(SetAside, match=r"begun\.json is damaged"):
        assert Record(workspace).entry("05") == Entry(finished=True, assumed=True)
    assert Record(workspace).entry("04") is None
    (aside,) = workspace.sandbox.glob("begun.json.broken-*")
    assert aside.read_bytes() == text


def test_a_record_that_cannot_be_read_is_named(workspace: Workspace) -> None:
    workspace.begun.unlink()
    workspace.begun.mkdir()
    with pytest.raises(WorkspaceError, match=r"Cannot read .*begun\.json"):
        Record(workspace).entry("05")
