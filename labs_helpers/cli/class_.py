"""See how a class is doing, and help it.

Learners on one machine or on a hub: --homes /home reads the progress journal in each home, as root
or as a member of the homes' group. Learners with laptops: --inbox FOLDER reads what they sent with
`labs progress --send`, into the folder itself or through --listen. Nothing else of a learner is
read or sent: --show-what-is-sent prints it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from labs_helpers.classroom import acting, handouts, journals, page, sending, server, table
from labs_helpers.classroom.journals import Found
from labs_helpers.classroom.room import Room, room
from labs_helpers.cli.terminal import say
from labs_helpers.files import LabsError, write_text
from labs_helpers.progress.journal import Journal
from labs_helpers.runtime.http_server import PatientServer
from labs_helpers.workspace import Workspace

EXAMPLES = (
    "labs class --homes /home",
    "labs class --homes /home --serve 8770",
    "labs class --inbox room --listen 0.0.0.0:8771",
    "labs class --homes /home --hint 05.1",
    "labs class --homes /home --catch-up alice 05.1",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the learners are, how to show them, and how to help."""
    where = parser.add_argument_group("where the learners are")
    where.add_argument("--homes", type=Path, metavar="FOLDER", help="their homes on this machine")
    where.add_argument("--inbox", type=Path, metavar="FOLDER", help="what their laptops sent")
    shown = parser.add_argument_group("how to show them (default: a table)")
    shown.add_argument("--json", action="store_true", help="as JSON, for programs")
    shown.add_argument("--page", type=Path, metavar="FILE", help="write a page for a browser")
    shown.add_argument("--every", type=int, metavar="SECONDS", help="write --page again and again")
    shown.add_argument("--serve", type=int, metavar="PORT", help="serve the page on this machine")
    laptops = parser.add_argument_group("laptops")
    laptops.add_argument(
        "--listen",
        metavar="[HOST:]PORT",
        help="take what laptops send, into --inbox (default host: 127.0.0.1)",
    )
    laptops.add_argument(
        "--show-what-is-sent", action="store_true", help="print what a laptop would send now"
    )
    help_all = parser.add_argument_group("help all")
    help_all.add_argument("--hint", metavar="05.1", help="hand out a hint")
    help_all.add_argument("--number", type=int, default=1, help="which hint (default: 1)")
    help_all.add_argument("--solution", metavar="05.1", help="hand out a solution")
    help_all.add_argument("--sentence", metavar="TEXT", help="say a sentence to all")
    help_all.add_argument("--take-back", action="store_true", help="take all of these back")
    help_one = parser.add_argument_group("help one learner of --homes, as that person")
    help_one.add_argument(
        "--catch-up", nargs=2, metavar=("NAME", "05.1"), help="do exercises up to this one"
    )
    help_one.add_argument("--reset", metavar="NAME", help="empty the sandbox, keep a snapshot")
    help_one.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--catch-up-here", metavar="05.1", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """0: done; 1: not done, with a message. Raises LabsError."""
    workspace = Workspace.find()
    if arguments.catch_up_here:
        from labs_helpers.cli.for_a_learner import catch_up  # nbclient takes two seconds

        return catch_up(workspace, arguments.catch_up_here)
    if arguments.show_what_is_sent:
        return _show_what_is_sent(workspace)
    if arguments.homes is None and arguments.inbox is None:
        raise LabsError(
            "Where are the learners? On this machine or a hub: labs class --homes /home\n"
            "With laptops: labs class --inbox FOLDER, where they send with labs progress --send"
        )
    if arguments.listen:
        return _listen(arguments.inbox, arguments.listen)
    if arguments.hint or arguments.solution or arguments.sentence or arguments.take_back:
        return _hand_out(workspace, arguments)
    if arguments.catch_up:
        who = acting.person(_found(arguments), arguments.catch_up[0], arguments.homes)
        handouts.wanted(workspace, "solution", arguments.catch_up[1])  # raises for no exercise
        return acting.run(who, "class", "--catch-up-here", arguments.catch_up[1])
    if arguments.reset:
        who = acting.person(_found(arguments), arguments.reset, arguments.homes)
        if not arguments.yes and not _confirmed(who.name):
            say("Nothing was changed.")
            return 1
        return acting.run(who, "reset", "--yes")
    return _show(workspace, arguments)


def _found(arguments: argparse.Namespace) -> list[Found]:
    now = datetime.now(UTC)
    homes = journals.of_homes(arguments.homes, now) if arguments.homes else []
    return [*homes, *(journals.of_inbox(arguments.inbox, now) if arguments.inbox else [])]


def _room(workspace: Workspace, arguments: argparse.Namespace) -> Room:
    return room(workspace, _found(arguments), datetime.now(UTC))


def _show(workspace: Workspace, arguments: argparse.Namespace) -> int:
    if arguments.serve is not None:
        token = server.new_token()
        made = server.pages(token, lambda: page.html(_room(workspace, arguments)))
        serving = server.serving("127.0.0.1", arguments.serve, made)
        print(f"http://127.0.0.1:{serving.bind_addr[1]}/{token}/", flush=True)
        say("Open this address in a browser of this machine. Ctrl-C ends it.")
        return _serve(serving)
    if arguments.page:
        while True:
            write_text(arguments.page, page.html(_room(workspace, arguments)), mode=0o600)
            say(f"Written: {arguments.page}")
            if not arguments.every:
                return 0
            time.sleep(max(1, arguments.every))
    found = _room(workspace, arguments)
    print(json.dumps(found.document(), indent=2) if arguments.json else table.text(found))
    return 0


def _serve(serving: PatientServer) -> int:
    try:
        serving.serve()
    finally:
        serving.stop()
    return 0


def _listen(inbox: Path | None, address: str) -> int:
    if inbox is None:
        raise LabsError("Name the folder for what laptops send: --inbox FOLDER")
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise LabsError(f"{address!r} is no address to listen on. Write 8771 or 0.0.0.0:8771")
    host = host.strip("[]") or "127.0.0.1"
    inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = server.new_token()
    serving = server.serving(host, int(port), server.listener(inbox, token))
    port = str(serving.bind_addr[1])
    named = "THIS-MACHINE" if host in ("0.0.0.0", "::") else host
    print(f"labs progress --send http://{named}:{port}/{token}/ --as NAME", flush=True)
    if host not in ("127.0.0.1", "localhost", "::1"):
        say("Write this machine's name or address for THIS-MACHINE.")
        say("What is sent is not encrypted, and whoever has this line can send.")
    say(f"What arrives is in {inbox}: labs class --inbox {inbox}. Ctrl-C ends it.")
    return _serve(serving)


def _show_what_is_sent(workspace: Workspace) -> int:
    agreed = sending.agreed(workspace) or sending.Agreement("nowhere yet", "NAME", "0" * 32, "")
    events = Journal(workspace).events()
    print(json.dumps(sending.document(agreed, events), indent=2))
    say(f"To: {agreed.to}. Nothing else is sent: no key, no code, no output, no answer.")
    return 0


def _hand_out(workspace: Workspace, arguments: argparse.Namespace) -> int:
    places = [arguments.inbox] if arguments.inbox else []
    if arguments.homes:
        place = handouts.folder(workspace)
        if place is None:
            raise LabsError("There is no project here, so name the class folder in LABS_CLASS.")
        places.append(place)
    given: list[handouts.HandOut] = []
    if arguments.hint:
        given.append(handouts.wanted(workspace, "hint", arguments.hint, arguments.number))
    if arguments.solution:
        given.append(handouts.wanted(workspace, "solution", arguments.solution))
    if arguments.sentence:
        given.append(handouts.sentence(arguments.sentence))
    for place in places:
        if arguments.take_back:
            handouts.write(place, [])
        for one in given:
            handouts.add(place, one)
    print("Taken back." if arguments.take_back else "Handed out: each learner sees it", end="")
    print("" if arguments.take_back else " below the next cell that they run.")
    return 0


def _confirmed(name: str) -> bool:
    """Ask on the terminal; without a terminal the answer is no."""
    if not sys.stdin.isatty():
        say(f"There is no terminal to ask on. If you mean it: labs class ... --reset {name} --yes")
        return False
    say(f"This empties the sandbox of {name}; a snapshot is kept there.")
    return input("Reset it? [y/N] ").strip().lower() in ("y", "yes")
