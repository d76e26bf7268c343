"""What a command shows while it starts the servers: nothing where all of them run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from labs_helpers import servers
from labs_helpers.cli.terminal import say, working
from labs_helpers.workspace import Workspace


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
