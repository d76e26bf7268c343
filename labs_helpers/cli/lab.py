"""Open your workbook in JupyterLab, with the sandbox and the engine running.

The workbook is the folder my-labs/ with your own copy of every lab, or the folder that
LABS_WORKBOOK names. It is laid out the first time, and brought up to date after that: what you
wrote stays. It opens where you worked last. While it is open, a second `labs lab` prints the
address of the first. JupyterLab's terminals and notebooks have the labs' environment. Arguments
that `labs lab` does not know go to `jupyter lab`. Ctrl-C ends JupyterLab, and with it
the sandbox and the engine that `labs lab` has started; what `labs start` started runs until `labs
stop`. What you made is kept.

With --aws, the labs work in an AWS account of yours instead of the sandbox. The command shows the
account, the region, who you are, what you may do and what the labs may cost, and asks once. Nothing
is made before you run a cell that makes it; `labs clean-up` deletes what the labs made."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from labs_helpers import aws_session, modes, servers
from labs_helpers.cli.terminal import say, working
from labs_helpers.curriculum import LABS
from labs_helpers.files import LabsError
from labs_helpers.jupyter import folders, launch, running
from labs_helpers.learners_copy import opening, place
from labs_helpers.learners_copy.layout import in_workbook
from labs_helpers.progress.journal import Journal
from labs_helpers.runtime import lifetime
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace

EXAMPLES = ("labs lab", "labs lab --no-browser --port 8890", "labs lab --aws --profile training")
PASSES_ON = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--aws and what belongs to it."""
    aws = parser.add_argument_group("in an AWS account of yours")
    aws.add_argument("--aws", action="store_true", help="work there, after asking you once")
    aws.add_argument("--profile", help="your AWS profile (default: the one that aws uses)")
    aws.add_argument("--region", help="the region for the labs (default: your profile's)")
    aws.add_argument("--partner-profile", help="your profile of a second account, for lab 02")
    aws.add_argument("--agree", metavar="ACCOUNT", help="agree without being asked")
    aws.add_argument("--even-as-root", action="store_true", help="also with keys of the root user")
    aws.add_argument(
        "--even-in-management-account",
        action="store_true",
        help="also in the management account of an organisation",
    )


def run(arguments: argparse.Namespace) -> int:
    """Start the servers and become JupyterLab, which prints its URL; does not return then.

    0 when a JupyterLab has the workbook open already.
    """
    workspace = Workspace.find()
    command = jupyter(arguments.extra)
    if arguments.aws:
        workspace = _on_aws(workspace, arguments)
    workspace.create()
    folders.place(workspace)
    added = {lifetime.ENDS_WITH: lifetime.JUPYTER}
    workbook: Path | None = None
    if names_no_folder(arguments.extra):
        if there := running.address(place.folder(workspace), workspace):
            say("Your workbook is open already, in the JupyterLab at this address:")
            print(there)
            return 0
        workbook = opening.up_to_date(workspace, say)
        command.append(f"--ServerApp.root_dir={workbook}")
        command += begins_at(workspace, workbook, arguments.extra)
        say(f"Your workbook is {workbook}")
        # terminals open in the workbook itself, which the ceilings of all shells do not cover
        added |= modes.with_ceilings(os.environ, [str(workbook.parent)])
    lifetime.note_jupyter(workspace.home, os.getpid())
    if modes.mode(workspace) == modes.AWS:
        session = aws_session.required(workspace)
        say(f"What the notebooks do happens in your AWS account {session.account}.")
        port = process.wanted_port(workspace, os.environ)
    else:
        with working("Starting the sandbox and the engine ...") as between:
            port = servers.start(workspace, between, {**os.environ, **added}).sandbox.port
        say(f"The sandbox runs at {modes.endpoint(port)}. JupyterLab starts; Ctrl-C ends it.")
    environ = {**os.environ, **added}
    given = modes.environment(workspace, port, environ).applied(environ)
    if workbook is not None:
        os.chdir(workbook)  # where the menu opens terminals
    return os.execve(command[0], command, {**given, **folders.environment(workspace)})


def _on_aws(workspace: Workspace, arguments: argparse.Namespace) -> Workspace:
    """Ask for the agreement; this process then works in AWS mode, in the workspace returned."""
    from labs_helpers.cli.on_aws import agree  # boto3 takes half a second

    place = agree(
        workspace,
        arguments.profile,
        arguments.region,
        arguments.partner_profile,
        arguments.agree,
        arguments.even_as_root,
        arguments.even_in_management_account,
    )
    os.environ.update(LABS_MODE=modes.AWS, LABS_HOME=str(place.home))
    return place


def jupyter(extra: Sequence[str]) -> list[str]:
    """JupyterLab's command line; raises LabsError when JupyterLab is not installed."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise LabsError(
            f"JupyterLab is not installed for {sys.executable}.\n"
            "Run `make lab`, which makes an environment with everything that the labs need."
        )
    command = [*launch.JUPYTERLAB, *extra]
    if os.geteuid() == 0:
        # in a container the user often is root, which Jupyter refuses without this option
        command.append("--allow-root")
    return command


def begins_at(workspace: Workspace, workbook: Path, extra: Sequence[str]) -> list[str]:
    """The option by which JupyterLab opens the lab that the learner worked in last, if any."""
    if any(argument.startswith("--LabApp.default_url") for argument in extra):
        return []
    path = last_lab(workspace, workbook)
    return [f"--LabApp.default_url=/lab/tree/{path}"] if path else []


def last_lab(workspace: Workspace, workbook: Path) -> str:
    """The notebook that the learner worked in last, as a path in the workbook; "" for none."""
    events = Journal(workspace).events()
    if not events or events[-1].lab not in LABS:
        return ""
    last = LABS[events[-1].lab]
    path = in_workbook(last, last.notebook)
    return str(path) if (workbook / path).is_file() else ""


def names_no_folder(extra: Sequence[str]) -> bool:
    """Whether the arguments for JupyterLab leave the folder to the labs."""
    named = ("--ServerApp.root_dir", "--notebook-dir")
    return not any(argument.startswith(named) for argument in extra)
