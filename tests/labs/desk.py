"""A learner's place in one lab, in this process: answers are run for real, and then checked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
import nbformat
import pytest

from labs_helpers import checks, workbook
from labs_helpers.checks.outcome import CheckError, NotAttempted, NotYet, Outcome, Passed
from labs_helpers.control_client import Control
from labs_helpers.curriculum import LABS
from labs_helpers.defaults import ACCOUNT, REGION
from labs_helpers.files import write_json
from labs_helpers.lab import Lab
from labs_helpers.labs.exercises import Exercise, exercises
from labs_helpers.prepare import Place, beginning
from labs_helpers.startup import _enter
from labs_helpers.workspace import Workspace
from tests.labs import commands

PROJECT = Path(__file__).parents[2]


class Desk:
    """The lab ``number`` at its beginning. The process has the lab's environment and folder.

    ``rewrite`` changes the text of the lab's files and cells, as a learner of another account does.
    """

    def __init__(
        self, number: str, place: Place, rewrite: Callable[[str], str] = lambda text: text
    ) -> None:
        self.number = number
        self._rewrite = rewrite
        self.place = place
        self.lab = Lab(LABS[number], place)
        self.notebook = place.workspace.notebooks / LABS[number].notebook
        self.exercises: dict[str, Exercise] = exercises(self.notebook)
        self._names: dict[str, Any] = {"lab": self.lab, "_shell": self.shell}

    def begin(self) -> None:
        """Make the lab's beginning again, and its folder as it came."""
        os.chdir(self.place.workspace.home)
        shutil.rmtree(self.place.workspace.work(self.number), ignore_errors=True)
        _enter(self.place.workspace, self.number)
        beginning.make(self.number, self.place)
        for file in Path().rglob("*.*"):
            if file.suffix in (".json", ".yml", ".yaml"):
                file.write_text(self._rewrite(file.read_text()))

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a learner's shell cell in the lab's folder."""
        return subprocess.run(
            ["bash", "-c", script], text=True, capture_output=True, check=False, timeout=120
        )

    def done(self, script: str) -> None:
        """Run shell that must succeed: what the lab's cells did before the exercise."""
        ran = self.shell(f"set -e\n{script}")
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def cells(self, *names: str) -> None:
        """Run code cells of the notebook by the ends of their ids, as "34" for 05-34."""
        cells = {cell.id: cell for cell in nbformat.read(self.notebook, as_version=4).cells}
        for name in names:
            source = self._rewrite(cells[f"{self.number}-{name}"].source)
            if source.startswith("%%bash"):
                self.shell(source.partition("\n")[2])
            else:
                self.python(source)

    def cell(self, name: str) -> str:
        """The shell of a cell of the notebook, by the end of its id."""
        cells = {one.id: one.source for one in nbformat.read(self.notebook, as_version=4).cells}
        return str(cells[f"{self.number}-{name}"].partition("\n")[2])

    def name(self, name: str) -> Any:
        """What a name stands for in the learner's kernel."""
        return self._names[name]

    def python(self, source: str) -> None:
        """Run a learner's Python in this process; names stay for the next cell, as in a kernel."""
        folder = str(Path.cwd())
        sys.path.insert(0, folder)
        lines = source.splitlines()
        source = "\n".join(f"_shell({one[1:]!r})" if one[:1] == "!" else one for one in lines)
        try:
            exec(source, self._names)
        finally:
            sys.path.remove(folder)
            sys.modules.pop("release", None)

    def solution(self, check_id: str) -> str:
        """The shell of the notebook's solution, without the line that says that it is one."""
        return self.exercises[check_id].solution.partition("# solution\n")[2]

    def after(self, check_id: str, script: str, then: Sequence[str] = ()) -> str:
        """What the check says after an answer, right or wrong, that was typed in shell.

        ``then``: cells of the notebook between the answer and the check. Fails where the check
        gives the solution away.
        """
        ran = self.shell(script)
        self.cells(*then)
        outcome = self.check(check_id)
        assert given_away(self.notebook, check_id, outcome) == set()
        return f"{said(outcome)}\n  after: {ran.stdout[-300:]}{ran.stderr[-600:]}"

    def finds_wrong(self, check_id: str, script: str, says: str, then: Sequence[str] = ()) -> None:
        """Assert that the check tells a wrong answer, and what it says of the answer."""
        seen = self.after(check_id, script, then)
        assert seen.startswith("not yet"), seen
        assert says in seen, seen

    def check(self, check_id: str) -> Outcome:
        return checks.run(check_id, self.lab._world())


