"""The events of an engine, which a client gets from the moment of its request on."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping

import pytest

from labs_helpers.engine.events import Events, matches


def test_an_event_right_after_the_request_is_not_missed() -> None:
    events = Events()
    followed = events.follow(None, None, lambda: False)
    events.emit("container", "create", "1" * 64, {"name": "web"})
    # read only now, as by a server that is busy
    found = next(followed)
    assert found
    assert (found["Action"], found["Actor"]["Attributes"]["name"]) == ("create", "web")


def test_earlier_events_come_if_asked_for_and_the_stream_ends_in_time() -> None:
    events = Events()
    for action in ("create", "start"):
        events.emit("container", action, "1" * 64, {})
    # the end is long past, and so are the events after it
    assert list(events.follow(0.0, 1.0, lambda: False)) == []
    found = [e for e in events.follow(0.0, time.time() + 0.01, lambda: False) if e]
    assert [event["Action"] for event in found] == ["create", "start"]


def test_more_events_than_are_kept_leave_the_latest() -> None:
    events = Events()
    followed = events.follow(None, None, lambda: False)
    for number in range(300):
        events.emit("container", str(number), "1" * 64, {})
    found = [event["Action"] for event in itertools.islice(followed, 256) if event]
    assert (found[0], found[-1]) == ("44", "299")


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        ({"event": ["die"]}, True),
        ({"event": ["start"]}, False),
        ({"container": ["web"]}, True),
        ({"container": ["11"]}, True),
        ({"container": ["22"]}, False),
        ({"type": ["container"]}, True),
        ({"type": ["image"]}, False),
        ({"scope": ["local"]}, True),
        ({"image": ["demo"]}, True),
        ({"label": ["a"]}, True),
        ({"label": ["a=b"]}, True),
        ({"label": ["a=c"]}, False),
    ],
)
def test_filters(filters: Mapping[str, list[str]], chosen: bool) -> None:
    attributes = {"name": "web", "image": "demo:latest", "a": "b"}
    actor = {"ID": "1" * 64, "Attributes": attributes}
    event = {"Type": "container", "Action": "die", "Actor": actor, "scope": "local"}
    assert matches(event, filters) is chosen


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        ({"type": ["image"]}, True),
        ({"type": ["container", "volume"]}, False),
        ({"image": ["demo:v1"]}, True),
        ({"image": ["demo"]}, True),
        ({"image": ["other"]}, False),
        ({"container": ["demo"]}, False),
        ({"scope": ["swarm"]}, False),
    ],
)
def test_filters_of_an_image_s_event(filters: Mapping[str, list[str]], chosen: bool) -> None:
    actor = {"ID": "demo:v1", "Attributes": {"name": "demo"}}
    event = {"Type": "image", "Action": "pull", "Actor": actor, "scope": "local"}
    assert matches(event, filters) is chosen


def test_an_action_with_a_detail_is_found_by_its_name() -> None:
    actor = {"ID": "1" * 64, "Attributes": {}}
    event = {"Type": "container", "Action": "exec_start: sh", "Actor": actor, "scope": "local"}
    assert matches(event, {"event": ["exec_start"]})
