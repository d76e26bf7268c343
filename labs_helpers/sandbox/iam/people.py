"""Who is who, put together: records, sessions, directory, STS and the web identity provider."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.oidc import TokenIssuer
from labs_helpers.sandbox.iam.records import Records
from labs_helpers.sandbox.iam.sessions import Sessions


@dataclass(frozen=True)
class People:
    """The parts that know who is who; `close` at the end."""

    records: Records
    sessions: Sessions
    directory: Directory
    issuer: TokenIssuer

    @property
    def notices(self) -> list[str]:
        """What was found damaged and set aside since the start, in words."""
        return [*self.records.notices, *self.sessions.database.notices]

    def close(self) -> None:
        """Close the databases."""
        self.records.close()
        self.sessions.database.close()


def build(folder: Path, records: Records, clock: Clock) -> People:
    """Open the parts in a folder, which is created when missing.

    Raises OSError or sqlite3.Error when the folder cannot be used.
    """
    sessions = Sessions(folder, clock)
    directory = Directory(records, sessions)
    return People(records, sessions, directory, TokenIssuer(folder, sessions.now))
