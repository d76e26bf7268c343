"""Start the sandbox and the engine, unless they run already, and wait until both answer."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from labs_helpers import servers
from labs_helpers.cli.terminal import say, working
from labs_helpers.engine.choice import EMBEDDED, NAMES
from labs_helpers.modes import AWS, endpoint, mode
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs start", "LABS_PORT=14566 labs start", "LABS_ENGINE=embedded labs start")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Start both; the last line has the sandbox's address."""
    workspace = Workspace.find()
    if mode(workspace) == AWS:
        say("LABS_MODE is aws: the labs use your AWS account, and there is nothing to start.")
        return 0
    said = []
    with working("Starting the sandbox and the engine ...") as between:

        def tell(line: str) -> None:
            said.append(line)
            between(line)

        found = servers.start(workspace, tell)
    answer = sandbox_process.control_answer(workspace, found.sandbox.port, "status") or {}
    for notice in answer.get("notices", []):
        if notice not in said:  # a sandbox that has just started said so itself
            say(notice)
    choice = found.engine.choice
    if choice.kind != EMBEDDED:
        say(f"Images and containers are in {NAMES[choice.kind]} {choice.version}: {choice.why}.")
    print(f"The sandbox runs at {endpoint(found.sandbox.port)}, the engine beside it.")
    return 0


@contextmanager
def starting(workspace: Workspace) -> Iterator[Callable[[str], None]]:
    """Say that sandbox and engine start, until the block ends, unless all run by their records.

    Yields a function that prints a line meanwhile: a server that runs may not answer.
    """
    if servers.all_run(workspace):
        yield say
        return
    with working("Starting the sandbox and the engine ...") as between:
        yield between
