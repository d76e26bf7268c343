"""A check waits for what goes on, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator

from labs_helpers.checks.patience import PAUSE, settled


def ending(*states: str) -> tuple[Iterator[str], list[float]]:
    """What looks find, one after another, and a list of the pauses between them."""
    return iter(states), []


def test_what_has_ended_is_looked_at_once() -> None:
    states, pauses = ending("ended", "never looked at")
    assert settled(lambda: next(states), lambda one: one != "ended", 60, pauses.append) == "ended"
    assert pauses == []


def test_what_goes_on_is_looked_at_again_until_it_has_ended() -> None:
    states, pauses = ending("begun", "goes on", "ended")
    assert settled(lambda: next(states), lambda one: one != "ended", 60, pauses.append) == "ended"
    assert pauses == [PAUSE, PAUSE]


def test_what_never_ends_is_told_as_it_is_last() -> None:
    states, pauses = ending("goes on", "never looked at")
    assert settled(lambda: next(states), lambda _: True, -1, pauses.append) == "goes on"
    assert pauses == []
