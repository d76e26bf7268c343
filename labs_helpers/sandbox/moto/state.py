"""IAM's state of every account on disk: written before a change is answered, found at next start.

    <folder>/iam.sqlite                            a row an account
    <folder>/<account>.damaged-<date>              a row that could not be read
    <folder>/iam.sqlite.damaged-<date>/            a database that was none

A row holds what snapshot.py made of the account, its checksum, and the version of moto whose
objects it holds. `kill -9` at any moment loses no change that was answered.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from labs_helpers.runtime.database import dated
from labs_helpers.sandbox.database import Database

_SCHEMA = """
create table accounts (
    account text primary key,
    content blob not null,
    sha256 text not null,
    moto text not null,
    written_at text not null
) strict;
"""


@dataclass(frozen=True)
class Stored:
    """One account as last written; `moto` is the version that wrote it."""

    account: str
    content: bytes
    moto: str


class State:
    """Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Open what is there; rows whose checksum is wrong are set aside at once."""
        self.database = Database(folder / "iam.sqlite", _SCHEMA, "IAM's users and roles")
        with self.database.read() as connection:
            rows = (
                connection.execute("select account, content, sha256 from accounts").fetchall()
                if connection
                else []
            )
        self._accounts = {str(row["account"]) for row in rows}
        for row in rows:
            if _checksum(row["content"]) != row["sha256"]:
                self.set_aside(row["account"], "its checksum is wrong")

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts in which something was changed, ever."""
        return frozenset(self._accounts)

    def read(self) -> list[Stored]:
        """Every account, oldest account id first."""
        with self.database.read() as connection:
            if connection is None:
                return []
            rows = connection.execute("select * from accounts order by account").fetchall()
        return [Stored(row["account"], row["content"], row["moto"]) for row in rows]

    def write(self, contents: dict[str, bytes]) -> None:
        """Replace the rows of these accounts in one transaction; raises sqlite3.Error."""
        now = datetime.now(UTC).isoformat()
        version = metadata.version("moto")
        with self.database.write() as connection:
            connection.executemany(
                "insert or replace into accounts values (?, ?, ?, ?, ?)",
                [
                    (account, content, _checksum(content), version, now)
                    for account, content in contents.items()
                ],
            )
        self._accounts |= contents.keys()

    def set_aside(self, account: str, reason: str) -> None:
        """Move an account's row to a file of a dated name, and say so."""
        with self.database.write() as connection:
            row = connection.execute(
                "select content from accounts where account = ?", (account,)
            ).fetchone()
            if row is None:
                return
            aside = dated(self.database.path.with_name(account))
            aside.touch(mode=0o600)
            aside.write_bytes(row["content"])
            connection.execute("delete from accounts where account = ?", (account,))
        self._accounts.discard(account)
        self.database.notice(
            f"The stored IAM of account {account} was not usable ({reason}). "
            f"It is kept as {aside}; the account starts anew, the others stay."
        )


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
