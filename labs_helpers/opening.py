"""How a lab opens: servers and environment in the sandbox, the learner's account on AWS."""

from __future__ import annotations

import os
import shutil

import boto3

from labs_helpers import modes, prepare, servers
from labs_helpers.cell import display
from labs_helpers.control import Control
from labs_helpers.lab import Lab, card_of
from labs_helpers.names import REGION, TITLES, registry
from labs_helpers.speech import LabError, spoken
from labs_helpers.workspace import Workspace


@spoken
def start(number: str) -> Lab:
    """Open lab ``number`` ("00" to "10"): the world it needs, and the card that says so.

    In the sandbox, starts sandbox and engine where they are not running and prepares the lab's
    beginning. On AWS nothing is made or deleted before ``lab.prepare``. The kernel's environment
    becomes the lab's, and its folder ``.labs/work/<number>`` with the learner's copies of the
    lab's files. Raises :class:`LabError` saying what is wrong and what to do.
    """
    if number not in TITLES:
        raise LabError(f"There is no lab {number!r}. There are: {', '.join(TITLES)}.")
    workspace = Workspace.find()
    mode = modes.mode(workspace)
    lab = _open_aws(number, workspace) if mode == modes.AWS else _open_sandbox(number, workspace)
    _enter(workspace, number)
    if mode == modes.SANDBOX:
        lab.prepare()
        lab.trace(clear=True)  # what the preparation sent is not the lesson
    display(card_of(lab))
    return lab


def _open_sandbox(number: str, workspace: Workspace) -> Lab:
    found = servers.start(workspace)
    port = found.sandbox.port
    _apply(modes.environment(workspace, port))
    choices = workspace.remembered()
    account, region = str(choices["account"]), str(choices["region"])
    control = Control(workspace, port)
    place = prepare.Place(workspace, modes.SANDBOX, account, region, control)
    return Lab(TITLES[number], place, found.engine.choice.description)


def _open_aws(number: str, workspace: Workspace) -> Lab:
    _apply(modes.environment(workspace, 0))
    workspace.create()
    account = boto3.client("sts").get_caller_identity()["Account"]
    region = boto3.Session().region_name or REGION
    given = {"ACCOUNT": account, "REGISTRY": registry(account, region)}
    _apply(modes.Environment(given, ()))
    return Lab(TITLES[number], prepare.Place(workspace, modes.AWS, account, region))


def _apply(environment: modes.Environment) -> None:
    for name in environment.unset:
        os.environ.pop(name, None)
    os.environ.update(environment.set)
    # boto3 keeps the session it made under the earlier environment
    boto3.DEFAULT_SESSION = None


def _enter(workspace: Workspace, number: str) -> None:
    """Make the lab's work folder the kernel's, with the files that are not there yet."""
    work = workspace.home / "work" / number
    work.mkdir(parents=True, exist_ok=True)
    files = workspace.notebooks / "files" / number
    for file in sorted(files.rglob("*")) if files.is_dir() else ():
        copy = work / file.relative_to(files)
        if file.is_file() and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    os.chdir(work)
