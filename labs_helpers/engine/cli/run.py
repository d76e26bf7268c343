"""docker run, create, start, attach and exec: programs that begin, and their streams."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

from labs_helpers.oci import reference as references

from . import transfer
from .client import EngineClient, Failure, ResponseError
from .command_line import LIST, SWITCH, VALUE, Arguments, Option, command, parse
from .run_options import CREATE_OPTIONS, body, environment
from .streams import copy_streams, raw_terminal
from .usage_errors import Malformed

_KEYS = Option("detach-keys", "", VALUE, "Override the key sequence for detaching a container")
_PROXY = Option("sig-proxy", "", SWITCH, "Proxy received signals to the process")
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@command(
    "run",
    "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    "Create and run a new container from an image",
    1,
    options=[
        *CREATE_OPTIONS,
        Option("detach", "d", SWITCH, "Run container in background and print container ID"),
        _KEYS,
        _PROXY,
    ],
)
def run(args: Arguments, engine: EngineClient) -> int:
    """docker run [OPTIONS] IMAGE [COMMAND] [ARG...]"""
    try:
        return _run(args, engine)
    except ResponseError as error:
        code = 125
        if "executable file not found" in error.reason or "no such file" in error.reason:
            code = 127
        elif "permission denied" in error.reason or "is a directory" in error.reason:
            code = 126
        raise Failure(
            f"docker: {error.message}\n\nRun 'docker run --help' for more information", code
        ) from error


def _run(args: Arguments, engine: EngineClient) -> int:
    name = _create(args, engine)
    if args.on("detach"):
        engine.action(f"/containers/{name}/start")
        sys.stdout.write(f"{name}\n")
        return 0
    request = body(args, args.positional[0], ())
    streams = [s for s in ("stdin", "stdout", "stderr") if request[f"Attach{s.title()}"]]
    with _Attached(engine, f"/containers/{name}", streams, request["Tty"], args) as attached:
        condition = "removed" if args.on("rm") else "next-exit"
        waiting = engine.begin(f"/containers/{name}/wait?condition={condition}")
        engine.action(f"/containers/{name}/start")
        attached.copy(proxy=args.text("sig-proxy", "true") != "false" and not request["Tty"])
        return int(waiting()["StatusCode"])


@command(
    "create",
    "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    "Create a new container",
    1,
    options=CREATE_OPTIONS,
)
def create(args: Arguments, engine: EngineClient) -> int:
    """docker create [OPTIONS] IMAGE [COMMAND] [ARG...]"""
    sys.stdout.write(f"{_create(args, engine)}\n")
    return 0


def _create(args: Arguments, engine: EngineClient) -> str:
    image, *words = args.positional
    query = {"name": args.text("name")} if args.text("name") else {}
    document = body(args, image, words)
    pull = args.text("pull") or "missing"
    if pull not in ("always", "missing", "never"):
        raise Malformed(
            f'invalid pull option: \'{pull}\': must be one of "always", "missing" or "never"'
        )
    cidfile = args.text("cidfile")
    if cidfile and Path(cidfile).exists():
        raise Malformed(
            "container ID file found, make sure the other container isn't running or delete"
            f" {cidfile}"
        )
    if pull == "always":
        _pull(args, engine, image)
    try:
        made = engine.post("/containers/create", document, query)
    except ResponseError as error:
        if error.status != 404 or pull != "missing":
            raise
        sys.stderr.write(f"Unable to find image '{references.parse(image).familiar}' locally\n")
        _pull(args, engine, image)
        made = engine.post("/containers/create", document, query)
    for warning in made.get("Warnings") or []:
        sys.stderr.write(f"WARNING: {warning}\n")
    if cidfile:
        Path(cidfile).write_text(made["Id"])
    return str(made["Id"])


def _pull(args: Arguments, engine: EngineClient, image: str) -> None:
    """Pull an image; its progress goes to stderr, as the output is the container's."""
    words = ["--quiet"] if args.on("quiet") else []
    words += ["--platform", args.text("platform")] if args.text("platform") else []
    before, sys.stdout = sys.stdout, sys.stderr
    try:
        transfer.pull(parse(transfer.pull.usage, [*words, image]), engine)
    finally:
        sys.stdout = before


class _Attached:
    """The streams of a container or of an exec, on a connection of their own."""

    def __init__(
        self, engine: EngineClient, place: str, streams: list[str], tty: bool, args: Arguments
    ) -> None:
        self._engine, self._place, self._tty = engine, place, tty
        self._streams = streams
        query = "&".join(f"{name}=1" for name in (*streams, "stream"))
        if args.text("detach-keys"):
            query += f"&detachKeys={quote(args.text('detach-keys'))}"
        self.connection, self._early = engine.hijack(f"{place}/attach?{query}", None)

    def __enter__(self) -> _Attached:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def copy(self, proxy: bool) -> None:
        """Copy the streams until they end; pass signals on."""
        copy(
            self._engine, self._place, self.connection, self._early, self._streams, self._tty, proxy
        )


