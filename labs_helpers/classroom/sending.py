"""What a laptop sends of its learner's progress: to a folder or a URL, after the learner agreed.

The learner chooses the name. :func:`document` makes what is sent: when something happened, in which
lab, at which exercise, and how a check ended. No key, code, output or answer is in it.
"""

from __future__ import annotations

import http.client
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labs_helpers.classroom import handouts
from labs_helpers.classroom.handouts import HandOut
from labs_helpers.classroom.journals import clean
from labs_helpers.files import LabsError, cannot_write, read_json, replace_file, write_json
from labs_helpers.progress.journal import Event
from labs_helpers.workspace import Workspace

MOST_EVENTS = 10_000
SECONDS = 10
"""How long a listener may take for an answer."""
_LARGEST_ANSWER = 20_000


@dataclass(frozen=True)
class Agreement:
    """Where the learner agreed to send progress, and under which name.

    ``id`` is random: it tells learners of the same name apart, and is the name of the file.
    """

    to: str
    name: str
    id: str
    agreed: str


def agreed(workspace: Workspace) -> Agreement | None:
    """The agreement that the learner made, if any."""
    found = read_json(_path(workspace), then="nothing is sent until you agree again")
    try:
        return Agreement(*(str(found[name]) for name in ("to", "name", "id", "agreed")))
    except KeyError:
        return None


def agree(workspace: Workspace, to: str, name: str) -> Agreement:
    """Keep the learner's yes. Raises LabsError for a name or a place that cannot be used."""
    if not name.strip() or clean(name) != name.strip():
        raise LabsError(
            f"The name {clean(name)!r} cannot be used: 1 to 40 letters that can be printed."
        )
    before = agreed(workspace)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = Agreement(_place(to), name.strip(), before.id if before else secrets.token_hex(16), now)
    try:
        _path(workspace).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(_path(workspace), error) from error
    write_json(_path(workspace), asdict(made))
    return made


def stop(workspace: Workspace) -> bool:
    """Forget the agreement; False when there was none."""
    there = _path(workspace).exists()
    _path(workspace).unlink(missing_ok=True)
    return there


def document(agreement: Agreement, events: Sequence[Event]) -> dict[str, Any]:
    """Exactly what is sent: the newest MOST_EVENTS events, without the letters of answers."""
    return {
        "version": 1,
        "id": agreement.id,
        "name": agreement.name,
        "events": [_event(event) for event in events[-MOST_EVENTS:]],
    }


def send(agreement: Agreement, events: Sequence[Event]) -> list[HandOut]:
    """Send the progress, and return what the instructor hands out to all.

    Raises LabsError where nobody takes it; the message says so in one line.
    """
    text = json.dumps(document(agreement, events)).encode()
    if agreement.to.startswith(("http://", "https://")):
        return _post(agreement.to, text)
    folder = Path(agreement.to)
    try:
        replace_file(folder / f"{agreement.id}.json", text, 0o644)
    except OSError as error:
        raise LabsError(f"Your progress was not sent to {folder}: {error.strerror}.") from error
    return handouts.read(folder)


def _path(workspace: Workspace) -> Path:
    return workspace.progress.with_name("sending.json")


def _place(to: str) -> str:
    """An address as it is, a folder with its whole path. Raises LabsError."""
    if re.match(r"https?://", to):
        if not urlsplit(to).hostname:
            raise LabsError(f"{to} names no machine. Copy the whole address that you were given.")
        return to
    folder = Path(to).expanduser().absolute()
    if not folder.is_dir():
        raise LabsError(f"There is no folder {folder}. Ask your instructor for the folder's name.")
    return str(folder)


def _event(event: Event) -> dict[str, str]:
    outcome = event.outcome if event.event in ("check", "hint") else ""
    given = {"lab": event.lab, "event": event.event, "part": event.part, "outcome": outcome}
    at = event.at.isoformat(timespec="seconds")
    return {"at": at, **{name: value for name, value in given.items() if value}}


def _post(url: str, text: bytes) -> list[HandOut]:
    """Send to a listener (``classroom.server``), past any proxy: it is in the same room."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    try:
        connection = kind(parts.netloc, timeout=SECONDS)
        try:
            connection.request("POST", parts.path, text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read(_LARGEST_ANSWER)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise LabsError(f"Your progress was not sent: {parts.netloc} says {error}.") from error
    if answer.status != 200:
        why = said.decode("utf-8", "replace").strip()[:200]
        raise LabsError(f"Your progress was not taken by {parts.netloc}: {answer.status} {why}")
    return handouts.understood(said)
