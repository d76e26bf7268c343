"""Every temporary credential that STS issued, kept in SQLite: a restart ends no session.

A session lives by real time plus the sandbox clock's offset: moving the clock ends it, and a clock
that stands still does not make it expired to a client, which reads its end by its own clock.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.database import Database
from labs_helpers.sandbox.iam.credentials import Credential, new_secret, unique_id
from labs_helpers.sandbox.identity import Principal

KEPT = timedelta(days=30)
"""How long a session is kept after its end: longer than a registry token of the session lives."""

_SCHEMA = """
create table sessions (
    access_key_id text primary key,
    secret text not null,
    token text not null,
    account text not null,
    arn text not null,
    user_id text not null,
    issued_at real not null,
    ends_at real not null,
    facts text not null
) strict;
"""


class Origin(Enum):
    """How a session was made."""

    ROLE = "AssumeRole"
    WEB_IDENTITY = "AssumeRoleWithWebIdentity"
    USER = "GetSessionToken"
    FEDERATION = "GetFederationToken"


@dataclass(frozen=True)
class SessionFacts:
    """What decides over a session's rights, as it was when the session was made.

    source: ARN of the role whose rights it has, or of the user that called; source_id: its unique
    id, since a role or user made again by the same name is another one; policy: the session policy
    passed as text, policy_arns: as ARNs of managed policies; tags: session tags, those inherited
    included; transitive: the keys of those that a further session inherits; keys: what a web
    identity token said, as condition keys; chained: made with another role's session.
    """

    origin: Origin
    source: str
    source_id: str
    name: str = ""
    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()
    source_identity: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    mfa: bool = False
    chained: bool = False


@dataclass(frozen=True)
class Session:
    """A session; its times are real time plus the offset of the sandbox's clock."""

    principal: Principal
    secret: str
    token: str
    issued_at: datetime
    ends_at: datetime
    facts: SessionFacts


class Sessions:
    """Thread-safe."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.database = Database(folder / "sessions.sqlite", _SCHEMA, "temporary credentials")
        self._clock = clock

    def now(self) -> datetime:
        """The time that sessions live by."""
        return datetime.now(UTC) + self._clock.offset

    def issue(
        self, account: str, arn: str, user_id: str, facts: SessionFacts, lifetime: timedelta
    ) -> Session:
        """New temporary credentials, on disk before they are returned; raises sqlite3.Error."""
        now = self.now().replace(microsecond=0)
        principal = Principal(account, arn, user_id, unique_id("ASIA"))
        made = Session(
            principal, new_secret(), secrets.token_urlsafe(240), now, now + lifetime, facts
        )
        with self.database.write() as connection:
            gone = (now - KEPT).timestamp()
            connection.execute("delete from sessions where ends_at < ?", (gone,))
            connection.execute(
                "insert into sessions values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    principal.access_key_id,
                    made.secret,
                    made.token,
                    account,
                    arn,
                    user_id,
                    made.issued_at.timestamp(),
                    made.ends_at.timestamp(),
                    json.dumps({**asdict(facts), "origin": facts.origin.value}),
                ),
            )
        return made

    def end(self, access_key_id: str, after: timedelta) -> None:
        """Have a session end after some time from now, unless it ends before; sqlite3.Error."""
        ends = (self.now() + after).timestamp()
        with self.database.write() as connection:
            connection.execute(
                "update sessions set ends_at = min(ends_at, ?) where access_key_id = ?",
                (ends, access_key_id),
            )

    def session(self, access_key_id: str) -> Session | None:
        """The session of a key, also one that has ended."""
        if not access_key_id.startswith("ASIA"):
            return None
        with self.database.read() as connection:
            row = (
                connection.execute(
                    "select * from sessions where access_key_id = ?", (access_key_id,)
                ).fetchone()
                if connection
                else None
            )
        return None if row is None else _session(row)

    def find(self, access_key_id: str) -> Credential | None:
        """The credential of a key, `expires` by real time, which the gateway judges it by."""
        found = self.session(access_key_id)
        if found is None:
            return None
        ends = found.ends_at - self._clock.offset
        return Credential(found.principal, found.secret, found.token, ends)


def _session(row: sqlite3.Row) -> Session:
    facts = json.loads(row["facts"])
    origin = facts.pop("made", None) or facts["origin"]  # "made" in rows of earlier versions
    return Session(
        Principal(row["account"], row["arn"], row["user_id"], row["access_key_id"]),
        row["secret"],
        row["token"],
        datetime.fromtimestamp(row["issued_at"], UTC),
        datetime.fromtimestamp(row["ends_at"], UTC),
        SessionFacts(
            **{
                **facts,
                "origin": Origin(origin),
                "policy_arns": tuple(facts["policy_arns"]),
                "transitive": tuple(facts["transitive"]),
            }
        ),
    )
