"""Run a buildspec as AWS CodeBuild runs it, on this machine: in a copy of the source, phase by
phase, with CodeBuild's log. Artifacts are copied into a folder; the source stays as it is.

Exit codes: 0 the build succeeded; 1 the build failed, or could not begin; 2 wrong arguments;
130 stopped."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from labs_helpers.buildspec import Build, Buildspec, BuildspecError, Log, Settings, read
from labs_helpers.buildspec.build import unreadable
from labs_helpers.buildspec.problems import Problem
from labs_helpers.buildspec.result import Result
from labs_helpers.buildspec.scratch import scratch
from labs_helpers.buildspec.variables import Identity, user
from labs_helpers.cli import clients
from labs_helpers.engine import process as engine_process
from labs_helpers.files import LabsError
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.workspace import Workspace

EXAMPLES = (
    "labs build",
    "labs build --check",
    "labs build --source app --buildspec ci/release.yml --env STAGE=test",
)
_CODES = {"SUCCEEDED": 0, "FAILED": 1, "STOPPED": 130}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--source, --buildspec, --artifacts, --env, --check."""
    parser.add_argument(
        "--source", default=".", type=Path, metavar="DIR", help="the source (default: this folder)"
    )
    parser.add_argument(
        "--buildspec",
        default="buildspec.yml",
        metavar="FILE",
        help="path within the source (default buildspec.yml)",
    )
    parser.add_argument(
        "--artifacts",
        type=Path,
        metavar="DIR",
        help="where artifacts go (default: artifacts/ in the source)",
    )
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        type=_variable,
        metavar="NAME=VALUE",
        help="a variable, stronger than one of the buildspec; may be repeated",
    )
    parser.add_argument("--check", action="store_true", help="read the buildspec and run nothing")


def run(arguments: argparse.Namespace) -> int:
    """Run the build and print its log; the exit code says how the build ended."""
    source = arguments.source.resolve()
    destination = (arguments.artifacts or source / "artifacts").resolve()
    if source.is_relative_to(destination):
        raise LabsError(
            f"{destination} holds the source, and artifacts would mix with it. Name another folder "
            "with --artifacts."
        )
    workspace = Workspace.find()
    log = Log(_print, clients.clock(workspace))
    try:
        spec = read(_text(source, arguments.buildspec))
    except BuildspecError as error:
        if not arguments.check:
            unreadable(error, log)
        log.labs("\n".join(f"{arguments.buildspec}: {line}" for line in str(error).splitlines()))
        return 1
    if arguments.check:
        log.labs(f"{arguments.buildspec}: {_counted(spec)}")
        return 0
    clients.aim(workspace)
    with scratch(workspace.home / "builds") as folder:
        settings = Settings(
            source=source,
            scratch=folder,
            destination=destination,
            environment=dict(os.environ),
            client=_client,
            overrides=dict(arguments.env),
            identity=_identity(),
            leave_out=(destination, workspace.home),
            keep=_is_a_server,
            buildspec=arguments.buildspec,
        )
        build = Build(spec, settings, log)
        with _stopping(build):
            result = build.run()
    for line in _ending(result, destination):
        print(line, file=sys.stdout if result.status == "SUCCEEDED" else sys.stderr)
    return _CODES[result.status]


@contextmanager
def _stopping(build: Build) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the build, and the log says so."""
    before = {
        number: signal.signal(number, lambda *_: build.stop())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or not name.isascii():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _text(source: Path, name: str) -> bytes:
    """The buildspec. Raises BuildspecError where there is none, LabsError for one elsewhere."""
    if not (source / name).resolve().is_relative_to(source):
        raise LabsError(
            f"--buildspec {name} is not within the source, {source}. Name a file within the "
            "source, or name the folder that holds the file with --source."
        )
    try:
        return (source / name).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        what, advice = f"there is no file {name} in {source}", "Name the file with --buildspec."
        raise BuildspecError([Problem(0, "", what, advice, "YAML file does not exist")]) from None


def _counted(spec: Buildspec) -> str:
    commands = sum(len(phase.commands) + len(phase.last) for phase in spec.phases.values())
    words = [f"{len(spec.phases)} phases, {commands} commands, nothing is wrong"]
    return "\n".join([*words, *map(str, spec.not_done)])


def _identity() -> Identity:
    import boto3

    own = Workspace.find().own_names
    region = boto3.Session().region_name or own.region
    return Identity(account=own.account, region=region, initiator=user())


def _is_a_server(command_line: Sequence[str]) -> bool:
    """Whether this is the sandbox or the engine, which `labs start` in a build may have started."""
    servers = (sandbox_process.MODULE, engine_process.MODULE)
    return any(option == "-m" and module in servers for option, module in pairwise(command_line))


def _client(service: str) -> Any:
    import boto3

    return boto3.Session().client(service)


def _ending(result: Result, destination: Path) -> list[str]:
    words = [f"the build {result.status}"]
    shown = os.path.relpath(destination)
    words += [f"artifact {shown}/{path.as_posix()}" for path in result.artifacts]
    if not result.artifacts and destination.is_dir() and any(destination.iterdir()):
        words.append(f"what is in {shown} is not of this build")
    return words


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
