"""The learner's agreement to work in a real AWS account, and the labs' own files for it.

`labs lab --aws` asks once and keeps the answer in a LABS_HOME of its own, ``.labs/on-aws``. No key
is kept: the labs' profile gets the learner's credentials from the learner's own profile whenever a
client asks (``own_credentials.py``).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from labs_helpers.files import LabsError, read_json, write_json, write_text
from labs_helpers.workspace import Workspace

FOLDER = "on-aws"
OWN_FILES = ("HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
"""Variables that say where the learner's own AWS files are."""

NOT_AGREED = (
    "You have not said yet that the labs may work in your AWS account. Ask for it in a terminal:\n"
    "  labs lab --aws\n"
    "It shows account, region, who you are, and what the labs may cost, and asks once.\n"
    "For the sandbox, which costs nothing: unset LABS_MODE"
)


@dataclass(frozen=True)
class Session:
    """What the learner agreed to.

    ``name`` is the value of the tag ``labs:session``. ``profile`` is the learner's own, None for
    the default one or for keys in the environment. ``files`` are the variables of OWN_FILES as they
    were. ``docker_host`` and ``endpoint_url`` are the learner's Docker and AWS endpoint, where they
    are not the usual ones. ``partner_profile`` is of a second account of the learner's,
    ``partner_account``.
    """

    name: str
    account: str
    region: str
    caller: str
    profile: str | None
    files: Mapping[str, str]
    docker_host: str | None = None
    endpoint_url: str | None = None
    partner_profile: str | None = None
    partner_account: str | None = None


def workspace_of(workspace: Workspace) -> Workspace:
    """The workspace of the labs in AWS mode: the folder ``on-aws`` in the learner's LABS_HOME."""
    if workspace.home.name == FOLDER:
        return workspace
    return replace(workspace, home=workspace.home / FOLDER, workbook=None)


def _path(workspace: Workspace) -> Path:
    return workspace.home / "session.json"


def agreed(workspace: Workspace) -> Session | None:
    """The session of this workspace; None before `labs lab --aws`. Raises WorkspaceError."""
    found = read_json(_path(workspace), "labs lab --aws asks again")
    try:
        return Session(**found) if found else None
    except TypeError:  # of another version of the labs
        return None


def required(workspace: Workspace) -> Session:
    """The session; raises LabsError where the learner has not agreed."""
    found = agreed(workspace)
    if found is None:
        raise LabsError(NOT_AGREED)
    return found


def keep(workspace: Workspace, session: Session, docker: Mapping[str, Any] | None = None) -> None:
    """Write the session, and the labs' own AWS and Docker files; raises WorkspaceError.

    ``docker``: what the labs' Docker configuration takes over from the learner's. Profiles and
    logins that the labs made earlier stay.
    """
    workspace.create()
    workspace.remember(
        mode="aws",
        account=session.account,
        region=session.region,
        second_account=session.partner_account,
    )
    write_json(_path(workspace), asdict(session))
    write_text(workspace.aws_config, _config(workspace, session), mode=0o600)
    if not workspace.aws_credentials.exists():
        write_text(workspace.aws_credentials, "", mode=0o600)
    config = workspace.docker / "config.json"
    write_json(config, {**read_json(config), **(docker or {})})


def _config(workspace: Workspace, session: Session) -> str:
    """The labs' AWS configuration: profiles that source the learner's own, and those made since.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sourcing-external.html
    """
    ours = {"default": session.profile}
    if session.partner_profile:
        ours["profile labs-partner"] = session.partner_profile
    text = ""
    for section, profile in ours.items():
        words = [sys.executable, "-P", "-m", "labs_helpers.own_credentials", str(_path(workspace))]
        words += [profile] if profile else []
        command = " ".join(f'"{word}"' for word in words)
        text += f"[{section}]\nregion = {session.region}\noutput = json\n"
        # keys in the environment go before every profile, and are not written down
        text += f"credential_process = {command}\n\n"
    return text + _others(workspace.aws_config, ours)


def _others(path: Path, ours: Mapping[str, Any]) -> str:
    """The sections of a profile file that are not ``ours``, as they stand."""
    if not path.exists():
        return ""
    kept, keeping = [], False
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("["):
            keeping = line.strip().strip("[]") not in ours
        kept += [line] if keeping else []
    return "".join(kept)


def variables(workspace: Workspace, session: Session) -> dict[str, str]:
    """The environment's variables for clients: the labs' own files, whatever the learner's are.

    Throttled, clients try again, once more often than by default: the pauses double, and a lesson
    whose limit is reached on purpose should not wait for a minute.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """
    given = {
        "AWS_CONFIG_FILE": str(workspace.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": str(workspace.aws_credentials),
        "AWS_RETRY_MODE": "standard",
        "AWS_MAX_ATTEMPTS": "4",
        "AWS_PAGER": "",
        "DOCKER_CONFIG": str(workspace.docker),
    }
    if session.docker_host:
        given["DOCKER_HOST"] = session.docker_host
    if session.endpoint_url:
        given["AWS_ENDPOINT_URL"] = session.endpoint_url
    return given


def own_files(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Where the learner's own AWS files are, in an environment without the labs' variables."""
    environ = os.environ if environ is None else environ
    return {name: environ[name] for name in OWN_FILES if environ.get(name)}


def read_file(path: Path) -> Session:
    """The session in a file of :func:`keep`; raises OSError and ValueError."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no session")
    return Session(**found)
