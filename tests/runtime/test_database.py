"""The databases of the labs: whole after a crash, and set aside when they are damaged."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from labs_helpers.files import SetAside
from labs_helpers.runtime import database
from labs_helpers.runtime.database import DatabaseFile, create, transaction

SCHEMA = "CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY);"


def prepare(connection: sqlite3.Connection) -> None:
    create(connection, SCHEMA)


@pytest.fixture
def file(tmp_path: Path) -> DatabaseFile:
    """A database of things, whose files are in a folder beside it."""
    folder = tmp_path / "state"
    return DatabaseFile(
        folder / "things.sqlite", prepare, "memory of things", "things start empty", (folder / "a",)
    )


@pytest.fixture
def filled(file: DatabaseFile) -> DatabaseFile:
    """With many rows on disk, and a file beside it."""
    with closing(file.open()) as connection, connection:
        connection.executemany(
            "INSERT INTO things VALUES (?)", ((f"{number:0500}",) for number in range(100))
        )
    (beside,) = file.beside
    beside.mkdir()
    (beside / "blob").write_bytes(b"kept")
    return file


def things(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM things ORDER BY name")]


def kept(file: DatabaseFile) -> Path:
    """The one folder in which something was set aside."""
    (aside,) = file.path.parent.glob("things.sqlite.damaged-*")
    return aside


def test_a_new_one_has_its_tables_and_is_its_owner_s_alone(file: DatabaseFile) -> None:
    with closing(file.open()) as connection:
        assert things(connection) == []
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


def test_one_that_is_sound_is_opened_as_it_is(filled: DatabaseFile) -> None:
    with closing(filled.open()) as connection:
        assert len(things(connection)) == 100
    assert sorted(path.name for path in filled.path.parent.iterdir()) == ["a", "things.sqlite"]


def no_database(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough" * 200)


def zeros(path: Path) -> None:
    path.write_bytes(b"\0" * 8192)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 5])


def overwritten(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(data)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [no_database, zeros, cut_off, overwritten])
def test_a_damaged_one_is_set_aside_whole(
    filled: DatabaseFile, damage: Callable[[Path], None]
) -> None:
    damage(filled.path)
    damaged = filled.path.read_bytes()
    with pytest.warns(SetAside) as said, closing(filled.open()) as connection:
        assert things(connection) == []
    aside = kept(filled)
    assert (aside / "things.sqlite").read_bytes() == damaged
    assert (aside / "a" / "blob").read_bytes() == b"kept"
    assert not filled.beside[0].exists()
    (warning,) = said
    assert str(warning.message).startswith("The memory of things was damaged (")
    assert str(warning.message).endswith(f"). It is kept in {aside}; things start empty.")


@pytest.mark.parametrize("damage", [Path.unlink, emptied])
def test_a_lost_one_does_not_cost_what_is_beside_it(
    filled: DatabaseFile, damage: Callable[[Path], None]
) -> None:
    damage(filled.path)
    with pytest.warns(SetAside, match="it is empty, and a beside it is not"):
        filled.open().close()
    assert (kept(filled) / "a" / "blob").read_bytes() == b"kept"


def foreign(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise sqlite3.DatabaseError("its tables are not those of this program")


def test_what_its_caller_does_not_know_is_damage_too(filled: DatabaseFile) -> None:
    said: list[str] = []
    other = DatabaseFile(filled.path, foreign, "memory of others", "others start empty")
    other.open(said.append).close()
    assert said == [
        "The memory of others was damaged (its tables are not those of this program). "
        f"It is kept in {kept(filled)}; others start empty."
    ]


def test_what_another_process_has_written_last_is_kept_too(filled: DatabaseFile) -> None:
    with closing(filled.connect()) as other:
        with other:
            other.execute("INSERT INTO things VALUES ('last')")
        # in the log beside the file, as long as the other one has it open
        with pytest.warns(SetAside):
            DatabaseFile(filled.path, foreign, "memory", "it is empty").open().close()
        with closing(sqlite3.connect(kept(filled) / "things.sqlite")) as aside:
            assert things(aside)[-1] == "last"


def test_what_is_damaged_twice_in_a_second_is_kept_twice(filled: DatabaseFile) -> None:
    for _ in range(2):
        no_database(filled.path)
        with pytest.warns(SetAside):
            filled.open().close()
    assert len(list(filled.path.parent.glob("things.sqlite.damaged-*/things.sqlite"))) == 2


def test_an_end_in_the_middle_of_setting_aside_loses_nothing(
    filled: DatabaseFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def rename(path: Path, target: Path) -> None:
        if path in filled.beside:
            raise Killed
        path.replace(target)

    no_database(filled.path)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        with pytest.raises(Killed):
            filled.open()
    with pytest.warns(SetAside):
        filled.open().close()
    root = filled.path.parent
    assert len(list(root.glob("things.sqlite.damaged-*/things.sqlite"))) == 2
    assert [path.read_bytes() for path in root.glob("*.damaged-*/a/blob")] == [b"kept"]


def locked(file: DatabaseFile) -> Iterator[DatabaseFile]:
    with closing(file.connect()) as other, transaction(other):
        yield file


def no_file(file: DatabaseFile) -> Iterator[DatabaseFile]:
    file.path.unlink()
    file.path.mkdir()
    yield file


def full(file: DatabaseFile) -> Iterator[DatabaseFile]:
    def more(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 1")
        create(connection, "CREATE TABLE more (name TEXT);")

    yield DatabaseFile(file.path, more, file.what, file.then, file.beside)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("state", "said"),
    [(locked, "locked"), (no_file, "unable to open"), (full, "full")],
)
def test_what_cannot_be_used_now_is_no_damage(
    filled: DatabaseFile,
    state: Callable[[DatabaseFile], Iterator[DatabaseFile]],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    for file in state(filled):
        with pytest.raises(sqlite3.OperationalError, match=said):
            file.open()
    assert filled.path.exists()
    assert (filled.beside[0] / "blob").read_bytes() == b"kept"
    assert list(filled.path.parent.glob("*.damaged-*")) == []


@pytest.fixture
def explicit(file: DatabaseFile) -> Iterator[sqlite3.Connection]:
    """A connection that begins no transaction by itself."""
    with closing(file.open()) as connection:
        connection.isolation_level = None
        yield connection


def test_a_transaction_is_there_for_others_when_it_ends(
    file: DatabaseFile, explicit: sqlite3.Connection
) -> None:
    with closing(file.connect()) as other:
        with transaction(explicit) as connection:
            connection.execute("INSERT INTO things VALUES ('a')")
            assert things(other) == []
        assert things(other) == ["a"]


def test_a_transaction_that_fails_leaves_nothing(explicit: sqlite3.Connection) -> None:
    def half() -> None:
        with transaction(explicit) as connection:
            connection.execute("INSERT INTO things VALUES ('a')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert things(explicit) == []
    assert not explicit.in_transaction
