"""How a lab opens: servers and environment in the sandbox, the learner's account on AWS."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import boto3

from labs_helpers import aws_session, kernel, left_out, modes, on_aws, reconnecting, servers
from labs_helpers.control_client import Control
from labs_helpers.curriculum import LABS
from labs_helpers.defaults import FRESH_START
from labs_helpers.errors import LabError, spoken
from labs_helpers.lab import YOUR_DOCKER, Lab
from labs_helpers.notebook_output import display, progress
from labs_helpers.prepare import Place, beginning
from labs_helpers.prepare.record import Record
from labs_helpers.progress.journal import Journal
from labs_helpers.runtime import aws_models
from labs_helpers.workspace import WORKS_IN, Workspace

ROOM = 50_000_000
"""Bytes of free disk below which a lab may not run to its end; all labs together take 120 MB."""
STARTED_AGAIN = "the sandbox was stopped and has started again, with what you made"


@spoken
def start(number: str, fresh: bool = False) -> Lab:
    """Open lab ``number``, such as "05": the world it needs, and the card that says so.

    In the sandbox, starts sandbox and engine where they are not running. The first time, prepares
    the lab's beginning; the card says what that removed. After that, leaves everything as it is,
    unless ``fresh`` asks for the beginning again, as ``lab.restart`` does. On AWS nothing is made
    or deleted before ``lab.prepare``.

    The kernel's environment becomes the lab's, and its folder the lab's folder in the workbook, or
    ``.labs/work/<number>`` for a notebook that is not in a workbook, with the learner's copies of
    the lab's files. Raises :class:`LabError` saying what is wrong and what to
    do.
    """
    if number not in LABS:
        raise LabError(f"There is no lab {number!r}. There are: {', '.join(LABS)}.")
    by_program = _is_run_by_a_program()
    aws_models.share(documentation=True)  # a learner may ask a client for help
    workspace = Workspace.find()
    journal = None if by_program else Journal(workspace)
    kernel.install(number, journal)
    reconnecting.install(workspace)
    if modes.mode(workspace) == modes.AWS:
        place = _place_on_aws(workspace)
        lab = Lab(LABS[number], place, journal=journal)
        lab.note("opened")
        _enter(workspace, number)
        if fresh:
            lab.restart()  # which says what to use on AWS
        on_aws.mark_cells(place, number)
        _help_after_failures(number, place)
        display(beginning.card_of(lab.title, place, YOUR_DOCKER, notes=on_aws.notes(place, number)))
        return lab
    place, engine, notes = _place_in_sandbox(workspace)
    lab = Lab(LABS[number], place, engine, journal)
    lab.note("opened")
    found = Record(workspace).entry(number)
    _enter(workspace, number)
    with progress("Looking at what is there ...") as say:
        if by_program:
            begun = beginning.make(number, place)
        elif fresh:
            begun = beginning.start_over(number, place, say)
        else:
            begun = beginning.go_on(number, place, found, say)
    if not by_program:
        _help_after_failures(number, place)
    if begun.facts is not None:
        lab.trace(clear=True)  # what the preparation sent is not the lesson
    if by_program:  # what ran before is not in the outputs
        begun = replace(begun, removed=())
    else:
        so_far = lab.so_far() if begun.facts is None else ""
        begun = replace(begun, notes=(*notes, *begun.notes), so_far=so_far)
    display(beginning.card_of(lab.title, place, engine, begun))
    return lab


def _help_after_failures(number: str, place: Place) -> None:
    """Below a cell of the lab that fails, name what the cell misses and what to run for it."""
    notebook = place.workspace.notebooks / LABS[number].notebook

    def advice(cell: str) -> list[str]:
        cells = left_out.cells_of_the_lab(notebook, place.files / number)
        if cell not in [one.id for one in cells]:
            return []
        gone = beginning.what_is_gone(number, place)
        files = left_out.files_left_out(cell, cells, place.workspace.work(number))
        return [*files, *([gone] if gone else [])]

    kernel.help_after_failures(advice)


def _is_run_by_a_program() -> bool:
    wanted = os.environ.get("LABS_START", "")
    if wanted not in ("", *FRESH_START.values()):
        raise LabError(f"LABS_START is {wanted!r}. It can be 'fresh', or not set.")
    return bool(wanted)


def _place_in_sandbox(workspace: Workspace) -> tuple[Place, str, tuple[str, ...]]:
    """The place of the labs in the sandbox, and what the card says of engine and sandbox."""
    with progress("Starting the sandbox and the engine ...") as say:
        found = servers.start(workspace, say)
    port = found.sandbox.port
    _apply(modes.environment(workspace, port))
    choices = workspace.remembered()
    account, region = str(choices["account"]), str(choices["region"])
    control = Control(workspace)
    place = Place(workspace, modes.SANDBOX, account, region, control)
    notes = ((STARTED_AGAIN,) if found.started_again else ()) + control.notes()
    notes += (found.note,) if found.note else ()
    notes += room(workspace)
    return place, found.engine.choice.description, notes


def room(workspace: Workspace) -> tuple[str, ...]:
    """What the card says of a disk without room for the next lab; nothing of one with room."""
    free = shutil.disk_usage(workspace.home).free
    if free >= ROOM:
        return ()
    return (
        f"the disk of {workspace.home} is full but for {free / 1e6:.0f} MB: what needs more is "
        "refused, and what you made is kept. Free some space; on a hub, tell your instructor",
    )


def _place_on_aws(workspace: Workspace) -> Place:
    """Raises LabsError where the learner has not agreed, or agreed to another account."""
    session = aws_session.required(workspace)
    _apply(modes.environment(workspace, 0))
    workspace.create()
    account = boto3.client("sts").get_caller_identity()["Account"]
    if account != session.account:
        raise LabError(
            f"Your credentials are of account {account} now, and you agreed that the labs work in "
            f"{session.account}. Nothing was done. To work in {account}, in a terminal:\n"
            "  labs lab --aws"
        )
    return Place(workspace, modes.AWS, account, session.region)


def _apply(environment: modes.Environment) -> None:
    for name in environment.unset:
        os.environ.pop(name, None)
    os.environ.update(environment.set)
    # boto3 keeps the session it made under the earlier environment
    boto3.DEFAULT_SESSION = None


def _enter(workspace: Workspace, number: str) -> None:
    """Make the lab's work folder the kernel's, with the files that are not there yet."""
    work = workspace.enter(number)
    files = workspace.notebooks / "files" / number
    for file in sorted(files.rglob("*")) if files.is_dir() else ():
        copy = work / file.relative_to(files)
        if file.is_file() and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
            copy.write_bytes(workspace.own_names.in_file(file.read_bytes()))
    if workspace.workbook is not None:
        # a kernel whose folder a cell changes (%cd) still belongs to the workbook
        os.environ[WORKS_IN] = str(workspace.workbook)
    os.chdir(work)