def copy(
    engine: EngineClient,
    place: str,
    connection: Any,
    early: bytes,
    streams: list[str],
    tty: bool,
    proxy: bool,
) -> None:
    """Copy the streams of a program until they end."""

    def resize(rows: int, columns: int) -> None:
        engine.action(f"{place}/resize?h={rows}&w={columns}")

    def pass_on(number: int, _: object) -> None:
        # in a thread, since the connection may be in use here
        path = f"{place}/kill?signal={number}"
        threading.Thread(target=engine.action, args=(path,), daemon=True).start()

    for number in _PASSED_ON if proxy else ():
        signal.signal(number, pass_on)
    with_input = "stdin" in streams
    if tty and with_input:
        with raw_terminal(resize):
            copy_streams(connection, early, with_input, framed=False)
    else:
        copy_streams(connection, early, with_input, framed=not tty)


@command(
    "start",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Start one or more stopped containers",
    1,
    options=[
        Option("attach", "a", SWITCH, "Attach STDOUT/STDERR and forward signals"),
        Option("interactive", "i", SWITCH, "Attach container's STDIN"),
        _KEYS,
        Option("checkpoint", "", VALUE, refused="the labs' engine keeps no checkpoints"),
        Option("checkpoint-dir", "", VALUE, refused="the labs' engine keeps no checkpoints"),
    ],
)
def start(args: Arguments, engine: EngineClient) -> int:
    """docker start [OPTIONS] CONTAINER [CONTAINER...]"""
    if args.on("attach") or args.on("interactive"):
        if len(args.positional) > 1:
            raise Failure("you cannot start and attach multiple containers at once")
        return _attach(args, engine, args.positional[0], begin=True)
    errors = []
    for name in args.positional:
        try:
            engine.action(f"/containers/{quote(name)}/start")
            sys.stdout.write(f"{name}\n")
        except ResponseError as error:
            errors.append(error.message)
    if errors:
        raise Failure(
            "\n".join([*errors, "failed to start containers: " + ", ".join(args.positional)])
        )
    return 0


@command(
    "attach",
    "[OPTIONS] CONTAINER",
    "Attach local standard input, output, and error streams to a running container",
    1,
    1,
    [_KEYS, Option("no-stdin", "", SWITCH, "Do not attach STDIN"), _PROXY],
)
def attach(args: Arguments, engine: EngineClient) -> int:
    """docker attach [OPTIONS] CONTAINER"""
    found = engine.json(f"/containers/{quote(args.positional[0])}/json")
    if not found["State"]["Running"]:
        raise Failure("cannot attach to a stopped container, start it first")
    return _attach(args, engine, args.positional[0], begin=False)


def _attach(args: Arguments, engine: EngineClient, name: str, begin: bool) -> int:
    found = engine.json(f"/containers/{quote(name)}/json")
    config = found["Config"]
    with_input = args.on("interactive") if begin else not args.on("no-stdin")
    streams = ["stdin"] if with_input and config["OpenStdin"] else []
    streams += ["stdout", "stderr"]
    with _Attached(engine, f"/containers/{found['Id']}", streams, config["Tty"], args) as attached:
        condition = "next-exit" if begin else "not-running"
        waiting = engine.begin(f"/containers/{found['Id']}/wait?condition={condition}")
        if begin:
            engine.action(f"/containers/{found['Id']}/start")
        attached.copy(proxy=args.text("sig-proxy", "true") != "false" and not config["Tty"])
    if not begin and engine.json(f"/containers/{found['Id']}/json")["State"]["Running"]:
        return 0  # detached
    return int(waiting()["StatusCode"])


@command(
    "exec",
    "[OPTIONS] CONTAINER COMMAND [ARG...]",
    "Execute a command in a running container",
    2,
    options=[
        Option("detach", "d", SWITCH, "Detached mode: run command in the background"),
        _KEYS,
        Option("env", "e", LIST, "Set environment variables"),
        Option("env-file", "", LIST, "Read in a file of environment variables"),
        Option("interactive", "i", SWITCH, "Keep STDIN open even if not attached"),
        Option("privileged", refused="a container gets no rights on this machine"),
        Option("tty", "t", SWITCH, "Allocate a pseudo-TTY"),
        Option("user", "u", VALUE, "Username or UID (format: <name|uid>[:<group|gid>])"),
        Option("workdir", "w", VALUE, "Working directory inside the container"),
    ],
)
def execute(args: Arguments, engine: EngineClient) -> int:
    """docker exec [OPTIONS] CONTAINER COMMAND [ARG...]"""
    name, *words = args.positional
    tty, detach = args.on("tty"), args.on("detach")
    interactive = args.on("interactive")
    document = {
        "User": args.text("user"),
        "Tty": tty,
        "AttachStdin": interactive and not detach,
        "AttachStdout": not detach,
        "AttachStderr": not detach,
        "Env": environment(args),
        "WorkingDir": args.text("workdir"),
        "DetachKeys": args.text("detach-keys"),
        "Cmd": words,
    }
    made = engine.post(f"/containers/{quote(name)}/exec", document)["Id"]
    if detach:
        engine.post(f"/exec/{made}/start", {"Detach": True, "Tty": tty})
        return 0
    connection, early = engine.hijack(f"/exec/{made}/start", {"Detach": False, "Tty": tty})
    streams = (["stdin"] if interactive else []) + ["stdout", "stderr"]
    with connection:
        copy(engine, f"/exec/{made}", connection, early, streams, tty, proxy=False)
    return int(engine.json(f"/exec/{made}/json")["ExitCode"] or 0)
