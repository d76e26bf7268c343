"""The runner's side of the desk, by HTTP: claims jobs and reports what becomes of them.

The sandbox's side, with the form of each request, is sandbox/service/work.py. The port and the
token are read from the state's folder before each request, because a sandbox that was started again
may have others.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs_helpers.files import read_json
from labs_helpers.runtime import process_identity
from labs_helpers.workspace import Workspace

Event = dict[str, Any]
"""A JSON object with a ``type``."""

ENDED = "ended"
"""The ``type`` of a job's last event."""

_POLL = 50.0
"""Seconds that a claim waits for a job."""
_ANSWER = 20.0
"""Seconds that a busy sandbox may take to answer."""
_AGAIN = 15.0
"""Seconds for which a report is tried again while no sandbox answers."""
_BYTES = 60_000
"""Of the events of one report; the control API reads 100,000."""


class Away(Exception):
    """No sandbox answers."""


class Lost(Exception):
    """The sandbox does not know the job any longer: the job has to end, and nobody asks how."""


@dataclass(frozen=True)
class Claim:
    """job: {"id", "kind", "body"}, or None; stop: ids of running jobs that have to end."""

    job: Mapping[str, Any] | None
    stop: Sequence[str]


class Desk:
    """The desk of the sandbox of one workspace; thread-safe."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._note = process_identity.noted(os.getpid())
        self._polling: http.client.HTTPConnection | None = None

    @property
    def endpoint(self) -> str:
        """The sandbox's address, as a value of AWS_ENDPOINT_URL; raises Away."""
        return f"http://127.0.0.1:{self._port()}"

    def claim(
        self,
        kinds: Sequence[str],
        running: Sequence[str],
        held: Sequence[str],
        seconds: float = _POLL,
    ) -> Claim:
        """The next job of one of these kinds; waits for a job. Raises Away.

        running: jobs that go on, of which the sandbox may end some; held: these, and those that
        are ending. A job that the runner no longer holds is lost, and the sandbox is told so.
        """
        asked = {
            "runner": self._note,
            "kinds": [*kinds],
            "running": [*running],
            "held": [*held],
        }
        _, found = self._ask("work/claim", {**asked, "seconds": seconds}, seconds + _ANSWER)
        return Claim(found["job"], found["stop"])

    def hang_up(self) -> None:
        """Have the claim that waits raise Away; for signal handlers too."""
        polling = self._polling
        if polling is not None and polling.sock is not None:
            with contextlib.suppress(OSError):  # the sandbox was quicker
                polling.sock.shutdown(socket.SHUT_RDWR)

    def report(self, job: str, number: int, events: Sequence[Event]) -> None:
        """Report events of a job, numbered from `number`; tries again for a while.

        Raises Lost, also when no sandbox answers in all that time.
        """
        for first, part in _parts(events):
            asked = {"runner": self._note, "job": job, "number": number + first, "events": part}
            until = time.monotonic() + _AGAIN
            while True:
                try:
                    status, found = self._ask("work/report", asked, _ANSWER)
                    break
                except Away as error:
                    if time.monotonic() > until:
                        raise Lost(str(error)) from error
                    time.sleep(0.2)
            if status != 200:
                raise Lost(str(found.get("error", status)))

    def ask(self, what: str, document: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """What a service's own route below /_labs/ answers within some seconds. Raises Away."""
        status, found = self._ask(what, document, seconds + _ANSWER)
        if status != 200:
            raise Away(f"the sandbox answers {status}: {found}")
        return found

    def _port(self) -> int:
        port = read_json(self._workspace.sandbox / "server.json").get("port")
        if not isinstance(port, int):
            raise Away("the sandbox does not run")
        return port

    def _ask(self, what: str, document: Any, seconds: float) -> tuple[int, dict[str, Any]]:
        try:
            token = self._workspace.control_token.read_text(encoding="ascii").strip()
            connection = http.client.HTTPConnection("127.0.0.1", self._port(), timeout=seconds)
            if what == "work/claim":
                self._polling = connection
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            try:
                connection.request("POST", f"/_labs/{what}", json.dumps(document).encode(), headers)
                answer = connection.getresponse()
                found = json.loads(answer.read())
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Away(f"the sandbox does not answer: {error}") from error
        if answer.status not in (200, 410) or not isinstance(found, dict):
            raise Away(f"the sandbox answers {answer.status}: {found}")
        return answer.status, found


def _parts(events: Sequence[Event]) -> list[tuple[int, list[Event]]]:
    """(number of the first, events) of reports that are not too long."""
    parts: list[tuple[int, list[Event]]] = [(0, [])]
    size = 0
    for number, each in enumerate(events):
        more = len(json.dumps(each))
        if parts[-1][1] and size + more > _BYTES:
            parts.append((number, []))
            size = 0
        parts[-1][1].append(each)
        size += more
    return parts
