"""A sandbox that stops waits for nobody who waits for a message."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.moto.kept.tracking import Tracking, Turns


@pytest.fixture
def tracking() -> Iterator[Tracking]:
    made = Tracking()
    made.install(lambda package: None, Turns())
    made.install_on("sqs")
    yield made
    for target, own in patches.ORIGINALS.items():
        if own is not None:
            owner, name = patches.owner_of(target)
            setattr(owner, name, own)


def test_who_waits_for_a_message_is_answered_when_the_sandbox_stops(tracking: Tracking) -> None:
    backend = sqs_backends["123456789012"]["us-west-2"]
    backend.create_queue("waited-for")
    found: list[Any] = []

    def receive() -> None:
        a_day = 24 * 60 * 60
        found.append(backend.receive_message("waited-for", 1, a_day, 30))

    waiting = threading.Thread(target=receive, daemon=True)
    waiting.start()
    tracking.hang_up()
    waiting.join(60)
    assert found == [[]]
