"""Labs that a learner plays in AWS mode, cell by cell, against a sandbox that plays the account."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from labs_helpers import modes, workbook
from labs_helpers.clean_up.found import TAG
from labs_helpers.clean_up.kinds import KINDS
from labs_helpers.curriculum import LABS
from labs_helpers.engine import process as engine
from labs_helpers.jupyter import folders
from labs_helpers.labs.exercises import exercises
from labs_helpers.learners_copy import opening
from labs_helpers.learners_copy.layout import in_workbook
from labs_helpers.prepare import Place, steps
from labs_helpers.runner import process as runner
from labs_helpers.workspace import Workspace
from tests.aws_mode import account
from tests.aws_mode.names import Names, proxy
from tests.labs.commands import Commands
from tests.notebooks import workbook as notebooks
from tests.sandbox.sandbox_process import Running

SECONDS = "2"
SETTLE = "3"
"""The account sees what is new after two seconds, and the labs wait for three."""


@contextmanager
def delayed(folder: Path) -> Iterator[tuple[Running, Names]]:
    """An account with AWS's delays and names, and the learner's own Docker, which reaches it."""
    with account.account(folder / "h", LABS_AWS_DELAYS=f"{SECONDS},40") as there:
        place = Workspace(there.home)
        environ = {**os.environ, "LABS_ENGINE": "embedded", "LABS_DOCKER": "standin"}
        engine.start(place, there.port, print, environ)
        runner.start(place, print, environ)
        try:
            with proxy(folder / "names", there.port) as names:
                yield there, names
        finally:
            runner.stop(place, print)
            engine.stop(place, print)


@dataclass(frozen=True)
class Owner(Place):
    """The account, as its owner reads the tags of what is there."""

    there: Running | None = None

    def client(self, service: str, region: str | None = None) -> Any:
        assert self.there is not None
        return account.owner(self.there, service)


@dataclass(frozen=True)
class Player:
    """The learner's workbook, the environment of the learner's kernels, and the account."""

    place: Workspace
    copy: Path
    environ: dict[str, str]
    there: Running

    def play(self, number: str, solutions: dict[str, str], part: float = 1) -> Played:
        """Run a lab as a learner does, who prepares it and solves its exercises.

        ``solutions``: by exercise, where AWS takes another one than the lab's own. ``part``: of the
        cells before the lab's clean-up, after which the learner goes away; 1 runs the whole lab.
        """
        lab = LABS[number]
        path = self.copy / in_workbook(lab, lab.notebook)
        book, tags = nbformat.read(path, as_version=4), {}
        known = exercises(notebooks.FOLDER / lab.notebook, self.place.own_names).values()
        solved = {one.cell: solutions.get(one.id, one.solution) for one in known}
        cells = []
        for cell in book.cells:
            cells.append(cell)
            if cell.cell_type != "code":
                continue
            tags[cell.id] = notebooks.tags(cell)
            cell.source = solved.get(cell.id, cell.source)
            cell.metadata["tags"] = ["raises-exception"]  # the run goes on after each cell
            if len(tags) == 1 and steps(number, "aws"):
                cells.append(self._prepare())
        if part < 1:
            cells = cells[: int(_clean_up_of(cells) * part)]
        book.cells = cells
        played = path.with_name("played.ipynb")
        nbformat.write(book, played)
        most: set[tuple[str, str]] = set()
        untagged: set[tuple[str, str]] = set()
        before = account.everything(self.there)
        end = _clean_up_of(cells)

        def look(done: int, count: int) -> None:
            if done in (end, count):
                most.update(account.added(before, account.everything(self.there)))
            if done == end:
                untagged.update(self._untagged(most))

        ran = workbook.execute(played, self.environ, look)
        checks = {one.check_cell: one.id for one in known}
        return Played(number, list(ran.cells), tags, checks, most, untagged)

    def _untagged(self, made: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Of what a lab has made, what AWS could tag and lacks the tag of the labs."""
        owner = Owner(self.place, "aws", account.ACCOUNT, account.REGION, there=self.there)
        return {
            (kind, name)
            for kind, name in made
            if (read := KINDS[kind].tags) is not None and TAG not in read(owner, name)
        }

    def _prepare(self) -> Any:
        cell = nbformat.v4.new_code_cell(f'lab.prepare(account="{account.ACCOUNT}")')
        cell.metadata["tags"] = ["raises-exception"]
        cell.id = "prepare"
        return cell


@dataclass(frozen=True)
class Played:
    """A lab that was played.

    ``made``: (kind, name) of what it had made before its clean-up. ``untagged``: what of it lacked
    the tag of the labs then.
    """

    number: str
    cells: list[Any]
    tags: dict[str, list[str]]
    checks: dict[str, str]
    made: set[tuple[str, str]]
    untagged: set[tuple[str, str]]

    def text(self, cell: Any) -> str:
        return "\n".join(map(notebooks.text_of, cell.outputs))

    @property
    def shown(self) -> str:
        """What all cells show."""
        return "\n".join(self.text(cell) for cell in self.cells if cell.cell_type == "code")

    def other_than_here(self) -> dict[str, str]:
        """What the cells show, by id, that end in another way than in the labs' own sandbox."""
        found = {}
        for cell in self.cells:
            if cell.cell_type != "code":
                continue
            tags, shown = self.tags.get(cell.id, []), self.text(cell)
            cell.metadata["tags"] = tags
            fails = any(one.output_type == "error" for one in cell.outputs)
            says = fails or any(one.get("name") == "stderr" for one in cell.outputs)
            wrong = bool(notebooks.faults(cell)) and "exercise" not in tags
            wrong = wrong or (fails and "exercise" in tags)
            wrong = wrong or ("raises-exception" in tags and not says and "Error" not in shown)
            wrong = wrong or (cell.id in self.checks and not shown.startswith("✓"))
            if wrong:
                found[cell.id] = shown
        return found


_CLEAN_UP = ("## Clean up", "## Your turn: clean up")


def _clean_up_of(cells: list[Any]) -> int:
    """The index of the first cell after the heading of a lab's clean-up, or of the last cell."""
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown" and cell.source.lstrip().startswith(_CLEAN_UP):
            return number + 1
    return len(cells) - 1


def player(place: Workspace, there: Running, commands: Commands) -> Player:
    """The learner has agreed in ``place``; the kernels are those of `labs lab --aws`."""
    copy = opening.up_to_date(place, lambda line: None)
    environ = {**os.environ, "LABS_MODE": "aws", "LABS_HOME": str(place.home)}
    folders.place(place)
    given = modes.environment(place, 0, environ).applied(environ)
    kernels = commands.for_bash({**given, **folders.environment(place), "LABS_AWS_SETTLE": SETTLE})
    return Player(place, copy, kernels, there)
