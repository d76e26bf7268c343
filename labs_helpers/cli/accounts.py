"""List the AWS accounts of the sandbox, add some, or restore your own.

An account that you add has one user, admin, who may do everything there. With --profile, its key
is written into .labs/aws/ as a profile (never ~/.aws), for `aws --profile NAME`. `restore` gives
your own user its key and AdministratorAccess back when you have locked yourself out."""

from __future__ import annotations

import argparse
import json
from typing import Any

from labs_helpers import servers
from labs_helpers.cli.configure import configure
from labs_helpers.cli.start import starting
from labs_helpers.cli.terminal import columns, say, table
from labs_helpers.control_client import Control
from labs_helpers.defaults import SANDBOX_DOWN
from labs_helpers.files import LabsError
from labs_helpers.modes import AWS, mode
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace

EXAMPLES = (
    "labs accounts",
    "labs accounts add 210987654321 --profile partner",
    "labs accounts restore",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """list | add ACCOUNT [--user NAME] [--profile NAME] | restore."""
    parser.add_argument("what", nargs="?", choices=("list", "add", "restore"), default="list")
    parser.add_argument("account", nargs="?", metavar="ACCOUNT", help="12 digits, for add")
    parser.add_argument("--user", default="admin", help="the first user's name (default: admin)")
    parser.add_argument("--profile", metavar="NAME", help="write the key as this AWS profile")
    parser.add_argument("--json", action="store_true", help="as JSON, with the keys")


def run(arguments: argparse.Namespace) -> int:
    """Ask the sandbox. To list accounts starts nothing; to add or restore one starts the sandbox.

    Raises LabsError for a list while no sandbox runs.
    """
    workspace = Workspace.find()
    if mode(workspace) == AWS:
        raise LabsError("LABS_MODE is aws: accounts of AWS are made in AWS Organizations.")
    _check(arguments)
    server = process.running(workspace)
    if arguments.what == "list":
        if server is None:
            raise LabsError(SANDBOX_DOWN)
        control = Control(workspace)
        return _list(control.ask("GET", "accounts")["accounts"], arguments.json)
    with starting(workspace) as between:
        servers.start(workspace, between)
    control = Control(workspace)
    if server is None:
        say("The sandbox was not running, and runs now; labs stop stops it.")
    if arguments.what == "restore":
        made = control.ask("POST", "accounts", {"account": workspace.remembered()["account"]})
        print(f"User {made['user']} of account {made['account']} may do everything again.")
        return 0
    made = _add(control, arguments)
    if arguments.profile:
        configure(workspace, arguments.profile, key=made)
    if arguments.json:
        print(json.dumps([made], indent=2))
    else:
        columns(_rows(made, arguments.profile))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    adds, one = arguments.what == "add", arguments.account
    if adds and not one:
        raise LabsError("Say which account: labs accounts add 210987654321")
    if one and not adds:
        raise LabsError(f"labs accounts {arguments.what} takes no account.")


def _add(control: Control, arguments: argparse.Namespace) -> dict[str, str]:
    """The keys of the named account, which is made if it is missing."""
    body = {"accounts": [{"account": arguments.account, "user": arguments.user}]}
    found: list[dict[str, str]] = control.ask("POST", "accounts", body)["accounts"]
    return found[0]


def _list(found: list[dict[str, Any]], as_json: bool) -> int:
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        rows = [
            (one["account"], str(one["users"]), "your own" if one["learner"] else "")
            for one in found
        ]
        table(("account", "users", ""), rows)
    return 0


def _rows(made: dict[str, str], profile: str | None) -> list[tuple[str, str]]:
    shown = [
        ("account", made["account"]),
        ("user", made["user"]),
        ("AWS Access Key ID", made["access_key_id"]),
        ("AWS Secret Access Key", made["secret_access_key"]),
    ]
    return [*shown, ("profile", profile)] if profile else shown
