"""The room's page on a JupyterHub, at /hub/class, for an instructor who has no shell there.

The hub's own process answers, so that nothing else has to run and to log people in. Administrators
of the hub have the scope that the page asks for, and nobody else has:
https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from labs_helpers.classroom import journals, page
from labs_helpers.classroom.room import room
from labs_helpers.files import LabsError
from labs_helpers.workspace import Workspace


def handlers(homes: Path) -> list[tuple[str, type[BaseHandler], dict[str, Any]]]:
    """What JupyterHub.extra_handlers takes, for learners whose homes are in a folder."""
    return [(r"/class/?", _ClassPage, {"homes": homes})]


class _ClassPage(BaseHandler):  # type: ignore[misc]
    """The page, made anew for each request."""

    def initialize(self, homes: Path) -> None:
        self._homes = homes

    @web.authenticated
    @needs_scope("admin-ui")  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        try:
            # in a thread: the homes of a class take a while to read
            text = await asyncio.to_thread(_page, self._homes)
        except LabsError as error:
            self.set_status(500)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            text = f"{error}\n"
        self.finish(text)


def _page(homes: Path) -> str:
    now = datetime.now(UTC)
    return page.html(room(Workspace.find(), journals.of_homes(homes, now), now))
