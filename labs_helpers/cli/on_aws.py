"""The agreement of `labs lab --aws`: account, region, caller and rights, rough cost; asked once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers import aws_caller, aws_session, modes
from labs_helpers.aws_caller import Caller
from labs_helpers.aws_session import Session
from labs_helpers.cli.terminal import columns, say
from labs_helpers.files import LabsError
from labs_helpers.own_names import regions
from labs_helpers.prepare import prices
from labs_helpers.runtime.shims import place_aws_on_aws
from labs_helpers.workspace import Workspace


def agree(
    workspace: Workspace,
    profile: str | None = None,
    region: str | None = None,
    partner_profile: str | None = None,
    agreed_account: str | None = None,
    even_root: bool = False,
    even_management: bool = False,
) -> Workspace:
    """Ask whether the labs may work in the learner's AWS account; the workspace for that.

    Asks once for each account, region and caller, on the terminal, unless ``agreed_account`` is the
    account's number. Keeps nothing secret. Raises LabsError for a no, for keys of the root user,
    and for an organisation's management account.
    """
    place = aws_session.workspace_of(workspace)
    own = _own_environment(workspace)
    known = aws_session.agreed(place)
    if known is not None:  # what was named the first time holds until something else is named
        profile, region = profile or known.profile, region or known.region
        partner_profile = partner_profile or known.partner_profile
    os.environ.clear()
    os.environ.update(own)
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
    except Exception as error:
        raise LabsError(f"Your AWS profile {profile or ''} cannot be used: {error}") from error
    caller = aws_caller.look(session)
    if caller.region not in regions():
        raise LabsError(
            f"The labs are written for the partition aws; {caller.region} is not in it."
        )
    aws_caller.refuse(caller, even_root, even_management)
    endpoint = session.client("sts").meta.endpoint_url
    made = Session(
        name=known.name if known else f"labs-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        account=caller.account,
        region=caller.region,
        caller=caller.arn,
        profile=profile or own.get("AWS_PROFILE") or own.get("AWS_DEFAULT_PROFILE"),
        files={"HOME": str(Path.home()), **aws_session.own_files(own)},
        docker_host=_docker_host(own),
        endpoint_url=None if ".amazonaws.com" in endpoint else endpoint,
        partner_profile=partner_profile,
        partner_account=_partner(partner_profile, caller) if partner_profile else None,
    )
    if known is None or _who(known) != _who(made):
        _ask(workspace, caller, made, agreed_account)
    aws_session.keep(place, made, _docker_settings(own))
    place_aws_on_aws(place)
    return place


def _partner(profile: str, caller: Caller) -> str:
    """The account of a profile, which plays the partner's. Raises LabsError for the same account.

    Lab 02 lets this account pull: the number in the lesson is of a stranger.
    """
    try:
        session = boto3.Session(profile_name=profile, region_name=caller.region)
        account = str(session.client("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise LabsError(f"Your profile {profile} for the second account: {error}") from error
    if account == caller.account:
        raise LabsError(
            f"The profile {profile} is of account {account}, in which the labs work. The partner's "
            "part of lab 02 needs a second account of yours, or is left out."
        )
    return account


def _who(session: Session) -> tuple[str, str, str]:
    return session.account, session.region, session.caller


def _own_environment(workspace: Workspace) -> dict[str, str]:
    """The learner's own environment, also in a terminal of the labs."""
    environ = {**os.environ, "LABS_MODE": modes.AWS}
    own = modes.environment(workspace, 0, environ).applied(environ)
    if environ.get("AWS_CONFIG_FILE") != own.get("AWS_CONFIG_FILE"):
        own.pop("AWS_PAGER", None)
    return own


def _ask(workspace: Workspace, caller: Caller, session: Session, agreed: str | None) -> None:
    """Show what the agreement is about, and raise LabsError unless the learner agrees."""
    columns(_facts(workspace, caller, session))
    if agreed is None and sys.stdin.isatty():
        try:
            agreed = input(f"If you agree, type the account's number ({caller.account}): ").strip()
        except EOFError:  # Ctrl-D
            agreed = ""
    if agreed != caller.account:
        raise LabsError(
            "Nothing was changed. The labs work in your AWS account once you have typed its "
            f"number, or with:  labs lab --aws --agree {caller.account}"
        )


def _facts(workspace: Workspace, caller: Caller, session: Session) -> list[tuple[str, str]]:
    rights = "all kinds of things that the labs make"
    if caller.lacking is None:
        rights = "not known"
    elif caller.lacking:
        rights = f"NOT allowed: {', '.join(caller.lacking)}; labs that need them will be refused"
    if caller.is_root:
        rights = "the root user: everything, without any limit"
    return [
        ("account", f"{caller.account}, a real one: what the labs make there can cost money"),
        ("region", caller.region),
        ("you are", caller.arn),
        ("your rights", rights),
        ("rough cost", _cost(workspace)),
        (
            "what is made",
            f"only by cells that you run; it gets the tag labs:session={session.name}",
        ),
        ("take it back", "labs clean-up lists what the labs made, and deletes it"),
        ("stay as they are", "your AWS profiles, your default region, your Docker logins"),
        (
            "second account",
            f"{session.partner_account}, by your profile {session.partner_profile}"
            if session.partner_account
            else "none: those parts of lab 02 are left out",
        ),
        *(("not known", doubt) for doubt in caller.doubts),
    ]


def _cost(workspace: Workspace) -> str:
    """The month's price of the labs' images, the hour's of a task, and what is not in them."""
    month, hour = prices.images_month(workspace), prices.task_hour(workspace)
    return (
        f"about {month:.2f} USD a month for {prices.IMAGES_GB} GB of images that stay, less when "
        f"you clean up on the same day. Labs 09 to 14 run tasks: about {hour:.3f} USD an hour for "
        "each, with its public address, until you clean up. Enhanced scanning (lab 08), a load "
        "balancer (lab 12), and builds and minutes of a pipeline beyond the free ones (labs 09, 11 "
        "and 13) cost extra, and AWS's bill counts, not these lines"
    )


def _docker_host(environ: Mapping[str, str]) -> str | None:
    """The address of the learner's Docker: DOCKER_HOST, or that of the current context.

    The labs' own DOCKER_CONFIG has no contexts:
    https://docs.docker.com/engine/manage-resources/contexts/
    """
    if host := environ.get("DOCKER_HOST"):
        return host
    docker = shutil.which("docker", path=environ.get("PATH"))
    if docker is None:
        say("There is no docker command here: labs that build, push or pull will not work.")
        return None
    asked = [docker, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    ran = subprocess.run(asked, env=dict(environ), capture_output=True, text=True, check=False)
    return ran.stdout.strip() or None if ran.returncode == 0 else None


def _docker_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the labs' Docker configuration takes over: plugins and proxies, and no login.

    https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties
    """
    folder = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    kept = {name: found[name] for name in ("proxies",) if name in found}
    plugins = [str(folder / "cli-plugins"), *found.get("cliPluginsExtraDirs", [])]
    return {**kept, "cliPluginsExtraDirs": plugins}
