"""Temporary credentials: random, on disk before they are handed out, forgotten long after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.iam.sessions import KEPT, Origin, Session, SessionFacts, Sessions

FACTS = SessionFacts(
    origin=Origin.ROLE,
    source="arn:aws:iam::123456789012:role/deployer",
    source_id="AROAIOSFODNN7EXAMPLE1",
    name="build",
    policy='{"Version": "2012-10-17", "Statement": []}',
    policy_arns=("arn:aws:iam::aws:policy/ReadOnlyAccess",),
    tags={"Team": "ä"},
    transitive=("Team",),
    source_identity="ada",
    keys={"token.actions.githubusercontent.com:sub": "repo:a/b:ref:refs/heads/main"},
    mfa=True,
    chained=True,
)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock.json", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> Iterator[Sessions]:
    found = Sessions(tmp_path / "identity", clock)
    yield found
    found.database.close()


def issued(sessions: Sessions, lifetime: timedelta = timedelta(hours=1)) -> Session:
    arn = "arn:aws:sts::123456789012:assumed-role/deployer/build"
    return sessions.issue("123456789012", arn, "AROAIOSFODNN7EXAMPLE1:build", FACTS, lifetime)


def test_another_process_finds_all_of_a_session(
    tmp_path: Path, clock: Clock, sessions: Sessions
) -> None:
    made = issued(sessions)
    other = Sessions(tmp_path / "identity", clock)
    found = other.session(made.principal.access_key_id)
    other.database.close()
    assert found == made


def test_no_two_are_alike(sessions: Sessions) -> None:
    made = [issued(sessions) for _ in range(5)]
    assert len({one.principal.access_key_id for one in made}) == 5
    assert len({one.secret for one in made}) == 5
    assert len({one.token for one in made}) == 5


def test_nothing_is_written_before_the_first(sessions: Sessions) -> None:
    assert sessions.find("ASIAIOSFODNN7EXAMPLE") is None
    assert not sessions.database.path.exists()


def test_a_clock_that_stands_still_hands_out_sessions_that_last(sessions: Sessions) -> None:
    made = issued(sessions)
    found = sessions.find(made.principal.access_key_id)
    assert found is not None
    assert found.expires is not None
    assert found.expires > datetime.now(UTC) + timedelta(minutes=59)


def test_a_clock_moved_forward_ends_a_session_by_real_time(
    sessions: Sessions, clock: Clock
) -> None:
    made = issued(sessions)
    clock.advance(timedelta(hours=2))
    found = sessions.find(made.principal.access_key_id)
    assert found is not None
    assert found.expires is not None
    assert found.expires < datetime.now(UTC)


def test_a_session_is_known_for_a_month_after_its_end(sessions: Sessions, clock: Clock) -> None:
    made = issued(sessions)
    clock.advance(KEPT)
    issued(sessions)
    assert sessions.session(made.principal.access_key_id) is not None
    clock.advance(timedelta(hours=2))
    issued(sessions)
    assert sessions.session(made.principal.access_key_id) is None
