"""Running the notebooks without a browser, for `labs run` and for the committed outputs.

`python -m labs_helpers.workbook --write [NN ...]` is `make notebooks`: it runs the notebooks in a
fresh sandbox whose clock stands still, and writes the outputs into the notebooks.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from labs_helpers import servers
from labs_helpers.curriculum import LABS, UnknownPart, chosen
from labs_helpers.defaults import FRESH_START
from labs_helpers.files import LabsError
from labs_helpers.jupyter import folders
from labs_helpers.modes import SANDBOX, environment
from labs_helpers.workspace import WORKS_IN, Workspace

FROZEN_CLOCK = "2026-11-02T09:00:00Z"
AS_COMMITTED = {"LABS_CLOCK": FROZEN_CLOCK, "LABS_DOCKER": "standin", "LABS_ENGINE": "embedded"}
"""The environment of the committed outputs, in which nothing depends on the machine."""

CELL_SECONDS = 300
SAID_LINES = 12
"""How many lines of what a failed cell printed are repeated in the failure."""
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

Notebook: TypeAlias = Any  # nbformat's NotebookNode, which has no types


@dataclass
class CellFailed(LabsError):
    """A cell raised an exception that it should not have raised.

    ``number`` counts all cells from 1; ``executed`` is the notebook with the outputs so far.
    ``said`` is what the cell's commands wrote on stderr, or else on stdout: its last lines.
    """

    notebook: str
    number: int
    source: str
    error: str
    executed: Notebook
    said: str = ""

    def __str__(self) -> str:
        lines = self.source.strip().splitlines()
        shown = lines if len(lines) <= 12 else [*lines[:8], "...", *lines[-3:]]
        code = "\n".join("    " + line for line in shown)
        said = "".join(f"  | {line}\n" for line in self.said.splitlines())
        return f"{self.notebook}, cell {self.number}:\n{code}\n{said}  {self.error}"


def execute(
    path: Path,
    environ: Mapping[str, str],
    on_cell: Callable[[int, int], None] = lambda done, count: None,
) -> Notebook:
    """Run a notebook in its own folder and return it with outputs. The file stays as it is.

    ``environ`` is the kernel's whole environment. ``on_cell(done, count)`` is called before each
    cell and at the end. A cell tagged ``raises-exception`` may raise. Raises CellFailed.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # nbclient does not run an empty cell, which would keep its old outputs
            cell.outputs, cell.execution_count = [], None
    count = len(notebook.cells)
    begun = 0

    def follow(cell: Notebook, cell_index: int) -> None:
        nonlocal begun
        begun = cell_index
        on_cell(cell_index, count)

    def failed(error: str) -> CellFailed:
        cell = notebook.cells[begun]
        return CellFailed(path.name, begun + 1, str(cell.source), error, notebook, _said(cell))

    with tempfile.TemporaryDirectory(prefix="labs-kernel-") as folder:
        specs = KernelSpecManager(kernel_dirs=[])  # this Python's kernel, no installed one
        client = NotebookClient(
            notebook,
            km=AsyncKernelManager(
                kernel_name="python3",
                kernel_spec_manager=specs,
                connection_file=str(Path(folder) / "kernel.json"),
                transport_encryption="auto",
            ),
            timeout=CELL_SECONDS,
            coalesce_streams=True,
            shutdown_kernel="immediate",
            # the times of the cells differ in each run
            record_timing=False,
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_start=follow,
        )
        try:
            with asyncio.Runner(loop_factory=_Loop) as runner:
                runner.run(_execute(client, environ))
        except CellExecutionError as error:
            raise failed(f"{error.ename}: {error.evalue}") from error
        except CellTimeoutError as error:
            raise failed(f"It did not end in {CELL_SECONDS} seconds.") from error
        except DeadKernelError as error:
            raise failed("The kernel died.") from error
    on_cell(count, count)
    return notebook


def text_of(output: Notebook) -> str:
    """What an output shows as plain text."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return str(output.data.get("text/plain", ""))


def _said(cell: Notebook) -> str:
    """The last lines that a cell's commands wrote on stderr, or else on stdout."""
    streams = [one for one in cell.get("outputs", ()) if one.output_type == "stream"]
    for name in ("stderr", "stdout"):
        lines = "".join(one.text for one in streams if one.name == name).strip().splitlines()
        if lines:
            return "\n".join(lines[-SAID_LINES:])
    return ""


