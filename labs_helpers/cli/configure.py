"""Configure the AWS CLI for the sandbox in one command. Lab 01 teaches how to do this by hand.

Runs `aws configure` with your key of the sandbox, its region and output format json. The files
are .labs/aws/config and .labs/aws/credentials, never ~/.aws; other profiles in them stay.

With --account or --region, you work in an account and a region of your own from then on: lessons,
files, checks and preparations name these. What you made under the earlier names stays, and is
there again when you go back to them."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Mapping

from labs_helpers.cli import own_account
from labs_helpers.cli.key import learner_key
from labs_helpers.cli.terminal import columns, say, working
from labs_helpers.files import LabsError
from labs_helpers.modes import AWS, environment, mode
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace

EXAMPLES = (
    "labs configure",
    "labs configure --profile classroom",
    "labs configure --account 210987654321 --region eu-central-1",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--profile, --account, --region."""
    parser.add_argument("--profile", default="default", help="the profile to write")
    parser.add_argument("--account", metavar="ID", help="work in this account, of 12 digits")
    parser.add_argument("--region", help="work in this region, such as eu-central-1")


def run(arguments: argparse.Namespace) -> int:
    """Write the profile and say what it holds."""
    workspace = Workspace.find()
    if mode(workspace) == AWS:
        raise LabsError(
            "LABS_MODE is aws: your AWS account's own credentials are in use, and the labs do not "
            "touch them.\nConfigure them yourself with: aws configure"
        )
    names = own_account.chosen(workspace, arguments.account, arguments.region)
    if names != workspace.own_names:
        own_account.change(workspace, names, say)
        say("Run the first cell of a notebook that is open again: its names are the earlier ones.")
    key = learner_key(workspace)
    with working("Running aws configure ..."):
        configure(workspace, arguments.profile)
    columns(
        [
            ("profile", arguments.profile),
            ("account", names.account),
            ("access key", key["access_key_id"]),
            ("region", workspace.remembered()["region"]),
            ("output", "json"),
            ("files", f"{workspace.aws_config} and {workspace.aws_credentials.name}"),
        ]
    )
    return 0


def configure(
    workspace: Workspace,
    profile: str = "default",
    environ: Mapping[str, str] | None = None,
    key: Mapping[str, str] | None = None,
) -> None:
    """Answer the four questions of `aws configure`; raises LabsError when there is no `aws`.

    key: ``access_key_id`` and ``secret_access_key``; by default the learner's.
    """
    environ = os.environ if environ is None else environ
    key = learner_key(workspace) if key is None else key
    region = workspace.remembered()["region"]
    server = process.running(workspace)
    port = server.port if server else process.wanted_port(workspace, environ)
    given = environment(workspace, port, environ).applied(environ)
    aws = shutil.which("aws", path=given["PATH"])
    if aws is None:
        raise LabsError(
            "There is no `aws` command. The labs' environment has one: run `make lab` once, and "
            "use .venv/bin/labs; or install the AWS CLI."
        )
    # with --profile default, `aws` would write a second section beside [default]
    named = [] if profile == "default" else ["--profile", profile]
    # a pipe, because every user of the machine can read the arguments of a process
    answers = (key["access_key_id"], key["secret_access_key"], region, "json", "")
    ran = subprocess.run(
        [aws, "configure", *named],
        input="\n".join(answers),
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise LabsError(
            f"`aws configure` ended with code {ran.returncode}:\n{ran.stderr.strip()}\n"
            f"Its files are {workspace.aws_config} and {workspace.aws_credentials}: correct "
            "or remove them, and try again."
        )
