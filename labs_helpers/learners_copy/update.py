"""Laying out a workbook, and bringing a workbook up to date with the project.

A file that the learner left as it was laid is replaced. A notebook that the learner changed is
merged where the merge is certain (:mod:`.merge`), and the learner's version is kept in
``earlier/``. Anything else that the learner changed stays, and the new version is laid beside it.
Nothing of the learner's is ever removed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from labs_helpers.learners_copy import files
from labs_helpers.learners_copy.base import Base, digest
from labs_helpers.learners_copy.layout import NotANotebook, Part, notebook, written
from labs_helpers.learners_copy.merge import Conflict, Merged, is_untouched, merge, same_text
from labs_helpers.learners_copy.trust import Trust

EARLIER = "earlier"
"""The folder of a workbook in which versions of the learner's are kept that a merge replaced."""


@dataclass(frozen=True)
class Change:
    """What an update did to one file.

    ``kind`` is "new", "replaced", "merged", "beside", "set aside", "withdrawn" or "waiting".
    ``path`` is the learner's file, relative to the workbook; ``other`` the file that the update
    made beside it or keeps for the learner, if any; ``notes`` are sentences.
    """

    kind: str
    path: str
    other: str = ""
    notes: tuple[str, ...] = ()


class Update:
    """One update of one workbook. ``in_use`` are files that a program has open: they wait."""

    def __init__(
        self, workbook: Path, base: Base, trust: Trust, now: datetime, in_use: Collection[str] = ()
    ) -> None:
        self._workbook = workbook
        self._base = base
        self._trust = trust
        self._now = now
        self._in_use = in_use
        self._changes: list[Change] = []

    def run(self, parts: Sequence[Part]) -> list[Change]:
        """Bring every part up to date and say what changed; raises WorkspaceError.

        After an error, what was done until then is complete and recorded.
        """
        try:
            for part in parts:
                try:
                    self._part(part)
                except files.InTheWay as fault:
                    self._say("waiting", part.path, notes=(str(fault),))
            for path in sorted(self._base.paths - {part.path for part in parts}):
                self._base.withdraw(path)
                if (self._workbook / path).exists():
                    note = "the labs no longer have this file; yours stays"
                    self._say("withdrawn", path, notes=(note,))
        finally:
            self._base.save()
        return self._changes

    def _say(self, kind: str, path: str, other: str = "", notes: tuple[str, ...] = ()) -> None:
        self._changes.append(Change(kind, path, other, notes))

    def _part(self, part: Part) -> None:
        path, new = self._workbook / part.path, part.content
        mine = files.read(path)
        if new is None:
            self._say("waiting", part.path, notes=(part.fault,))
        elif mine is None:
            self._write(part, path, new)
            self._base.lay(part.path, new)
            self._say("new", part.path)
        elif mine == new:
            self._base.lay(part.path, new)
        elif part.path in self._in_use:
            if self._base.laid(part.path) != digest(new):
                note = "it is open in JupyterLab; close it there and run: labs update"
                self._say("waiting", part.path, notes=(note,))
        elif self._base.laid(part.path) == digest(mine):
            self._replace(part, path, new, mine)
        elif path.suffix == ".ipynb":
            self._notebook(part, path, new, mine)
        elif self._base.laid(part.path) != digest(new):
            self._beside(part, path, new, "you changed this file, and there is a new version")

    def _notebook(self, part: Part, path: Path, new: bytes, mine: bytes) -> None:
        """Bring a notebook up to date that the learner, or JupyterLab, has changed."""
        try:
            ours = notebook(mine)
        except NotANotebook as fault:
            self._set_aside(part, path, new, str(fault))
            return
        if self._base.laid(part.path) == digest(new):
            return
        theirs = notebook(new)
        base = self._version_under(part.path, new, ours, theirs)
        if base is None:
            why = "it is not known which version yours comes from"
            self._beside(part, path, new, why)
        elif is_untouched(base, ours):
            self._replace(part, path, new, mine)
        else:
            try:
                merged = merge(base, ours, theirs)
            except Conflict as conflict:
                self._beside(part, path, new, str(conflict))
                return
            self._merge(part, path, merged, mine, merged.notebook != ours)
            self._base.lay(part.path, new)

    def _version_under(
        self, path: str, new: bytes, ours: dict[str, Any], theirs: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The version that the learner's notebook comes from; None when it is lost."""
        if (content := self._base.content(self._base.laid(path))) is not None:
            return notebook(content)
        # without a record, a version that was laid once, or that has the learner's own words
        if same_text(ours, theirs) or self._base.content(digest(new)) is not None:
            return theirs
        return None

    def _merge(self, part: Part, path: Path, merged: Merged, mine: bytes, changed: bool) -> None:
        if changed:
            earlier = self._keep(part.path, mine)
            content = written(merged.notebook).encode()
            self._write(part, path, content, mine, signed=self._trust.has(mine))
            notes = merged.notes or ("changed: the order of cells, or their settings",)
            self._say("merged", part.path, earlier, notes)

    def _replace(self, part: Part, path: Path, new: bytes, mine: bytes) -> None:
        self._write(part, path, new, mine)
        self._base.lay(part.path, new)
        self._say("replaced", part.path)

    def _beside(self, part: Part, path: Path, new: bytes, why: str) -> None:
        if self._base.offered(part.path) == digest(new):
            return
        other = path.with_name(_beside_name(path.name))
        there = files.read(other)
        if there is not None and digest(there) != self._base.offered(part.path):
            other = files.free(other)
        self._write(part, other, new)
        self._base.offer(part.path, new)
        self._say("beside", part.path, self._relative(other), (why,))

    def _set_aside(self, part: Part, path: Path, new: bytes, why: str) -> None:
        aside = files.free(path.with_name(f"{path.stem}.broken-{self._now:%Y-%m-%d}{path.suffix}"))
        try:
            path.rename(aside)
        except OSError as error:
            raise files.cannot("rename", path, error) from error
        self._write(part, path, new)
        self._base.lay(part.path, new)
        self._say("set aside", part.path, self._relative(aside), (f"yours {why}",))

    def _keep(self, path: str, content: bytes) -> str:
        """Keep a version of the learner's; gives its path in the workbook."""
        name = PurePosixPath(path).name
        kept = files.free(self._workbook / EARLIER / f"{self._now:%Y-%m-%d}" / name)
        files.replace(kept, content)  # the same content has the same signature
        return self._relative(kept)

    def _write(
        self, part: Part, path: Path, content: bytes, mine: bytes | None = None, signed: bool = True
    ) -> None:
        """Write a file in place of ``mine``; raises InTheWay if somebody saved in between."""
        if mine is not None and files.read(path) != mine:
            raise files.InTheWay(f"{path.name} was saved just now; run: labs update")
        files.replace(path, content, part.mode)
        if signed and path.suffix == ".ipynb":
            self._trust.sign(content)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._workbook).as_posix()


def _beside_name(name: str) -> str:
    """ "05-log-in.new.ipynb" for "05-log-in.ipynb", "Dockerfile.new" for "Dockerfile"."""
    path = PurePosixPath(name)
    return f"{path.stem}.new{path.suffix}"
