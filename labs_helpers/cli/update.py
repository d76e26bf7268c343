"""Lay out your workbook, or bring it up to date with this version of the labs, without opening it.

`labs lab` does the same before it opens. Files that you did not change become the new version; what
you wrote stays, and what-changed.md in the workbook says what was done to it."""

from __future__ import annotations

import argparse

from labs_helpers.cli.terminal import say
from labs_helpers.learners_copy import opening
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs update", "LABS_WORKBOOK=~/course labs update")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Print what changed, and the workbook's folder."""
    workspace = Workspace.find().create()
    print(opening.up_to_date(workspace, say))
    return 0
