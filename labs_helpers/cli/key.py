"""Print your access key in the sandbox: what `aws configure` asks for in lab 01.

The key was made at random at the first start of this sandbox, and opens nothing else."""

from __future__ import annotations

import argparse
import json

from labs_helpers import servers
from labs_helpers.cli.terminal import columns, working
from labs_helpers.files import LabsError, read_json
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs key", "labs key --json")
FIELDS = ("access_key_id", "secret_access_key")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the key's two parts. Starts the sandbox when there is no key yet."""
    found = learner_key(Workspace.find())
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        columns(
            [
                ("AWS Access Key ID", found["access_key_id"]),
                ("AWS Secret Access Key", found["secret_access_key"]),
            ]
        )
    return 0


def learner_key(workspace: Workspace) -> dict[str, str]:
    """The learner's ``access_key_id`` and ``secret_access_key``; the first start makes them."""
    if not workspace.learner.exists():
        with working("Starting the sandbox and the engine ...") as between:
            servers.start(workspace, between)
    found = read_json(workspace.learner)
    if not all(isinstance(found.get(field), str) for field in FIELDS):
        raise LabsError(
            f"{workspace.learner} has no access key in it.\n"
            "Stop and start the sandbox to have one made: labs stop && labs start"
        )
    return {field: found[field] for field in FIELDS}
