"""Runs notebooks as a learner does: in a fresh home, with a frozen clock and our own docker."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from labs_helpers import workbook
from labs_helpers.own_names import USUAL, OwnNames
from labs_helpers.workspace import Workspace

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]-*.ipynb"))
SANITISER = Path(__file__).with_name("sanitize.cfg")
CELL_SECONDS = 60


@dataclass(frozen=True)
class Desk:
    """A learner's place: sandbox and engine of its own, and the environment of its kernels."""

    environment: dict[str, str]

    def compare(self, notebook: Path) -> subprocess.CompletedProcess[str]:
        """Run a notebook as committed and compare every output with what is written in it."""
        return subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "--quiet", "--no-header", "--color=no"),
                *("--disable-plugin-autoload", "-p", "no:cacheprovider"),
                *("-p", "tests.no_iris", "-p", "nbval.plugin"),
                *("--nbval", "--nbval-current-env"),
                f"--nbval-cell-timeout={CELL_SECONDS}",
                f"--nbval-sanitize-with={SANITISER}",
                str(notebook),
            ],
            cwd=PROJECT,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def close(self) -> None:
        """End the sandbox and the engine, as a learner does at the end of the day."""
        labs = [str(Path(sys.executable).with_name("labs")), "stop"]
        done = subprocess.run(
            labs, env=self.environment, text=True, capture_output=True, check=False
        )
        assert done.stdout.startswith("Stopped."), done.stdout + done.stderr

    def execute(self, notebook: Path) -> Any:
        """Run a notebook and return it; raises CellFailed for an error that is not meant."""
        return workbook.execute(notebook, self.environment)


@contextmanager
def desk(own: OwnNames = USUAL, **variables: str) -> Iterator[Desk]:
    """A fresh home with a clock that stands still and our own docker, as `make notebooks` has.

    The learner works in the account and the region of ``own``. ``variables`` are added to the
    environment of servers and kernels.
    """
    with tempfile.TemporaryDirectory(prefix="labs-", dir="/tmp") as folder:
        workspace = Workspace(Path(folder) / "h", PROJECT).create()
        if own != USUAL:
            workspace.remember(account=own.account, region=own.region)
        settings = {**workbook.AS_COMMITTED, **variables}
        with workbook.fresh(workspace.home, workspace, **settings) as environment:
            yield Desk(environment)


def read(notebook: Path) -> Any:
    return nbformat.read(notebook, as_version=4)


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def text_of(output: Any) -> str:
    """All the text of one output, whatever its kind."""
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}\n" + "\n".join(output.traceback)
    if output.output_type == "stream":
        return str(output.text)
    return "\n".join(str(value) for value in output.data.values())


def faults(cell: Any) -> list[str]:
    """Errors and stderr that a cell is not meant to have.

    A cell tagged ``raises-exception`` fails on purpose; one tagged ``warns`` works, and its program
    says something on stderr that a learner will see everywhere.
    """
    if cell.cell_type != "code" or "raises-exception" in tags(cell):
        return []
    kinds = {"error"} if "warns" in tags(cell) else {"error", "stderr"}
    return [
        f"{cell.id}: {text_of(output)}"
        for output in cell.outputs
        if output.get("name", output.output_type) in kinds
    ]
