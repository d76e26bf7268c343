"""A snapshot holds everything of one moment, and comes back whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from labs_helpers.snapshots import copying, store
from labs_helpers.snapshots.copying import Busy, Unreadable, copy_folders
from labs_helpers.snapshots.store import AUTOMATIC, SnapshotError
from labs_helpers.workspace import Workspace

BLOB = "sandbox/ecr/blobs/sha256/ab/abcd"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A home with a database, a blob, and files of a running process."""
    found = Workspace(tmp_path / ".labs").create()
    blob = found.home / BLOB
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"layer")
    (found.sandbox / "server.json").write_text("{}")
    (found.sandbox / "tmp").mkdir()
    (found.sandbox / "learner.json").write_text('{"key": "mine"}')
    with closing(sqlite3.connect(found.sandbox / "ecr" / "ecr.sqlite")) as database:
        database.execute("pragma journal_mode = wal")
        database.execute("create table names (name text)")
        database.execute("insert into names values ('before')")
        database.commit()
    return found


def name_in(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "sandbox" / "ecr" / "ecr.sqlite")) as database:
        return [row[0] for row in database.execute("select name from names")]


def change(workspace: Workspace) -> None:
    with closing(sqlite3.connect(workspace.sandbox / "ecr" / "ecr.sqlite")) as database:
        database.execute("update names set name = 'after'")
        database.commit()
    (workspace.home / BLOB).unlink()


def test_what_is_restored_is_what_was_saved_and_what_was_there_is_kept(
    workspace: Workspace,
) -> None:
    store.save(workspace, "mine")
    change(workspace)
    before = store.restore(workspace, "mine")
    assert name_in(workspace.home) == ["before"]
    assert (workspace.home / BLOB).read_bytes() == b"layer"
    store.restore(workspace, before.name)
    assert name_in(workspace.home) == ["after"]
    assert not (workspace.home / BLOB).exists()


def test_a_blob_takes_no_second_place_and_a_process_leaves_nothing(workspace: Workspace) -> None:
    made = store.save(workspace, "mine")
    assert (made.folder / BLOB).samefile(workspace.home / BLOB)
    assert not (made.folder / "sandbox" / "server.json").exists()
    assert not (made.folder / "sandbox" / "tmp").exists()
    assert (
        made.folder / "sandbox" / "learner.json"
    ).stat().st_ino != workspace.learner.stat().st_ino


def test_a_transaction_that_is_not_committed_is_not_in_a_snapshot(workspace: Workspace) -> None:
    with closing(sqlite3.connect(workspace.sandbox / "ecr" / "ecr.sqlite")) as writer:
        writer.execute("update names set name = 'half'")
        made = store.save(workspace, "mine")
        writer.rollback()
    assert name_in(made.folder) == ["before"]


def test_what_changes_all_the_time_is_not_saved_by_half(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copied(path: Path, copy: Path, linked: bool) -> None:
        own(path, copy, linked)
        change_again()

    def change_again() -> None:
        with closing(sqlite3.connect(workspace.sandbox / "ecr" / "ecr.sqlite")) as database:
            database.execute("insert into names values ('again')")
            database.commit()

    own = copying._copy_file
    monkeypatch.setattr(copying, "_copy_file", copied)
    with pytest.raises(Busy, match="labs stop"):
        store.save(workspace, "mine")
    assert not [path for path in workspace.snapshots.iterdir() if path.name.startswith(".")]


def test_only_the_last_automatic_snapshots_stay_and_all_that_were_asked_for(
    workspace: Workspace,
) -> None:
    store.save(workspace, "asked-for")
    made = [
        store.save_automatically(workspace, "lab05", "before lab 05 was started over").name
        for _ in range(AUTOMATIC + 2)
    ]
    assert [each.name for each in store.listed(workspace)] == ["asked-for", *made[-AUTOMATIC:]]


def test_a_restart_keeps_the_labs_files(workspace: Workspace) -> None:
    (workspace.enter("05") / "policy.json").write_text("mine")
    made = store.save_automatically(workspace, "lab05", "before lab 05 was started over", "05")
    assert (made.folder / "work" / "05" / "policy.json").read_text() == "mine"


def test_a_deleted_snapshot_is_gone_and_an_unknown_one_is_named(workspace: Workspace) -> None:
    store.save(workspace, "mine")
    store.delete(workspace, "mine")
    assert store.listed(workspace) == []
    with pytest.raises(SnapshotError, match=r"There is no snapshot 'mine'\. There are: none"):
        store.restore(workspace, "mine")


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a b", "x" * 101])
def test_a_name_that_is_none_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(SnapshotError, match="is no name of a snapshot"):
        store.save(workspace, name)


def test_a_name_is_given_once(workspace: Workspace) -> None:
    store.save(workspace, "mine")
    with pytest.raises(SnapshotError, match="labs snapshot delete mine"):
        store.save(workspace, "mine")


def test_a_disk_that_fills_leaves_no_half_of_a_snapshot(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("labs_helpers.snapshots.copying.shutil.copy2", full)
    with pytest.raises(Exception, match="No space left on device"):
        store.save(workspace, "mine")
    assert list(workspace.snapshots.iterdir()) == []


def test_a_home_without_databases_is_copied(tmp_path: Path) -> None:
    (tmp_path / "home" / "aws").mkdir(parents=True)
    (tmp_path / "home" / "aws" / "config").write_text("[default]")
    (tmp_path / "copy").mkdir()
    copy_folders(["aws", "engine"], tmp_path / "home", tmp_path / "copy")
    assert (tmp_path / "copy" / "aws" / "config").read_text() == "[default]"


def test_unpacked_images_are_left_out_and_containers_are_kept(workspace: Workspace) -> None:
    for name in ("rootfs/1/etc", "containers/2/upper/rootfs"):
        (workspace.home / "engine" / name).mkdir(parents=True)
        (workspace.home / "engine" / name / "file").write_text("x")
    kept = store.save(workspace, "mine").folder
    assert not (kept / "engine/rootfs").exists()
    assert (kept / "engine/containers/2/upper/rootfs/file").read_text() == "x"


def test_a_file_that_only_another_user_reads_is_named(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(path: Path, to: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(copying.shutil, "copy2", copy)
    with pytest.raises(Unreadable, match=r"json belongs to another user.*\n.*docker rm"):
        store.save(workspace, "mine")
    assert list(workspace.snapshots.iterdir()) == []