@contextmanager
def desk(number: str, account: str = ACCOUNT, region: str = REGION) -> Iterator[Desk]:
    """A fresh sandbox and engine, with quick commands; the process is as before after the block."""
    with ExitStack() as stack:
        stack.callback(_restore, dict(os.environ), Path.cwd())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labs-", dir="/tmp")))
        os.environ.update(AWS_MAX_ATTEMPTS="1")
        workspace = Workspace(home / "h", PROJECT)
        workspace.create().remember(account=account, region=region)
        given = stack.enter_context(_servers(workspace))
        os.environ.clear()
        os.environ.update(given)
        boto3.DEFAULT_SESSION = None
        os.environ["PATH"] = f"{commands.shared().folder}{os.pathsep}{given['PATH']}"
        control = Control(workspace)
        if account != ACCOUNT:
            # the sandbox makes its learner in the default account: be an administrator of this one
            write_json(workspace.learner, control.ask("POST", "accounts", {"account": account}))
        made = Desk(number, Place(workspace, "sandbox", account, region, control))
        made.begin()
        yield made


@contextmanager
def _servers(workspace: Workspace) -> Iterator[dict[str, str]]:
    environ: Any = workbook.AS_COMMITTED
    with workbook.fresh(workspace.home, workspace, **environ) as given:
        yield given


def _restore(environ: dict[str, str], folder: Path) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    boto3.DEFAULT_SESSION = None


def given_away(notebook: Path, check_id: str, outcome: Outcome) -> set[str]:
    """Words of the solution in an outcome's `wanted` and `suggestion` that the exercise has not.

    Words of letters only are English: a check may say "the tag". Others are names, options and
    instructions, such as --force, dev-* and COPY.
    """
    if not isinstance(outcome, NotYet):
        return set()
    exercise = exercises(notebook)[check_id]
    spoken = words(f"{outcome.wanted} {outcome.suggestion}")
    return (words(exercise.solution) & spoken) - words(text_of(notebook, exercise))


def words(text: str) -> set[str]:
    """Names, options and instructions in a text."""
    found = {one.strip(".,:;/") for one in re.findall(r"[\w.:/@*=-]+", text)}
    return {one for one in found if len(one) > 2 and not re.fullmatch(r"[A-Z]?[a-z]+", one)}


def text_of(notebook: Path, exercise: Exercise) -> str:
    """What an exercise tells: from its heading "Your turn" to the cell to fill in."""
    cells = nbformat.read(notebook, as_version=4).cells
    end = next(n for n, cell in enumerate(cells) if cell.id == exercise.cell)
    turns = (
        n
        for n in range(end, -1, -1)
        if cells[n].cell_type == "markdown" and "Your turn" in cells[n].source
    )
    return "\n".join(cell.source for cell in cells[next(turns) : end + 1])


def rows(table: Iterable[str], quick: int = 6) -> list[Any]:
    """The names of a table's rows as parameters: those after the first ``quick`` by `make soak`."""
    return [
        pytest.param(name, marks=[pytest.mark.soak] if number >= quick else [])
        for number, name in enumerate(table)
    ]


def said(outcome: Outcome) -> str:
    """The kind of an outcome and all its words, as one line of a table finds them."""
    match outcome:
        case Passed(says, scope):
            return f"passed: {says} {scope}"
        case NotAttempted(looks_at):
            return f"not tried: {looks_at}"
        case NotYet(looked_at, found, wanted, suggestion):
            return f"not yet: {looked_at} | {found} | {wanted} | {suggestion}"
        case CheckError(looked_at, found, suggestion):
            return f"error: {looked_at} | {found} | {suggestion}"
