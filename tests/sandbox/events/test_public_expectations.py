"""What moto's and Floci's tests expect of EventBridge, held against what AWS says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.events.expected_buses import BUS_ROWS, EVENTS
from tests.sandbox.events.expected_rules import RULES, TARGETS
from tests.sandbox.public_expectations import Row, client_of, goes_as_expected
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def events(sandbox: Running) -> Any:
    return client_of(sandbox, "events")


@pytest.mark.parametrize("expected", [*RULES, *TARGETS, *BUS_ROWS, *EVENTS])
def test_eventbridge_answers_as_the_public_suites_expect(events: Any, expected: Row) -> None:
    goes_as_expected(events, expected)
