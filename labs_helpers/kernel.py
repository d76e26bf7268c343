"""What the labs add to a notebook's kernel: shell errors in words, comparisons, activity."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import psutil

from labs_helpers import answers
from labs_helpers.classroom.desk import Desk
from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.errors import FOR_THE_LEARNER, Interrupted, LabError, said
from labs_helpers.files import LabsError
from labs_helpers.interrupts import Noticed, Tracebacks, noticed
from labs_helpers.notebook_output import display
from labs_helpers.progress.journal import Journal
from labs_helpers.workspace import Workspace

SHELLS = ("bash", "sh")
ACTIVE_SECONDS = 60
"""The journal notes at most once in so many seconds that cells are run."""
_RAN: dict[str, datetime] = {}
"""When the cells of this kernel last ran to their end."""

_COMMANDS = "aws|bash|cat|curl|cut|docker|echo|export|git|grep|jq|labs|ls|mkdir|rm|sed|sh|tr"
"""Words with which the labs' shell cells begin."""
_SHELL = re.compile(
    r"\s*(#.*\n\s*)*"
    rf"(\w+=\S*\n\s*)*({_COMMANDS})[ \t]+[^\s=(.]|(for|if|while)[ \t].*;[ \t]*(do|then)\b"
)
NO_SHELL = (
    "These are commands of a shell, and this cell is read as Python. Write %%bash alone in the "
    "cell's first line, and run the cell again."
)


class ShellFailed(LabError):
    """A shell cell ended with an error. What its commands said stands above the message."""


def install(number: str, journal: Journal | None) -> None:
    """Prepare the kernel for lab ``number``; without a journal nothing is noted or compared.

    Outside IPython there is no kernel, and nothing is done.
    """
    from IPython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        return
    say_when_the_sandbox_is_down(shell)
    for name in SHELLS:
        magic = shell.find_cell_magic(name)
        magic = getattr(magic, "before_the_labs", magic)
        if magic is not None and not hasattr(magic, "of_the_labs"):
            shell.register_magic_function(_in_words(magic), "cell", name)
    for earlier in [one for one in _hooks(shell) if hasattr(one, "of_the_labs")]:
        shell.events.unregister("post_run_cell", earlier)
    if journal is not None:
        shell.events.register(
            "post_run_cell", _after_a_cell(shell, number, journal, Workspace.find())
        )


def help_after_failures(advice: Callable[[str], Sequence[str]]) -> None:
    """Below a cell that fails, show the lines that ``advice`` has for the cell with this id.

    Until the next ``install``. What stops the advice and is for the learner is shown in its place.
    """
    from IPython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        return

    def after(result: Any) -> None:
        fault, cell = result.error_in_exec, _cell(shell)
        if fault is None or not cell or isinstance(fault, Interrupted | KeyboardInterrupt):
            return
        try:
            lines = advice(cell)
        except FOR_THE_LEARNER as problem:
            lines = [said(problem)] if said(problem) != str(fault) else []
        for line in lines:
            display(paragraph(line))

    after.of_the_labs = True  # type: ignore[attr-defined]
    shell.events.register("post_run_cell", after)


def say_when_the_sandbox_is_down(shell: Any) -> None:
    """From now on a cell that finds no sandbox or no engine shows one line, without a traceback.

    That holds for boto3 and for docker-py. So does a cell of shell commands without %%bash.
    """
    from botocore.exceptions import EndpointConnectionError
    from docker.errors import DockerException
    from requests.exceptions import ConnectionError as NoConnection

    def show(shell: Any, kind: Any, error: BaseException, trace: Any, tb_offset: Any = None) -> Any:
        line = said(error)
        if isinstance(error, SyntaxError):
            if not _SHELL.match(_source(shell)):
                shell.showsyntaxerror()
                return None
            line = NO_SHELL
        elif line == str(error):  # another host than the labs', or another error
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
            return None
        shell._showtraceback(kind, error, [line])
        return [line]

    shown = (EndpointConnectionError, DockerException, NoConnection, SyntaxError)
    shell.set_custom_exc(shown, show)


def _hooks(shell: Any) -> list[Any]:
    return list(shell.events.callbacks["post_run_cell"])


def _in_words(magic: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    """A shell's cell magic whose failure is one line instead of IPython's traceback."""

    def run(line: str, cell: str) -> Any:
        before = set(_children())
        held = Tracebacks(sys.stderr)
        with noticed() as interrupt, contextlib.redirect_stderr(held):
            try:
                return _unless_interrupted(magic(line, cell), interrupt)
            except (subprocess.CalledProcessError, Interrupted) as fault:
                # the magic waits a tenth of a second for what it interrupts, and knows no code then
                code = getattr(fault, "returncode", None)
                if interrupt.came or code in (None, -signal.SIGINT):
                    interrupt.came = True
                    _end(set(_children()) - before)
                    raise Interrupted from None
                raise ShellFailed(_how_it_ended(code)) from None
            finally:
                held.end(interrupt.came)

    run.of_the_labs = True  # type: ignore[attr-defined]
    return run


def _unless_interrupted(result: Any, interrupt: Noticed) -> Any:
    """Raise Interrupted for a cell with --no-raise-error, after which the magic only returns."""
    if interrupt.came:
        raise Interrupted
    return result


def _children() -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process().children(recursive=True)
    return found


def _end(processes: set[psutil.Process]) -> None:
    """End what an interrupted cell started: a script goes on after a program that catches SIGINT.

    https://www.gnu.org/software/bash/manual/html_node/Signals.html
    """
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=3)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _how_it_ended(code: int) -> str:
    """https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html"""
    if code < 0:
        return f"The cell was stopped by signal {-code}."
    known = {126: ": a command is not a program", 127: ": a command was not found"}
    return f"The cell ended with exit code {code}{known.get(code, '')}."


def _after_a_cell(
    shell: Any, number: str, journal: Journal, workspace: Workspace
) -> Callable[[Any], None]:
    noted = 0.0
    desk = Desk(workspace)

    def after(result: Any) -> None:
        nonlocal noted
        try:
            if time.monotonic() - noted >= ACTIVE_SECONDS:
                journal.add("active", number)
                noted = time.monotonic()
            cell, fault = _cell(shell), result.error_before_exec or result.error_in_exec
            if not isinstance(fault, Interrupted | KeyboardInterrupt):
                for comparison in answers.compared(cell, journal, fault is not None, _RAN):
                    display(comparison)
            if fault is None:
                _RAN[cell] = datetime.now(UTC)
            for message in desk.after_a_cell():
                if isinstance(message, Rendering):
                    display(message)
                else:
                    print(message)
        except LabsError as fault:
            print(f"The labs cannot keep your progress. {fault}")

    after.of_the_labs = True  # type: ignore[attr-defined]
    return after


def _source(shell: Any) -> str:
    """The cell that is run, as it was written; empty outside a kernel."""
    kernel = getattr(shell, "kernel", None)
    return str(kernel.get_parent()["content"].get("code", "")) if kernel else ""


def _cell(shell: Any) -> str:
    """The id of the cell that was run, as JupyterLab tells the kernel; empty elsewhere.

    https://jupyter-client.readthedocs.io/en/stable/messaging.html#execute
    """
    kernel = getattr(shell, "kernel", None)
    return str(kernel.get_parent().get("metadata", {}).get("cellId", "")) if kernel else ""
