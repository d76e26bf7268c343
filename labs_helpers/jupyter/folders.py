"""The folders of Jupyter and IPython: in LABS_HOME instead of the learner's home."""

from __future__ import annotations

import sys
from pathlib import Path

from labs_helpers.files import cannot_write, replace_file
from labs_helpers.runtime.background_process import FRUGAL
from labs_helpers.workspace import SOCKET_PATH_LIMIT, Workspace

SETTINGS = {name: Path(__file__).parent / name for name in ("config", "ipython")}
"""Folders of settings that are copied into Jupyter's folder in LABS_HOME."""

ROOT, OPENS = "LABS_JUPYTER_ROOT", "LABS_JUPYTER_OPENS"
"""What `config/jupyter_server_config.py` reads."""
FIRST = "00-start-here.ipynb"


def environment(workspace: Workspace) -> dict[str, str]:
    """Variables that keep Jupyter out of ~/.jupyter, ~/.local and ~/.ipython, and small.

    Jupyter still finds the kernels of this Python environment, in the environment's own folder:
    https://docs.jupyter.org/en/latest/use/jupyter-directories.html
    """
    folder = workspace.home / "jupyter"
    return {
        **FRUGAL,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "IPYTHONDIR": str(folder / "ipython"),
    }


def opens(root: Path, notebook: str) -> dict[str, str]:
    """Variables by which the labs' settings open a folder, and a notebook in it unless "".

    A command line that JupyterHub or Binder makes keeps its own arguments, which go before these.
    """
    return {ROOT: str(root), OPENS: notebook or FIRST}


def transport(runtime: str) -> str:
    """How kernels of a hub's servers are reached: "ipc", or "tcp" where that cannot be.

    Over TCP a server looks for free ports, and its kernel binds them later: of servers that start
    kernels at once, another one has taken a port meanwhile, and the kernel dies. Sockets in the
    learner's own folder ``runtime`` are nobody else's. Their names are not short:
    https://github.com/jupyter/jupyter_client/blob/v8.6.3/jupyter_client/connect.py
    """
    longest = f"{runtime}/kernel-{'0' * 36}-ipc-5"
    fits = len(longest.encode()) <= SOCKET_PATH_LIMIT
    return "ipc" if runtime and fits and sys.platform != "win32" else "tcp"


def place(workspace: Workspace) -> None:
    """Copy the labs' settings into Jupyter's folder; files that the learner added there stay.

    A copy that is right is not written again, so that a full disk stops no server.
    """
    try:
        # copied, because Jupyter writes into this folder and the package may be read-only
        for name, settings in SETTINGS.items():
            for file in filter(Path.is_file, settings.rglob("*")):
                copy = workspace.home / "jupyter" / name / file.relative_to(settings)
                content = file.read_bytes()
                if not copy.is_file() or copy.read_bytes() != content:
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    replace_file(copy, content, 0o600)
    except OSError as error:
        raise cannot_write(workspace.home / "jupyter", error) from error
