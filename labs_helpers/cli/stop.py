"""Stop the sandbox, the engine and the runner. Their state is kept for the next start."""

from __future__ import annotations

import argparse

from labs_helpers import servers
from labs_helpers.cli.terminal import working
from labs_helpers.workspace import Workspace

STOPPED = "Stopped. What you made in every service is kept, and so are your images and your files."

EXAMPLES = ("labs stop",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Stop them. That none runs is no error."""
    with working("Stopping ...") as between:
        stopped = servers.stop(Workspace.find(), between)
    print(STOPPED if stopped else "Nothing was running.")
    return 0