class _Loop(asyncio.SelectorEventLoop):
    """A loop on which Ctrl-C cancels the run: nbclient's own handler ends the kernel only."""

    def add_signal_handler(self, *_: Any) -> None:  # type: ignore[override]
        raise RuntimeError("not on this loop")  # nbclient goes on without its handler


async def _execute(client: NotebookClient, environ: Mapping[str, str]) -> None:
    try:
        await client.async_execute(env=dict(environ), cleanup_kc=True)
    except DeadKernelError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            # nbclient reports every cancellation as a dead kernel
            raise asyncio.CancelledError from None
        raise


def strip(notebook: Notebook) -> Notebook:
    """Remove, in place, what differs by run or by machine and is not part of the lesson.

    These are widget views and their state (the HTML beside them stays), tracebacks (they name files
    of this machine; the error's name and message stay), and the version of Python.
    """
    notebook.metadata = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        for name in ("execution", "collapsed", "scrolled", "ExecuteTime"):
            cell.metadata.pop(name, None)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = [f"{output.ename}: {output.evalue}"]
            elif output.output_type != "stream":
                output.data.pop(WIDGET_VIEW, None)
                output.metadata = nbformat.from_dict({})  # type: ignore[no-untyped-call]
    return notebook


def find(workspace: Workspace, numbers: Sequence[str] = ()) -> list[Path]:
    """The notebooks of labs by number ("4" or "04"), in order; without numbers, all of them.

    Raises LabsError for a number that is no lab's, and for a notebook that is missing.
    """
    try:
        wanted = chosen(numbers)
    except UnknownPart as error:
        raise LabsError(str(error)) from error
    paths = [workspace.notebooks / LABS[number].notebook for number in wanted]
    if gone := [path.name for path in paths if not path.is_file()]:
        raise LabsError(
            f"Not in {workspace.notebooks}: {', '.join(gone)}.\n"
            "To get them back as they came: git checkout -- notebooks"
        )
    return paths


@contextmanager
def fresh(home: Path | None, workspace: Workspace, **variables: str) -> Iterator[dict[str, str]]:
    """A new sandbox and a new engine, stopped and removed at the end of the block.

    Their files are in ``home``, an empty or new folder, or in a temporary folder when ``home`` is
    None or too long for the path of the engine's socket. Yields the environment for kernels, in
    which each lab starts from its beginning; ``variables`` are set for the servers and the
    kernels.
    """
    with ExitStack() as stack:
        if home is None or not Workspace(home).has_short_socket_path():
            folder = tempfile.TemporaryDirectory(prefix="labs-", dir=_short())
            home = Path(stack.enter_context(folder))
        else:
            stack.callback(shutil.rmtree, home, ignore_errors=True)
        scratch = Workspace(home, workspace.project)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        environ = {**os.environ, **FRESH_START, **variables}
        environ.pop(WORKS_IN, None)
        environ |= {"LABS_HOME": str(home), "LABS_PORT": str(port), "LABS_MODE": SANDBOX}
        stack.callback(servers.stop, scratch)
        found = servers.start(scratch, environ=environ)
        folders.place(scratch)
        given = environment(scratch, found.sandbox.port, environ).applied(environ)
        yield {**given, **folders.environment(scratch)}


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m labs_helpers.workbook`: 1 when an output differs and is not written.

    Raises CellFailed and other LabsErrors.
    """
    parser = argparse.ArgumentParser(prog="python -m labs_helpers.workbook")
    parser.add_argument("--write", action="store_true", help="write the outputs (else: compare)")
    parser.add_argument("labs", nargs="*", metavar="NN", help="only these labs")
    arguments = parser.parse_args(argv)
    workspace = Workspace.find()
    changed = 0
    with fresh(None, workspace, **AS_COMMITTED) as environ:
        for path in find(workspace, arguments.labs):
            print(path.name, flush=True)
            text = nbformat.writes(strip(execute(path, environ)))  # type: ignore[no-untyped-call]
            text = text.rstrip("\n") + "\n"
            if text != path.read_text(encoding="utf-8"):
                changed += 1
                if arguments.write:
                    path.write_text(text, encoding="utf-8")
                else:
                    print(f"  its outputs are not those committed: {path}")
    return 1 if changed and not arguments.write else 0


def _short() -> str | None:
    """A folder with a short path for a socket: the system's own may have a long one (macOS)."""
    return "/tmp" if os.access("/tmp", os.W_OK) else None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabsError as error:
        sys.exit(str(error))
