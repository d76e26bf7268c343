"""Lost transactions are said aloud, and the damaged files kept; nothing is said without a loss."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from labs_helpers.runtime.commit_count import CommitCount
from labs_helpers.runtime.database import DatabaseFile, create

SCHEMA = "create table if not exists things (name text);"
WHAT = "the labs' things"


def opened(path: Path) -> tuple[sqlite3.Connection, str]:
    """A connection as the sandbox opens one, and what is said of a loss."""
    file = DatabaseFile(path, lambda found: create(found, SCHEMA), "things", "things start empty")
    count = CommitCount(path, "user_version")
    count.before_opening()
    connection = file.open()
    connection.isolation_level = None
    return connection, count.loss(connection, WHAT)


def add(connection: sqlite3.Connection, path: Path, name: str) -> None:
    with CommitCount(path, "user_version").counted(connection) as db:
        db.execute("insert into things values (?)", (name,))


def names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("select name from things order by name")]


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Twenty transactions, all of them in the log only, as `kill -9` leaves a database."""
    path = tmp_path / "live" / "things.sqlite"
    connection, said = opened(path)
    assert said == ""
    with closing(connection):
        for number in range(20):
            add(connection, path, f"{number:02}" + "x" * 2000)
        shutil.copytree(path.parent, tmp_path / "state")
    return tmp_path / "state" / "things.sqlite"


def in_the_log(path: Path) -> None:
    log = path.with_name(path.name + "-wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 0xFF
    log.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def log_gone(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


def test_an_undamaged_database_says_nothing_and_leaves_no_copy(killed: Path) -> None:
    connection, said = opened(killed)
    with closing(connection):
        assert said == ""
        assert len(names(connection)) == 20
    assert [one.name for one in killed.parent.glob("*damaged*")] == []


@pytest.mark.parametrize("damage", [in_the_log, emptied, gone, log_gone])
def test_what_is_lost_is_said_once_and_the_files_are_kept(
    killed: Path, damage: Callable[[Path], None]
) -> None:
    damage(killed)
    found = {one.name: one.read_bytes() for one in killed.parent.glob("things.sqlite*")}
    connection, said = opened(killed)
    with closing(connection):
        left = len(names(connection))
    assert left < 20
    assert f"The memory of {WHAT} was damaged: {left} of 20 changes are left." in said
    for part in ("things.sqlite", "things.sqlite-wal"):
        if part in found and said.find("kept in") > 0:
            (aside,) = killed.parent.glob("things.sqlite.damaged-*")
            assert str(aside) in said
            assert (aside / part).read_bytes() == found[part]
    again, said = opened(killed)
    again.close()
    assert said == ""


def test_changes_after_a_loss_count_on(killed: Path) -> None:
    emptied(killed)
    connection, _ = opened(killed)
    with closing(connection):
        add(connection, killed, "after")
    connection, said = opened(killed)
    with closing(connection):
        assert (said, names(connection)) == ("", ["after"])


def test_a_transaction_that_is_undone_counts_for_nothing(killed: Path) -> None:
    connection, _ = opened(killed)
    with closing(connection):
        with pytest.raises(RuntimeError), CommitCount(killed, "user_version").counted(connection):
            raise RuntimeError
        add(connection, killed, "next")
    assert opened(killed)[1] == ""


def test_what_a_power_cut_may_undo_is_not_missed(killed: Path) -> None:
    connection, _ = opened(killed)
    connection.close()  # all twenty are in the database now, and the log is gone
    connection, _ = opened(killed)
    with closing(connection):
        count = CommitCount(killed, "user_version")
        with count.counted(connection, noted=False) as db:
            db.execute("insert into things values ('fleeting')")
        cut = shutil.copytree(killed.parent, killed.parent.parent / "cut") / killed.name
    log_gone(cut)
    connection, said = opened(cut)
    with closing(connection):
        assert (said, len(names(connection))) == ("", 20)


def test_a_number_that_cannot_be_read_accuses_nobody(killed: Path) -> None:
    killed.with_name("things.sqlite.commits").write_text("")
    connection, said = opened(killed)
    with closing(connection):
        assert (said, len(names(connection))) == ("", 20)
