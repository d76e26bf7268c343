"""List what the labs made in your account, and delete it.

Without --delete nothing is changed: the list says what is there under the names that the labs use,
whether the labs made it, and what it costs while it stays. With --delete, what the labs made is
deleted in the order that AWS wants, after you agreed. What the labs did not make stays, whatever
its name is. The exit code is 1 when something of the labs is left."""

from __future__ import annotations

import argparse
import os
import sys

import boto3

from labs_helpers import aws_session, modes, servers
from labs_helpers.clean_up.delete import Remains, delete
from labs_helpers.clean_up.found import Survey, Thing, survey
from labs_helpers.cli.start import starting
from labs_helpers.cli.terminal import say, table, working
from labs_helpers.control_client import Control
from labs_helpers.files import LabsError
from labs_helpers.prepare import Place
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs clean-up", "labs clean-up --delete", "labs clean-up --delete --agree ACCOUNT")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--delete, --agree, --sandbox."""
    parser.add_argument("--delete", action="store_true", help="delete what the labs made")
    parser.add_argument("--agree", metavar="ACCOUNT", help="agree without being asked")
    parser.add_argument(
        "--sandbox", action="store_true", help="in the sandbox, also after labs lab --aws"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the list; delete when asked to. 1 when something of the labs is left."""
    place = find(Workspace.find(), arguments.sandbox)
    with working(f"Looking at account {place.account} in {place.region} ..."):
        found = survey(place)
    show(found)
    ours = [thing for thing in found.things if thing.ours]
    if not arguments.delete:
        if ours:
            say("Nothing was changed. To delete what the labs made: labs clean-up --delete")
        return 1 if ours or found.unread else 0
    if ours and not _agreed(place, len(ours), arguments.agree):
        say(f"Nothing was changed: you agree with the account's number, {place.account}.")
        return 1
    remains = delete(place, ours, print)
    for one in remains:
        print(f"{one.thing} could not be deleted, and {one.thing.costs}: {one.reason}")
    return _end(remains, found)


def find(workspace: Workspace, in_sandbox: bool = False) -> Place:
    """Where to clean up: the account agreed to, or the sandbox. Raises LabsError."""
    on_aws = aws_session.workspace_of(workspace)
    session = None if in_sandbox else aws_session.agreed(on_aws)
    if session is None:
        if not in_sandbox and modes.mode(workspace) == modes.AWS:
            raise LabsError(aws_session.NOT_AGREED)
        return _sandbox(workspace)
    environ = {**os.environ, "LABS_MODE": modes.AWS}
    given = modes.environment(on_aws, 0, environ).applied(environ)
    os.environ.clear()
    os.environ.update(given)
    account = boto3.client("sts").get_caller_identity()["Account"]
    if account != session.account:
        raise LabsError(
            f"Your credentials are of account {account} now; the labs worked in {session.account}."
            "\nNothing was changed. Log in to that account and try again."
        )
    return Place(on_aws, modes.AWS, account, session.region)


def _sandbox(workspace: Workspace) -> Place:
    with starting(workspace) as between:
        port = servers.start(workspace, between).sandbox.port
    given = modes.environment(workspace, port).applied(os.environ)
    os.environ.clear()
    os.environ.update(given)
    names = workspace.own_names
    return Place(workspace, modes.SANDBOX, names.account, names.region, Control(workspace))


def show(found: Survey) -> None:
    """Print what was found: a table, then the kinds that could not be looked at."""
    if found.things:
        rows = [(thing.kind, thing.name, *_told(thing)) for thing in found.things]
        table(("kind", "name", "the labs'", "because", "while it stays"), rows)
    else:
        print("Nothing is there under any name that the labs use.")
    for kind, reason in found.unread:
        print(f"Not looked at: every {kind}. {reason}")


def _told(thing: Thing) -> tuple[str, str, str]:
    return ("yes", thing.why, thing.costs) if thing.ours else ("no, stays", thing.why, "")


def _agreed(place: Place, number: int, agreed: str | None) -> bool:
    if agreed is None and sys.stdin.isatty():
        asked = f"To delete these {number} for good, type the account's number ({place.account}): "
        try:
            agreed = input(asked).strip()
        except EOFError:  # Ctrl-D
            agreed = ""
    if agreed is None:
        say(f"There is no terminal to ask on: labs clean-up --delete --agree {place.account}")
    return agreed == place.account


def _end(remains: list[Remains], found: Survey) -> int:
    if remains or found.unread:
        say("Something is left, or could not be looked at: run labs clean-up again later.")
        return 1
    print("Nothing of the labs is left.")
    return 0
