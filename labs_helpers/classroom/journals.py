"""Learners' journals, read by an instructor who trusts neither the files nor the folders.

A learner owns the folder of the journal, and the reader may be root. So a symbolic link below the
learner's own folder is not followed, and only a regular file of a bounded size is read. An event
counts when its fields are those of ``progress/schema.yaml``.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from labs_helpers.curriculum import LABS
from labs_helpers.files import LabsError, cannot_read
from labs_helpers.progress.journal import SCHEMA, VERSION, Event

LARGEST = 4_000_000
"""Bytes of a journal that are read. A day of one learner takes about 100,000."""
AHEAD = timedelta(minutes=2)
"""How far a learner's clock may be ahead of the instructor's."""
LARGEST_CLASS = 64_000_000
"""Bytes of an inbox that are taken and read: 600 learners of a day, which take some seconds."""
MOST_HOMES = 2_000
_NAME_LENGTH = 40
_FOLDERS_OF_A_HOME = 200
_PART = re.compile(r"\d\d\.[pq]?\d{1,3}", re.ASCII)
_OUTCOME = re.compile(r"passed|not yet|not attempted|could not look|[a-z]|\d{1,2}", re.ASCII)
_EVENTS = frozenset(
    {
        "opened",
        "restarted",
        "active",
        "check",
        "hint",
        "solution",
        "quiz",
        "predict",
        "compared",
        "shown",
    }
)


@dataclass(frozen=True)
class Found:
    """One learner's events, oldest first, and what was odd about the file, in words.

    ``home`` is the learner's LABS_HOME where the journal lies on this machine.
    """

    name: str
    events: tuple[Event, ...]
    notes: tuple[str, ...] = ()
    home: Path | None = None


class _Refused(Exception):
    """A file that is not read; the message says why."""


def of_homes(folder: Path, now: datetime) -> list[Found]:
    """The learners whose homes are in ``folder``, by name; each name is the folder's.

    A home's LABS_HOME is its ``.labs``, or the ``.labs`` of a folder in it (a copy of the project),
    or the home itself. A folder without one is nobody's. Raises WorkspaceError.
    """
    try:
        homes = sorted(one.name for one in os.scandir(folder) if one.is_dir())
    except OSError as error:
        raise cannot_read(folder, error) from error
    if len(homes) > MOST_HOMES:
        raise LabsError(f"{folder} has {len(homes)} folders; a class has {MOST_HOMES} at most.")
    return [found for name in homes if (found := _of_home(folder, name, now)) is not None]


def of_inbox(folder: Path, now: datetime) -> list[Found]:
    """The learners whose laptops sent their progress into ``folder``, by name."""
    try:
        files = sorted(one.name for one in os.scandir(folder) if _is_sent(one.name))
    except OSError as error:
        raise cannot_read(folder, error) from error
    listed, size = [], 0
    for name in files[:MOST_HOMES]:
        try:
            text = _read(folder, (name,), LARGEST_CLASS - size)
            size += len(text or b"")
            listed.append(sent(text, now) if text is not None else None)
        except _Refused as why:
            listed.append(Found(clean(name), (), (str(why),)))
    if (more := len(files) - MOST_HOMES) > 0:
        note = f"not read: an inbox has {MOST_HOMES:,} files at most"
        listed.append(Found(f"({more} more)", (), (note,)))
    return _told_apart(sorted((one for one in listed if one), key=lambda one: one.name))


def sent(text: bytes, now: datetime) -> Found:
    """What a laptop sent, as ``sending.document`` makes it; damaged documents have a note."""
    try:
        document = json.loads(text)
        name, lines = document["name"], document["events"]
        if not isinstance(name, str) or not isinstance(lines, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        return Found("(nameless)", (), ("what was sent cannot be read",))
    given = ({"__timestamp__": one.get("at"), **one} for one in lines if isinstance(one, dict))
    return _counted(
        clean(name), [*given, *[None] * sum(not isinstance(x, dict) for x in lines)], now
    )


def clean(name: str) -> str:
    """A name for a terminal: short, on one line, without letters that move or hide text."""
    shown = clean_text(name[: 4 * _NAME_LENGTH])
    if len(shown) > _NAME_LENGTH:
        shown = shown[: _NAME_LENGTH - 1] + "…"
    return shown or "(nameless)"


def clean_text(text: str) -> str:
    """A text on one line, in which letters that move or hide other text are question marks."""
    return printable(text).strip()


def printable(text: str) -> str:
    """The same with the blanks around the text."""
    return "".join(
        "?" if unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029" else letter
        for letter in text
    )


def _is_sent(name: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{32}\.json", name))


def _told_apart(listed: Sequence[Found]) -> list[Found]:
    """Learners who chose the same name get a number each."""
    seen: dict[str, int] = {}
    told = []
    for one in listed:
        seen[one.name] = seen.get(one.name, 0) + 1
        number = seen[one.name]
        told.append(one if number == 1 else replace(one, name=f"{one.name} ({number})"))
    return told


def _of_home(folder: Path, name: str, now: datetime) -> Found | None:
    for inside in _candidates(folder / name):
        home = folder.joinpath(name, *inside)
        try:
            text = _read(folder / name, (*inside, "progress", "events.jsonl"))
        except _Refused as why:
            return Found(clean(name), (), (str(why),), home)
        if text is not None:
            return replace(_counted(clean(name), _lines(text), now), home=home)
    if _is_plain_folder(folder / name / ".labs"):
        return Found(clean(name), (), ("no lab was opened yet",), folder / name / ".labs")
    return None


def _candidates(home: Path) -> Iterator[tuple[str, ...]]:
    yield (".labs",)
    yield ()
    try:
        with os.scandir(home) as entries:
            for _, entry in zip(range(_FOLDERS_OF_A_HOME), entries, strict=False):
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    yield (entry.name, ".labs")
    except OSError:
        return  # the journal itself says why a home cannot be read


def _is_plain_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _read(folder: Path, parts: tuple[str, ...], room: int = LARGEST_CLASS) -> bytes | None:
    """A file's bytes, None where there is no file. Raises _Refused, also for more than ``room``."""
    shown = "/".join(parts)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        for number, part in enumerate(parts):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO would block
            if number < len(parts) - 1:
                flags |= os.O_DIRECTORY
            above = descriptor
            try:
                descriptor = os.open(part, flags, dir_fd=above)
            finally:
                os.close(above)
    except OSError as error:
        if _has_link(folder, parts):
            raise _Refused(f"{shown} is a symbolic link, which is not followed") from error
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise _Refused(f"{shown} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _Refused(f"{shown} is not a regular file")
        if found.st_size > LARGEST:
            raise _Refused(f"{shown} has {found.st_size:,} bytes, more than a journal has")
        if found.st_size > room:
            raise _Refused(f"not read: an inbox has {LARGEST_CLASS // 1_000_000} MB at most")
        return file.read(min(LARGEST, room))


def _has_link(folder: Path, parts: Sequence[str]) -> bool:
    each = folder
    for part in parts:
        each = each / part
        if each.is_symlink():
            return True
    return False


def _lines(text: bytes) -> Iterator[Any]:
    """The JSON of each line of a journal; None for a line that is none."""
    for line in text.splitlines():
        try:
            found = json.loads(line)
            known = (found["__schema__"], found["__schema_version__"]) == (SCHEMA, VERSION)
            yield found if known else None
        except (ValueError, KeyError, TypeError, RecursionError):
            yield None


def _counted(name: str, lines: Iterable[Any], now: datetime) -> Found:
    """The events of a learner, with notes on those that were left out."""
    good, damaged, future = [], 0, 0
    for line in lines:
        event = None if line is None else _event(line)
        if event is None:
            damaged += 1
        elif event.at > now + AHEAD:
            future += 1
        else:
            good.append(event)
    notes = []
    if damaged:
        notes.append(f"{damaged} damaged line{'s' * (damaged > 1)} left out")
    if future:
        notes.append(f"{future} event{'s' * (future > 1)} from the future left out: a wrong clock?")
    return Found(name, tuple(sorted(good, key=lambda one: one.at)), tuple(notes))


def _event(line: dict[str, Any]) -> Event | None:
    """The event of a line whose fields are an event's; None for another line."""
    try:
        at = datetime.fromisoformat(line["__timestamp__"])
        fields = [line["lab"], line["event"], line.get("part", ""), line.get("outcome", "")]
        if at.tzinfo is None or not all(isinstance(one, str) for one in fields):
            return None
        at = at.astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    lab, event, part, outcome = fields
    if lab not in LABS or event not in _EVENTS:
        return None
    if part and (not _PART.fullmatch(part) or part[:2] != lab):
        return None
    return Event(at, *fields) if not outcome or _OUTCOME.fullmatch(outcome) else None
