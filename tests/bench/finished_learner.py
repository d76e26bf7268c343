"""What a learner holds who has done all labs in JupyterLab, the solutions filled in.

    python -m tests.bench.finished_learner HOME [NN ...]

plays a learner in an empty folder, and prints the memory of each process after each lab. The kernel
of a lab ends before the next lab begins; the last kernel stays.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
import requests
import websocket

from labs_helpers import rehearsal, servers
from labs_helpers.curriculum import LABS
from labs_helpers.workspace import Workspace
from tests.bench.servers import free_port

SECONDS = 1800.0
KINDS = {
    "ipykernel_launcher": "kernel",
    "labs_helpers.jupyter.launch": "server",
    "labs_helpers.sandbox.server": "sandbox",
    "labs_helpers.runner": "runner",
    "keeper": "containers",
    "labs_helpers.engine": "engine",
}
"""A word of the command line -> the name of the process, the first that fits."""


@dataclass
class Finished:
    """A learner's JupyterLab, whose labs have their state in ``home``."""

    home: Path
    port: int
    server: subprocess.Popen[bytes]
    kernel: str = ""

    def api(self, method: str, path: str, document: Any = None) -> Any:
        answer = requests.request(
            method, f"http://127.0.0.1:{self.port}/api/{path}", json=document, timeout=60
        )
        assert answer.status_code < 400, f"{method} {path}: {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def do(self, number: str) -> float:
        """Do a lab in a kernel of its own; the seconds it took. AssertionError unless it passes."""
        name = LABS[number].notebook
        (path,) = (self.home / "my-labs").rglob(name)
        rehearsal.fill_in(path)
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        for session in self.api("GET", "sessions"):
            self.api("DELETE", f"sessions/{session['id']}")
        wanted = {
            "path": str(path.relative_to(self.home / "my-labs")),
            "name": "",
            "type": "notebook",
            "kernel": {"name": "python3"},
        }
        self.kernel = self.api("POST", "sessions", wanted)["kernel"]["id"]
        url = f"ws://127.0.0.1:{self.port}/api/kernels/{self.kernel}/channels"
        begun = time.monotonic()
        with closing(websocket.create_connection(url, timeout=SECONDS)) as channel:
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.outputs = executed(channel, cell.source)
                    if any(one.output_type == "error" for one in cell.outputs):
                        tags = cell.metadata.get("tags", ())
                        assert "raises-exception" in tags, (
                            f"{number}: {cell.source}\n{cell.outputs}"
                        )
        for exercise, said in rehearsal.verdicts(path, notebook).items():
            assert said.startswith(rehearsal.PASSED), f"{exercise}: {said}"
        return time.monotonic() - begun

    def processes(self) -> list[psutil.Process]:
        """The server, what the labs have started for this home, and the children of all these."""
        found = {}
        for each in psutil.process_iter():
            try:
                if each.pid == self.server.pid or self._is_ours(each):
                    found |= {one.pid: one for one in (each, *each.children(recursive=True))}
            except psutil.Error:
                continue
        return list(found.values())

    def _is_ours(self, process: psutil.Process) -> bool:
        place = str(self.home / ".labs")
        return process.environ().get("LABS_HOME", "").startswith(place) or any(
            place in word for word in process.cmdline()
        )

    def memory(self) -> dict[str, float]:
        """MB by kind of process. Pages that several processes share count once, in parts (PSS)."""
        found: dict[str, float] = {}
        for each in self.processes():
            with contextlib.suppress(psutil.Error, ProcessLookupError, FileNotFoundError):  # ended
                kind = kind_of(each)
                found[kind] = found.get(kind, 0) + proportional(each.pid) / 1e6
        return found


def kind_of(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    return next((kind for word, kind in KINDS.items() if word in line), line[:60] or process.name())


def proportional(pid: int) -> int:
    """Bytes of the process, of what it shares its part: proc_pid_smaps(5)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def learner(home: Path) -> Iterator[Finished]:
    """A learner whose JupyterLab answers, in an empty folder."""
    port = free_port()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LABS_")}
    environ = {
        **plain,
        "HOME": str(home),
        "LABS_ENGINE": "embedded",
        "LABS_HOME": str(home / ".labs"),
        "LABS_WORKBOOK": str(home / "my-labs"),
    }
    command = [
        *(str(Path(sys.executable).with_name("labs")), "serve"),
        *("jupyter", "lab", f"--port={port}", "--no-browser"),
        *("--allow-root", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"),
    ]
    with (home / "jupyter.log").open("ab") as log:
        server = subprocess.Popen(command, cwd=home, env=environ, stdout=log, stderr=log)
    found = Finished(home, port, server)
    try:
        end = time.monotonic() + SECONDS
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/api", timeout=5)
                break
            except requests.ConnectionError:
                assert server.poll() is None, (home / "jupyter.log").read_text()
                assert time.monotonic() < end, "the server does not answer"
                time.sleep(0.1)
        yield found
    finally:
        servers.stop(Workspace(home / ".labs"))
        left = found.processes()
        for each in left:
            each.kill()
        psutil.wait_procs(left, 30)


def executed(channel: websocket.WebSocket, code: str) -> list[Any]:
    """Run a cell; its outputs."""
    message = uuid.uuid4().hex
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    header = {"msg_id": message, "msg_type": "execute_request", "session": "x", "username": "x"}
    request = {
        "header": {**header, "version": "5.3"},
        **{"parent_header": {}, "metadata": {}, "content": content},
        **{"channel": "shell", "buffers": []},
    }
    channel.send(json.dumps(request))
    outputs = []
    while True:
        found = json.loads(channel.recv())
        if found["parent_header"].get("msg_id") != message:
            continue
        kind, content = found["msg_type"], found["content"]
        if kind in ("stream", "display_data", "execute_result", "error"):
            outputs.append(nbformat.from_dict({"output_type": kind, **content}))  # type: ignore[no-untyped-call]
        elif kind == "status" and content["execution_state"] == "idle":
            return outputs


def shown(memory: Mapping[str, float]) -> str:
    parts = ", ".join(f"{kind} {mb:.0f}" for kind, mb in sorted(memory.items()))
    return f"{sum(memory.values()):.0f} MB: {parts}"


def main(arguments: Sequence[str]) -> int:
    home = Path(arguments[0]).resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with learner(home) as one:
        print("at first", shown(one.memory()), flush=True)
        for number in arguments[1:] or LABS:
            seconds = one.do(number)
            print(f"{number} ({seconds:.0f} s)", shown(one.memory()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
