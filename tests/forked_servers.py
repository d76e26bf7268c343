"""The labs' servers as forks of one process that has imported them, for tests that start many.

Python takes a third of a second to import a sandbox, and more for the services of moto that the
first requests ask for. `Popen` is subprocess.Popen, and starts a server as a fork of a process that
has imported all this. The fork runs the server's own `main` with its own arguments, environment,
folder and streams, and is a child of the caller like any other. `labs` as installed, which tests
run too, starts the servers as a learner's does; and so does `start_anew` of sandbox_process.py.

This file is also the program of the process that forks.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import inspect
import json
import logging
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

SERVERS = ("labs_helpers.sandbox.server", "labs_helpers.engine", "labs_helpers.runner")
_MAIN = {name: name if name.endswith("server") else f"{name}.__main__" for name in SERVERS}
_SERVICES = ("iam", "sts", "s3", "sqs", "events", "logs", "secretsmanager", "ec2")
_IMPORTED = (
    *_MAIN.values(),
    *("labs_helpers.sandbox.assembly", "labs_helpers.sandbox.confinement"),
    *("moto.core.models", "moto.moto_server.werkzeug_app"),
    *(f"moto.{service}.models" for service in _SERVICES),
    *(f"moto.{service}.responses" for service in _SERVICES),
)

_CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine())  # clone(2)'s number on Linux
_CLONE_PARENT = 0x00008000
_LENGTH = 4

_bind = inspect.signature(subprocess.Popen._execute_child).bind  # type: ignore[attr-defined]


class Popen(subprocess.Popen[Any]):
    """subprocess.Popen; a server of the labs is a fork of the process that has imported it."""

    def _execute_child(self, *given: Any) -> None:
        asked = _bind(self, *given).arguments
        server = _server(asked["args"])
        if server is None or asked["preexec_fn"] is not None or asked["pass_fds"]:
            super()._execute_child(*given)  # type: ignore[misc]
            return
        module, arguments = server
        streams = [
            asked["p2cread"] if asked["p2cread"] != -1 else 0,
            asked["c2pwrite"] if asked["c2pwrite"] != -1 else 1,
            asked["errwrite"] if asked["errwrite"] != -1 else 2,
        ]
        job = {
            "module": module,
            "arguments": arguments,
            "environ": dict(os.environ if asked["env"] is None else asked["env"]),
            "folder": os.fspath(asked["cwd"] or Path.cwd()),
            "session": asked["start_new_session"],
        }
        self.pid = _Loaded.process().fork(job, streams)
        self._child_created = True
        ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(asked[end] for end in ends))  # type: ignore[attr-defined]


module = types.ModuleType("subprocess", subprocess.__doc__)
"""The module subprocess with this Popen."""
module.__dict__.update({**vars(subprocess), "Popen": Popen})


def _server(command: Sequence[str]) -> tuple[str, list[str]] | None:
    """The server that a command starts and its arguments; None for any other command."""
    words = [os.fspath(word) for word in command] if not isinstance(command, str | bytes) else []
    if _CLONE is None or sys.platform != "linux" or words[:1] != [sys.executable]:
        return None
    rest = [word for word in words[1:3] if word != "-P"] + words[3:]
    if len(rest) < 2 or rest[0] != "-m" or rest[1] not in SERVERS:
        return None
    return rest[1], rest[2:]


class _Loaded:
    """The process that has imported the servers; one for this process, begun when first asked."""

    _one: _Loaded | None = None

    def __init__(self) -> None:
        self.begun_by = os.getpid()
        self._socket, theirs = socket.socketpair()
        home = tempfile.gettempdir()
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**kept, "HOME": home, "AWS_EC2_METADATA_DISABLED": "true"},
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self._end)

    @classmethod
    def process(cls) -> _Loaded:
        if cls._one is None or cls._one.begun_by != os.getpid():
            cls._one = cls()
        return cls._one

    def fork(self, job: dict[str, Any], streams: list[int]) -> int:
        """The pid of a new child of this process, which does ``job``."""
        data = json.dumps(job).encode()
        socket.send_fds(self._socket, [len(data).to_bytes(_LENGTH, "big")], streams)
        self._socket.sendall(data)
        answer = self._socket.recv(_LENGTH)
        if len(answer) != _LENGTH:
            raise RuntimeError("the process that forks the servers has ended; its error is above")
        return int.from_bytes(answer, "big")

    def _end(self) -> None:
        if self.begun_by == os.getpid():
            self._socket.close()
            self._process.wait(30)


def _serve(asking: socket.socket) -> dict[str, Any] | None:
    """Fork for each job that is asked for.

    Returns the job in the child, and None when the asker has ended.
    """
    while True:
        head, streams, _, _ = socket.recv_fds(asking, _LENGTH, 3)
        if not head:
            return None
        size, data = int.from_bytes(head, "big"), b""
        while len(data) < size:
            data += asking.recv(size - len(data))
        pid = _fork_for_parent()
        if pid == 0:
            asking.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            for stream in streams:
                os.close(stream)
            job: dict[str, Any] = json.loads(data)
            return job
        for stream in streams:
            os.close(stream)
        asking.sendall(pid.to_bytes(_LENGTH, "big"))


def _fork_for_parent() -> int:
    """os.fork whose child is a child of this process's parent (CLONE_PARENT of clone(2))."""
    python = ctypes.pythonapi
    system = ctypes.PyDLL(None, use_errno=True)  # holds the interpreter's lock, as os.fork does
    python.PyOS_BeforeFork()
    pid = int(system.syscall(_CLONE, _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0))
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return pid


def _become(job: dict[str, Any]) -> NoReturn:
    """Be the server: its environment, folder, session and arguments, and the exit code of main."""
    if job["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(job["environ"])
    tempfile.tempdir = None
    os.chdir(job["folder"])
    main = sys.modules[_MAIN[job["module"]]]
    sys.argv = [str(main.__file__), *job["arguments"]]
    code = main.main()
    if job["module"] != "labs_helpers.runner":  # which does not wait for the threads of its jobs
        threading._shutdown()  # type: ignore[attr-defined]
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # to take apart all that was imported would take longer than the start
    os._exit(code)


if __name__ == "__main__":
    for name in _IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a child's collections leave alone, and so share, what has been imported
    with socket.socket(fileno=int(sys.argv[1])) as mine:
        asked = _serve(mine)
    if asked is not None:
        _become(asked)
