"""The sandbox as a process: `python -m labs_helpers.sandbox.server --home DIR --port N`.

Exits with 0 after SIGTERM or SIGINT, 98 when the port is taken, 1 when its folder cannot be used
(the last line on stderr says why).
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import resource
import secrets
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from labs_helpers.files import LabsError, read_json, write_json
from labs_helpers.runtime import folders
from labs_helpers.runtime.folder_lock import FolderLock
from labs_helpers.runtime.lifetime import Lifetime
from labs_helpers.runtime.rotated_log import log_to
from labs_helpers.workspace import Workspace

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from labs_helpers.sandbox.assembly import Sandbox
    from labs_helpers.sandbox.door.http import Server

log = logging.getLogger(__name__)

_STOP = (signal.SIGTERM, signal.SIGINT)

_FILES = 4096
"""Descriptors that the process may have open."""

PORT_TAKEN = 98
"""The exit code when another program listens on the port; as EADDRINUSE on Linux."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit code."""
    options = _options(arguments)
    home = Path(options.home).absolute()
    log_to(options.log)
    for number in _STOP:
        signal.signal(number, _end)
    os.umask(0o077)
    _allow_many_files()
    try:
        folder = home / "sandbox"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep_inside(folder)
        return _serve(Workspace(home), options.port)
    except (LabsError, sqlite3.Error) as error:
        return _fail(f"The sandbox cannot use {home}: {error}")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            _fail(f"Port {options.port} is in use by another program.")
            return PORT_TAKEN
        return _fail(f"The sandbox cannot use {error.filename or home}: {error.strerror or error}.")


def _serve(workspace: Workspace, port: int) -> int:
    from labs_helpers.runtime import aws_models
    from labs_helpers.sandbox import assembly, confinement
    from labs_helpers.sandbox.door.http import Server
    from labs_helpers.sandbox.registry import rules

    aws_models.share(documentation=False)
    instance, folder = secrets.token_hex(8), workspace.sandbox
    chosen = rules.chosen(os.environ)
    online = os.environ.get("LABS_HUB") == "online"
    lifetime = Lifetime(workspace.home, "sandbox", os.environ)
    # held until the process ends
    lock = FolderLock.take(folder, "sandbox")
    folders.empty(Path(tempfile.gettempdir()))
    sandbox = assembly.build(
        folder, port, instance, _frozen_at(), chosen, workspace.own_names, online
    )
    server = Server(port, _noting_use(sandbox.application, lifetime))
    server.prepare()
    confinement.confine(port, _scanner(), online=online)
    record = folder / "server.json"
    stopping = _stop_when_told(server, sandbox)
    try:
        _record(record, port, instance)
        lifetime.watch()
        log.info("the sandbox listens on 127.0.0.1:%d", port)
        server.serve()
    finally:
        for thread in stopping:
            thread.join()
        server.stop()
        sandbox.close()
        if read_json(record).get("pid") == os.getpid():
            record.unlink(missing_ok=True)
        log.info("the sandbox has stopped")
        lock.release()
    return 0


def _noting_use(application: WSGIApplication, lifetime: Lifetime) -> WSGIApplication:
    """The application; every request of a client counts as use, the labs' own questions do not."""

    def noting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith("/_labs/"):
            lifetime.use()
        return application(environ, start_response)

    return noting


def _stop_when_told(server: Server, sandbox: Sandbox) -> list[threading.Thread]:
    """From now on a signal stops the server, on a thread that the list returned then holds.

    An exception raised by the handler would come up anywhere in the serving thread, also where it
    is waking a worker: that worker then waits for ever, and stopping waits for it.
    """
    stopping: list[threading.Thread] = []

    def end() -> None:
        sandbox.hang_up()
        server.stop()

    def stop(number: int, frame: FrameType | None) -> None:
        if not stopping:
            stopping.append(threading.Thread(target=end, name="stop"))
            stopping[0].start()

    for number in _STOP:
        signal.signal(number, stop)
    return stopping


def _keep_inside(folder: Path) -> None:
    """Nothing this process runs reads ~/.aws, takes credentials of AWS, or writes elsewhere."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    scratch = folder / "tmp"
    if scratch.is_symlink() or scratch.is_file():
        scratch.unlink()
    scratch.mkdir(mode=0o700, exist_ok=True)
    # botocore, inside moto, looks for models and configuration below the home folder
    os.environ.update(HOME=str(scratch), TMPDIR=str(scratch), AWS_EC2_METADATA_DISABLED="true")
    tempfile.tempdir = str(scratch)


def _allow_many_files() -> None:
    """Room for the waiting connections of http_server.py: macOS begins with 256 descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _scanner() -> list[str]:
    """The one program that the sandbox starts: the user's Trivy, when LABS_SCANNER names it."""
    if os.environ.get("LABS_SCANNER", "").lower() != "trivy":
        return []
    program = shutil.which("trivy")
    return [program] if program else []


def _frozen_at() -> datetime | None:
    """LABS_CLOCK, an ISO 8601 instant (UTC unless it says otherwise); None when unset."""
    text = os.environ.get("LABS_CLOCK", "")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        example = "2026-11-02T09:00:00Z"
        raise LabsError(f"LABS_CLOCK is {text!r}; it must be like {example}, or unset.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _record(record: Path, port: int, instance: str) -> None:
    """Say where this process is; whoever started it may have noted the pid already."""
    noted = read_json(record)
    if noted.get("pid") == os.getpid():
        return
    from labs_helpers.runtime import process_identity

    write_json(record, {**process_identity.noted(os.getpid()), "port": port, "instance": instance})


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="labs_helpers.sandbox.server")
    parser.add_argument("--home", required=True, help="the folder of the labs, LABS_HOME")
    parser.add_argument("--port", required=True, type=int, help="the loopback port")
    parser.add_argument("--log", type=Path, help="the file that stdout and stderr are, to rotate")
    return parser.parse_args(arguments)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
