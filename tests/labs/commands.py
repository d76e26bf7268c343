"""`aws`, `docker` and `labs` for tests that run hundreds of them: one process imports the programs.

Each command is a fork of that process, so it runs the program's own code with its own environment,
folder and streams, and skips the import, which takes half a second for `aws`. `python` with a
script (``-c`` or ``-``) is such a fork too, in which boto3, docker and the labs are imported.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from labs_helpers.defaults import REGION

_SHIM = """\
#!{python} -ISs
import json, os, socket, sys
if sys.argv[0].endswith("/python") and sys.argv[1:2] not in (["-c"], ["-"]):
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
asked = [os.path.basename(sys.argv[0]), *sys.argv[1:]], dict(os.environ), os.getcwd()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    data = json.dumps(asked).encode()
    socket.send_fds(server, [len(data).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(data)
    ended = server.recv(1)
sys.exit(ended[0] if ended else 70)
"""


class Commands:
    """A folder with the commands, for the front of a PATH, and the process that runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "fast"
        self.folder.mkdir()
        address = folder / "commands"
        for name in ("aws", "docker", "labs", "python"):
            shim = self.folder / name
            shim.write_text(_SHIM.format(python=sys.executable, address=str(address)))
            shim.chmod(0o700)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, str(address)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def for_bash(
        self, environ: Mapping[str, str], others: Sequence[str] = ("docker", "labs")
    ) -> dict[str, str]:
        """``environ``, in which each script of bash has these commands for those of LABS_HOME.

        The labs' own launcher of `aws` still runs first: only the program that it ends in is quick.
        ``others``: which commands beside `aws` are these.
        """
        home = Path(environ["LABS_HOME"])
        launcher = (home / "bin" / "aws").read_text()
        before, ends_in, rest = launcher.rpartition(' exec "')
        program, mark, arguments = rest.partition('"')
        assert (bool(ends_in), Path(program).name, mark) == (True, "aws", '"'), launcher
        quick = Path(tempfile.mkdtemp(dir=self.folder))
        (quick / "aws").write_text(f'{before}{ends_in}{self.folder / "aws"}"{arguments}')
        (quick / "aws").chmod(0o700)
        for name in others:
            (quick / name).symlink_to(self.folder / name)
        # bash reads this file before a script; on its PATH, the labs' bin/ is first
        settings = quick / "settings"
        settings.write_text(f'PATH="{quick}:$PATH"\n')
        return {**environ, "BASH_ENV": str(settings)}

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


_shared: list[tuple[Commands, Callable[[], None]]] = []


def shared() -> Commands:
    """The commands that all tests of this process use, until `stop_shared`."""
    if not _shared:
        folder = tempfile.TemporaryDirectory(prefix="labs-", dir="/tmp")
        _shared.append((Commands(Path(folder.name)), folder.cleanup))
    return _shared[0][0]


def stop_shared() -> None:
    while _shared:
        made, remove = _shared.pop()
        made.stop()
        remove()


def _programs() -> dict[str, Callable[[list[str]], Any]]:
    import awscli.clidriver
    import boto3  # noqa: F401  (for scripts)
    import docker as sdk  # noqa: F401

    import labs_helpers.cli.gate  # noqa: F401  (imported here, once)
    from labs_helpers.cli import main as labs
    from labs_helpers.engine.cli import main as docker

    # each command makes a session of its own; the program's files stay read
    sessions = awscli.clidriver.botocore.session  # the program's own botocore
    sessions.create_loader = functools.cache(sessions.create_loader)
    _wait_briefly(awscli.clidriver.botocore)
    driver = awscli.clidriver.create_clidriver()
    driver.create_help_command()  # which reads the names of all services
    loader = driver.session.get_component("data_loader")
    for service in ("ecr", "iam", "s3", "sts", "ecs", "events", "logs", "codebuild"):
        driver.session.create_client(
            service, REGION, aws_access_key_id="-", aws_secret_access_key="-"
        )
        loader.load_service_model(service, "paginators-1")
    return {
        "aws": lambda argv: awscli.clidriver.main(),
        "docker": docker.main,
        "labs": labs.main,
        "python": _script,
    }


def _script(argv: list[str]) -> int:
    """Run a script as `python -c` and `python -` do; returns the exit code."""
    source = argv[1] if argv[0] == "-c" else sys.stdin.read()
    sys.argv = [argv[0], *argv[2 if argv[0] == "-c" else 1 :]]
    sys.path.insert(0, "")
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    code = 0
    try:
        exec(compile(source, "<string>", "exec"), main.__dict__)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        raise
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        code = 1
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    return code


def _wait_briefly(botocore: Any) -> None:
    """Let `aws ... wait` ask every half second for as long as its model asks every 15 seconds.

    A wait ends at the same answer; only the pauses between the questions are shorter.
    """
    importlib.import_module(f"{botocore.__name__}.waiter")
    modelled = botocore.waiter.SingleWaiterConfig.__init__

    def brief(config: Any, model: dict[str, Any]) -> None:
        modelled(config, model)
        pause = min(config.delay, 0.5)
        config.max_attempts = math.ceil(config.max_attempts * config.delay / pause)
        config.delay = pause

    botocore.waiter.SingleWaiterConfig.__init__ = brief


def _serve(address: str) -> None:
    programs = _programs()
    gc.collect()
    gc.freeze()  # a child's collections leave alone, and so share, what the programs are made of
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _run(connection, programs)
            connection.close()


def _run(connection: socket.socket, programs: dict[str, Callable[[list[str]], Any]]) -> None:
    """The child: become the command, answer its exit code, and end."""
    head, streams, _, _ = socket.recv_fds(connection, 4, 3)
    size, data = int.from_bytes(head, "big"), b""
    while len(data) < size:
        data += connection.recv(size - len(data))
    argv, environ, folder = json.loads(data)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    data_of_awscli = os.environ["AWS_DATA_PATH"]  # which awscli sets when it is imported
    os.environ.clear()
    os.environ.update(environ)
    if argv[0] != "python":
        os.environ["AWS_DATA_PATH"] = data_of_awscli
    os.chdir(folder)
    sys.argv = argv
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    code: Any = 70
    try:
        code = programs[argv[0]](argv[1:])
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    number = code if isinstance(code, int) else 0 if code is None else 1
    connection.sendall(bytes([number & 255]))
    os._exit(0)


def _end_with(connection: socket.socket) -> None:
    """End this process when the asker has ended, as a test that fails ends what it started."""
    if connection.recv(1) == b"":
        os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1])
