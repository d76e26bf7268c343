"""Every test has its own hub, with a frozen clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.hub.app import HubApp
from tests.sandbox.hub.hub_client import Hub

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(frozen_at=START)


@pytest.fixture
def hub(tmp_path: Path, clock: Clock) -> Hub:
    return Hub(HubApp(tmp_path / "hub", clock))
