"""A client of the sandbox's control API, of its clock, and of its stand-in for GitHub's tokens."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from labs_helpers.defaults import (
    CLOCK_GOES_FORWARD,
    GITHUB_OWNER_ID,
    GITHUB_REPOSITORY_ID,
    SANDBOX_DOWN,
)
from labs_helpers.display.rendering import Rendering, duration, paragraph
from labs_helpers.errors import LabError, spoken
from labs_helpers.files import LabsError
from labs_helpers.runtime import background_process
from labs_helpers.workspace import Workspace


class Refused(LabsError):
    """The sandbox refuses a request; ``status`` is HTTP's, ``reason`` the sandbox's words."""

    def __init__(self, asked: str, status: int, reason: str) -> None:
        super().__init__(f"The sandbox refuses {asked}: {reason}")
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Control:
    """Sends requests to ``/_labs/...`` on the sandbox's port, with the token of its owner."""

    workspace: Workspace

    @property
    def port(self) -> int:
        """The port of today, so that nobody else's sandbox gets the token.

        Raises LabsError while the sandbox does not run.
        """
        found = background_process.running(self.workspace.sandbox / "server.json")
        if found is None or not isinstance(found.facts.get("port"), int):
            raise LabsError(SANDBOX_DOWN)
        return int(found.facts["port"])

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON answer.

        Raises LabsError when the sandbox does not answer, and Refused when the sandbox refuses.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            token = self.workspace.control_token.read_text(encoding="utf-8").strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            sent = json.dumps(body) if body is not None else None
            connection.request(method, f"/_labs/{path}", sent, headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except OSError as error:
            raise LabsError(
                SANDBOX_DOWN
                if isinstance(error, ConnectionRefusedError)
                else f"The sandbox does not answer: {error}.\n"
                "Run the cell with start(...) again: it starts the sandbox."
            ) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(f"{method} {path}", response.status, _reason(text))
        return json.loads(text) if text else {}

    def notes(self) -> tuple[str, ...]:
        """What the card of a lab says of this sandbox: what was damaged, and a moved clock."""
        found = self.ask("GET", "status")
        ahead = timedelta(seconds=float(found["clock"]["offset_seconds"]))
        moved = f"the sandbox clock is {duration(ahead)} ahead of real time; {CLOCK_GOES_FORWARD}"
        damaged = (*found.get("set_aside", ()), *found["notices"])
        return (*damaged, *((moved,) if ahead else ()))


@dataclass(frozen=True)
class LabClock:
    """The sandbox's clock, which only goes forward. Tokens and ages of images follow it."""

    control: Control

    @property
    @spoken
    def now(self) -> datetime:
        """The sandbox's time: UTC, with a time zone."""
        return datetime.fromisoformat(self.control.ask("GET", "clock")["now"])

    @spoken
    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> Rendering:
        """Move the clock forward; raises LabError for a step back."""
        by = timedelta(days=days, hours=hours, minutes=minutes)
        if by <= timedelta():
            raise LabsError("The clock goes forward only: name hours, minutes or days above zero.")
        self.control.ask("POST", "clock", {"advance_seconds": by.total_seconds()})
        return paragraph(f"The sandbox clock has moved forward by {duration(by)}.")

    @spoken
    def reset(self) -> Rendering:
        """Say whether the clock was moved; raises LabError for one that was, which stays so."""
        ahead = timedelta(seconds=float(self.control.ask("GET", "clock")["offset_seconds"]))
        if ahead:
            raise LabsError(
                f"The sandbox clock is {duration(ahead)} ahead and stays so: {CLOCK_GOES_FORWARD}."
            )
        return paragraph("The sandbox clock shows real time: there is nothing to set back.")


def _reason(text: str) -> str:
    """The words in ``{"error": WORDS}``, or else the text as it is."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return str(found["error"]) if isinstance(found, dict) and "error" in found else text.strip()


def github_token(control: Control, repository: str, branch: str) -> str:
    """The web identity token that GitHub gives a workflow of ``repository`` on a branch.

    ``repository`` is "owner/name". The subject has the form for repositories that were created
    since 15 July 2026, with GitHub's numbers of owner and repository:
    https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/

    Raises LabError for a name of another form.
    """
    owner, _, name = repository.partition("/")
    if not owner or not name or "/" in name:
        raise LabError(f"{repository!r} is no repository of GitHub: give owner/name.")
    named = f"{owner}@{GITHUB_OWNER_ID}/{name}@{GITHUB_REPOSITORY_ID}"
    asked = {"subject": f"repo:{named}:ref:refs/heads/{branch}"}
    return str(control.ask("POST", "oidc/token", asked)["token"])
