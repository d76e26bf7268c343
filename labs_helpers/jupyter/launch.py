"""`python -P -m labs_helpers.jupyter.launch PROGRAM ...`: a Jupyter server with less to load.

Jupyter's servers import jsonschema, and with it grammars that no schema of Jupyter's needs
(runtime/grammars.py): 2.3 seconds of CPU and 17 MB for each learner of a class. PROGRAM is the path
of a command of this Python environment, such as jupyterhub-singleuser, or `-m` and a module.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from labs_helpers.runtime.grammars import without, without_grammars

JUPYTERLAB = (sys.executable, "-P", "-m", __spec__.name, "-m", "jupyterlab")
"""The beginning of JupyterLab's command line."""
_COMMAND_LINE = "httpx._main"
"""httpx's command line, which imports rich and pygments, 4 MB; httpx does without:
https://github.com/encode/httpx/blob/master/httpx/__init__.py"""
_FIRST_BYTES = 4096
_PATIENCE = 5.0
"""Seconds for the threads of a program that has ended. A request that is under way when Jupyter's
loop stops leaves a thread of AnyIO behind, for which Python waits without end:
https://github.com/jupyterlab/jupyterlab/issues/10442"""


def line(command: Sequence[str]) -> list[str]:
    """The command line that starts a command in this way; the command's own if it has to be.

    command: the path of a program, and its arguments. Programs that are no Python script beside
    this interpreter stay as they are.
    """
    found = Path(command[0])
    if (
        found.name == "jupyter"
        and len(command) > 1
        and (found.parent / _named(command[1])).exists()
    ):
        # `jupyter lab` becomes jupyter-lab by execve, which would be a Python of its own
        return line([str(found.parent / _named(command[1])), *command[2:]])
    if found.parent != Path(sys.executable).parent or not _is_python(found):
        return [*command]
    return [sys.executable, "-P", "-m", __spec__.name, *command]


def _named(subcommand: str) -> str:
    return f"jupyter-{subcommand}"


def _is_python(path: Path) -> bool:
    """Whether a script has Python's name in its first line, or is pip's for a long path."""
    try:
        with path.open("rb") as file:
            begin = file.read(_FIRST_BYTES)
    except OSError:
        return False
    first, _, second = begin.partition(b"\n")
    return first.startswith(b"#!") and (b"python" in first or second.startswith(b"'''exec' "))


def main(arguments: Sequence[str]) -> None:
    """Become the program, in this process, which ends soon after the program has ended."""
    sys.argv[:] = arguments
    status = 1
    try:
        with without_grammars(), without(_COMMAND_LINE):
            if arguments[0] == "-m":
                sys.argv[:] = arguments[1:]
                runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
            else:
                runpy.run_path(arguments[0], run_name="__main__")
        status = 0
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        raise
    finally:
        end = threading.Timer(_PATIENCE, os._exit, (status,))
        end.daemon = True
        end.start()


if __name__ == "__main__":
    main(sys.argv[1:])
