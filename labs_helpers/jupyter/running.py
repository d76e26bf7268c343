"""Which JupyterLab runs in a folder, and which files of the folder one has open."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from jupyter_core.paths import jupyter_runtime_dir

from labs_helpers.workspace import Workspace

SECONDS = 5
"""How long a server on this machine may take to answer."""


def open_files(folder: Path, workspace: Workspace) -> set[str]:
    """The notebooks with a kernel, as paths relative to ``folder``, of every JupyterLab there.

    A JupyterLab is one that the labs started, or that this process runs in. Where one does not
    answer, every notebook of the folder counts as open. A document without a kernel does not count:
    JupyterLab itself asks before it saves over a file that has changed on disk.
    """
    found: set[str] = set()
    for server in _servers(workspace):
        root = Path(server.get("root_dir") or "/").resolve()
        if not (folder.resolve().is_relative_to(root) or root.is_relative_to(folder.resolve())):
            continue
        try:
            paths = [(root / session["path"]).resolve() for session in _sessions(server)]
        except (OSError, ValueError, KeyError, TypeError):
            paths = [path.resolve() for path in folder.rglob("*.ipynb")]
        for path in paths:
            if path.is_relative_to(folder.resolve()):
                found.add(path.relative_to(folder.resolve()).as_posix())
    return found


def address(folder: Path, workspace: Workspace) -> str | None:
    """The address, with its token, of a JupyterLab that runs in ``folder`` and answers.

    Without a token for one that asks for a password. None when there is no such JupyterLab.
    """
    for server in _servers(workspace):
        if Path(server.get("root_dir") or "/").resolve() == folder.resolve():
            try:
                _sessions(server)
            except (OSError, ValueError, KeyError, TypeError):
                continue
            token = server.get("token", "")
            return f"{server['url']}lab" + (f"?token={token}" if token else "")
    return None


def _servers(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """The servers that left a note of themselves and still run.

    Each note is a file ``jpserver-<pid>.json`` in Jupyter's runtime folder, of the labs or of the
    machine. jupyter_server itself could read them, but takes a second to import:
    https://jupyter-server.readthedocs.io/en/latest/api/jupyter_server.html#jupyter_server.serverapp.list_running_servers
    """
    ours = workspace.home / "jupyter" / "runtime"
    for folder in {ours.resolve(), Path(jupyter_runtime_dir()).resolve()}:
        for note in folder.glob("jpserver-*.json"):
            try:
                server = json.loads(note.read_bytes())
            except (OSError, ValueError):  # the server has just ended, or is about to write it
                continue
            if isinstance(server, dict) and psutil.pid_exists(int(server.get("pid") or 0)):
                yield server


def _sessions(server: dict[str, Any]) -> list[dict[str, Any]]:
    """What a server says of its open notebooks; raises OSError and ValueError."""
    token = server.get("token", "")
    url = str(server["url"])
    request = urllib.request.Request(
        f"{url}api/sessions", headers={"Authorization": f"token {token}"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=SECONDS) as answer:
            found: list[dict[str, Any]] = json.load(answer)
    except urllib.error.URLError as error:
        raise OSError(str(error)) from error
    return found
