"""What an instructor hands out to all: a hint, a solution, or a sentence.

A class folder has the file ``says.json``, which the instructor writes and the learners read. The
file names exercises and holds no text of a hint or solution: each learner's own notebooks have
these. So the file shows a learner nothing but what the labs say, and plain sentences.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labs_helpers.classroom.journals import clean_text
from labs_helpers.curriculum import LABS, UnknownPart
from labs_helpers.display.rendering import CALM, Rendering, framed, spelled
from labs_helpers.files import LabsError, cannot_write, replace_file
from labs_helpers.labs.exercises import Exercise, exercise
from labs_helpers.own_names import OwnNames
from labs_helpers.workspace import Workspace

FOLDER = "LABS_CLASS"
"""The variable that names the class folder; without it, ``.class`` of the project."""
FILE = "says.json"
MOST = 20
LONGEST = 300
_LARGEST = 20_000
KINDS = ("hint", "solution", "sentence")


@dataclass(frozen=True)
class HandOut:
    """One thing handed out. ``part`` and ``number`` name a hint; ``text`` is a sentence."""

    kind: str
    at: str
    part: str = ""
    number: int = 1
    text: str = ""


def folder(workspace: Workspace, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The class folder of this machine, which may not exist; None without a project."""
    if named := environ.get(FOLDER):
        return Path(named).expanduser()
    return None if workspace.project is None else workspace.project / ".class"


def now() -> str:
    """The time of a hand-out."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read(place: Path) -> list[HandOut]:
    """What a class folder hands out, oldest first; nothing where the file cannot be understood.

    A file of somebody else than the folder's owner, the reader and root says nothing: where all may
    write into the folder, a learner could speak as the instructor.
    """
    try:
        descriptor = os.open(place / FILE, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_uid not in _may_speak(place):
                return []
            return understood(file.read(_LARGEST))
    except OSError:
        return []  # no class, or a class that is over


def _may_speak(place: Path) -> set[int]:
    """The users whose file counts: learners write into an inbox that they share, too."""
    return {0, os.geteuid(), place.stat().st_uid}


def understood(text: bytes) -> list[HandOut]:
    """The hand-outs of a document; what has another form is left out."""
    try:
        listed = json.loads(text)["handed_out"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [one for each in listed[:MOST] if (one := _of(each))] if isinstance(listed, list) else []


def document(handed_out: Sequence[HandOut]) -> dict[str, Any]:
    """The hand-outs as the file holds them, and as a listener answers them."""
    return {"handed_out": [asdict(one) for one in handed_out]}


def add(place: Path, one: HandOut) -> None:
    """Hand one thing out to all. Raises WorkspaceError where the folder cannot be written."""
    write(place, [*read(place), one][-MOST:])


def write(place: Path, handed_out: Sequence[HandOut]) -> None:
    """Replace all that is handed out. Raises LabsError where nobody would believe the file."""
    if place.exists() and os.geteuid() not in {0, place.stat().st_uid}:
        raise LabsError(
            f"{place} belongs to user {place.stat().st_uid}, and learners see only what its owner "
            "hands out. Hand out as that user, or make a folder of your own."
        )
    text = json.dumps(document(handed_out), indent=2) + "\n"
    try:
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        replace_file(place / FILE, text.encode(), 0o644)
    except OSError as error:
        raise cannot_write(place, error) from error


def wanted(workspace: Workspace, kind: str, part: str, number: int = 1) -> HandOut:
    """A hint or solution to hand out. Raises UnknownPart for one that the labs do not have."""
    found = _exercise(workspace, part)
    if kind == "hint":
        found.hint(number)
    elif not found.solution:
        raise LabsError(f"The notebook has no solution of {part}.")
    return HandOut(kind, now(), part, number)


def sentence(text: str) -> HandOut:
    """A sentence to hand out; raises LabsError for one that is empty or too long."""
    if not text.strip() or len(text) > LONGEST:
        raise LabsError(f"A sentence for all has 1 to {LONGEST} characters; this has {len(text)}.")
    return HandOut("sentence", now(), text=clean_text(text))


def drawn(one: HandOut, workspace: Workspace) -> Rendering | None:
    """What a learner sees; None for an exercise that the learner's workbook does not have."""
    if one.kind == "sentence":
        return _box(one.text)
    try:
        found = _exercise(workspace, one.part, workspace.own_names)
        said = found.hint(one.number) if one.kind == "hint" else found.solution
    except (LabsError, OSError, KeyError, UnknownPart):
        return None
    title = f"hint {one.number}" if one.kind == "hint" else "a solution"
    return _box(f"{title} of {one.part}\n{said}")


def _box(said: str) -> Rendering:
    head = "Your instructor says"
    html = f'<div style="white-space:pre-wrap">{spelled(said)}</div>'
    shown = "\n".join("  " + line for line in said.splitlines())
    return Rendering(f"{head}\n{shown}", framed(CALM, head, html))


def _exercise(workspace: Workspace, part: str, names: OwnNames | None = None) -> Exercise:
    if not re.fullmatch(r"\d\d\.\d{1,3}", part, re.ASCII) or part[:2] not in LABS:
        raise LabsError(f"There is no exercise {part!r}. An id looks like 05.1")
    notebook = workspace.notebooks / LABS[part[:2]].notebook
    return exercise(notebook, part) if names is None else exercise(notebook, part, names)


def _of(each: Any) -> HandOut | None:
    if not isinstance(each, dict) or each.get("kind") not in KINDS:
        return None
    at, part, number, text = (each.get(name) for name in ("at", "part", "number", "text"))
    if not isinstance(at, str) or not isinstance(part, str) or not isinstance(text, str):
        return None
    if not isinstance(number, int) or len(at) > 40 or len(part) > 10:
        return None
    return HandOut(each["kind"], at, part, number, clean_text(text[:LONGEST]))
