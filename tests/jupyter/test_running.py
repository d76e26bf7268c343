"""Which notebooks of a folder a running JupyterLab has open."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from labs_helpers.jupyter import running
from labs_helpers.jupyter.running import open_files
from labs_helpers.workspace import Workspace


class Server(BaseHTTPRequestHandler):
    """The answer of a Jupyter server to GET /api/sessions with the token "secret"."""

    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == "token secret"
        self.send_response(200 if allowed and self.path == "/hub/api/sessions" else 403)
        self.end_headers()
        sessions = [{"path": "05-log-in/05-log-in.ipynb"}, {"path": "../elsewhere.ipynb"}]
        self.wfile.write(json.dumps(sessions).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hub/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "other"))
    return Workspace(tmp_path / "h")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    folder = tmp_path / "my-labs"
    (folder / "05-log-in").mkdir(parents=True)
    (folder / "05-log-in" / "05-log-in.ipynb").touch()
    (folder / "00-start-here.ipynb").touch()
    return folder


def note(folder: Path, **server: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"jpserver-{server['pid']}.json").write_text(json.dumps(server))


@pytest.mark.parametrize("runtime", ["h/jupyter/runtime", "other"])
def test_a_notebook_with_a_kernel_is_open(
    workspace: Workspace, book: Path, address: str, tmp_path: Path, runtime: str
) -> None:
    server = {"url": address, "token": "secret", "root_dir": str(book), "pid": os.getpid()}
    note(tmp_path / runtime, **server)
    assert open_files(book, workspace) == {"05-log-in/05-log-in.ipynb"}


def test_where_a_server_does_not_say_every_notebook_counts_as_open(
    workspace: Workspace, book: Path, address: str, tmp_path: Path
) -> None:
    server = {"url": address, "token": "wrong", "root_dir": str(tmp_path), "pid": os.getpid()}
    note(workspace.home / "jupyter" / "runtime", **server)
    assert open_files(book, workspace) == {"05-log-in/05-log-in.ipynb", "00-start-here.ipynb"}


def test_servers_of_other_folders_and_servers_that_ended_do_not_count(
    workspace: Workspace, book: Path, address: str, tmp_path: Path
) -> None:
    runtime = workspace.home / "jupyter" / "runtime"
    other = {"url": address, "token": "secret", "root_dir": str(tmp_path / "h")}
    note(runtime, **other, pid=os.getpid())
    ended = {"url": address, "token": "secret", "root_dir": str(book)}
    note(runtime, **ended, pid=2**22 + 1)
    (runtime / "jpserver-1.json").write_text("{")
    assert open_files(book, workspace) == set()


def test_a_jupyterlab_in_the_workbook_is_found_with_its_token(
    address: str, workspace: Workspace, book: Path
) -> None:
    runtime = workspace.home / "jupyter" / "runtime"
    assert running.address(book, workspace) is None
    note(runtime, pid=os.getpid(), root_dir=str(book), url=address, token="secret")
    assert running.address(book, workspace) == f"{address}lab?token=secret"
    assert running.address(book / "05-log-in", workspace) is None


def test_a_jupyterlab_that_does_not_answer_is_none(workspace: Workspace, book: Path) -> None:
    runtime = workspace.home / "jupyter" / "runtime"
    gone = "http://127.0.0.1:9/"
    note(runtime, pid=os.getpid(), root_dir=str(book), url=gone, token="secret")
    assert running.address(book, workspace) is None
