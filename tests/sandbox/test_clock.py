"""The sandbox clock goes forward only, survives a restart, and can stand still."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.files import SetAside, WorkspaceError
from labs_helpers.sandbox.clock import FARTHEST, Clock

NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)


def test_a_new_clock_shows_real_time() -> None:
    before = datetime.now(UTC)
    shown = Clock().now()
    assert before <= shown <= datetime.now(UTC)


def test_an_advance_adds_to_real_time() -> None:
    clock = Clock()
    clock.advance(timedelta(hours=13))
    assert clock.offset == timedelta(hours=13)
    assert abs(clock.now() - datetime.now(UTC) - timedelta(hours=13)) < timedelta(minutes=1)


def test_a_frozen_clock_stands_and_moves_by_advances_only() -> None:
    clock = Clock(frozen_at=NINE)
    assert (clock.now(), clock.now()) == (NINE, NINE)
    clock.advance(timedelta(minutes=5))
    assert clock.now() == NINE + timedelta(minutes=5)
    assert clock.frozen


def test_the_offset_survives_a_restart(tmp_path: Path) -> None:
    Clock(tmp_path / "clock.json", NINE).advance(timedelta(hours=2))
    assert Clock(tmp_path / "clock.json", NINE).now() == NINE + timedelta(hours=2)


def test_a_step_back_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock.json", NINE)
    with pytest.raises(ValueError, match="forward only"):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == NINE


def test_the_clock_does_not_leave_the_calendar() -> None:
    clock = Clock(frozen_at=NINE)
    with pytest.raises(ValueError, match="days ahead"):
        clock.advance(timedelta.max)
    clock.advance(FARTHEST)
    assert clock.now().year == 2126


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Clock(frozen_at=datetime(2026, 11, 2))


def test_a_clock_that_cannot_be_kept_does_not_move(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "missing" / "clock.json", NINE)
    with pytest.raises(WorkspaceError, match="Cannot write"):
        clock.advance(timedelta(hours=1))
    assert clock.now() == NINE


def test_a_broken_file_is_kept_aside_and_counts_as_no_offset(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text('{"offset_sec')
    with pytest.warns(SetAside):
        clock = Clock(tmp_path / "clock.json", NINE)
    assert clock.now() == NINE
    assert [path.read_text() for path in tmp_path.glob("clock.json.broken-*")] == ['{"offset_sec']


@given(st.none() | st.text() | st.floats() | st.integers() | st.booleans() | st.lists(st.none()))
def test_no_value_in_the_file_stops_the_clock(value: object) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clock.json"
        path.write_text(json.dumps({"offset_seconds": value}))
        assert timedelta() <= Clock(path, NINE).offset <= FARTHEST
