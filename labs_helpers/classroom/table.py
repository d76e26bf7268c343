"""A room as plain text."""

from __future__ import annotations

from datetime import datetime

from labs_helpers.classroom.room import IS_AWAY, NOT_BEGUN, Learner, Minutes, Room, level
from labs_helpers.curriculum import LABS
from labs_helpers.display.rendering import table


def text(room: Room) -> str:
    """The heat map, who has not moved, and the minutes; ends without a line break."""
    if not room.learners:
        return "Nobody is here yet."
    parts = [_map(room), _still(room), _minutes(room), _notes(room)]
    return "\n\n".join(part for part in parts if part)


def _map(room: Room) -> str:
    head = ("learner", *LABS, "next", "state")
    rows = [
        (one.name, *(level(lab)[1] for lab in one.labs), one.part or "", state(room, one))
        for one in room.learners
    ]
    return table(head, rows).text


def state(room: Room, one: Learner) -> str:
    """The state of a learner, with how long it has lasted."""
    if one.moved is None or one.active is None:
        return NOT_BEGUN
    since = one.active if one.state in (IS_AWAY, "quiet") else one.moved
    return f"{one.state}, {ago(room.now, since)}" if one in room.still else one.state


def ago(now: datetime, at: datetime | None) -> str:
    """Whole minutes, such as "14 min"."""
    return "" if at is None else f"{int((now - at).total_seconds() // 60)} min"


def _still(room: Room) -> str:
    lines = [
        f"  {one.name}: {one.part or ''}, {tried(one)}; moved {ago(room.now, one.moved)} ago, "
        f"active {ago(room.now, one.active)} ago"
        for one in room.still
    ]
    return "\n".join(["Not moved for ten minutes:", *lines]) if lines else ""


def tried(one: Learner) -> str:
    """What a learner did at the exercise that is next."""
    tries = f"{one.tries} {'try' if one.tries == 1 else 'tries'}"
    return f"{tries}, {one.hints} {'hint' if one.hints == 1 else 'hints'}"


def numbers(found: Minutes) -> tuple[str, str, str]:
    """How many, median and longest, as columns."""
    if found.median is None or found.longest is None:
        return "0", "", ""
    return str(found.count), f"{found.median:.0f}", f"{found.longest:.0f}"


def _minutes(room: Room) -> str:
    each = [(key, *numbers(one), "") for key, one in room.exercises.items() if one.count]
    whole = [
        (f"lab {key}", *numbers(one), str(LABS[key].minutes))
        for key, one in room.labs.items()
        if one.count
    ]
    if not each:
        return ""
    head = ("exercise", "did it", "median min", "longest min", "printed min")
    return table(head, [*each, *whole], (1, 2, 3, 4)).text


def _notes(room: Room) -> str:
    return "\n".join(f"{one.name}: {note}" for one in room.learners for note in one.notes)
