"""The two worlds, sandbox and AWS: the environment each gives to shells, boto3 and docker."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.defaults import registry
from labs_helpers.workspace import LabsError, Workspace

SANDBOX = "sandbox"
AWS = "aws"

UNSET = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    # lab 01 configures the region, and these two would win over it
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_DEFAULT_OUTPUT",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CA_BUNDLE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_CLI_AUTO_PROMPT",
    "DOCKER_CONTEXT",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
    "DOCKER_DEFAULT_PLATFORM",
    "DOCKER_API_VERSION",
    # `docker build` finds its builder in DOCKER_CONFIG: shims.py
    "DOCKER_BUILDKIT",
)
"""What would lead a client past the sandbox, or make its answers differ from the notebooks'."""

UNSET_PREFIXES = ("AWS_CONTAINER_CREDENTIALS_", "AWS_CONTAINER_AUTHORIZATION_", "AWS_ENDPOINT_URL_")


@dataclass(frozen=True)
class Environment:
    """Variables to set and to unset on top of an environment."""

    set: Mapping[str, str]
    unset: tuple[str, ...]

    def applied(self, environ: Mapping[str, str]) -> dict[str, str]:
        """A copy of an environment with this one laid over it."""
        kept = {name: value for name, value in environ.items() if name not in self.unset}
        return {**kept, **self.set}


def mode(workspace: Workspace, environ: Mapping[str, str] | None = None) -> str:
    """LABS_MODE, else what config.json remembers, else the sandbox; raises LabsError."""
    environ = os.environ if environ is None else environ
    chosen = environ.get("LABS_MODE") or workspace.remembered().get("mode") or SANDBOX
    if chosen not in (SANDBOX, AWS):
        raise LabsError(f"LABS_MODE is {chosen!r}. It can be {SANDBOX!r} or {AWS!r}.")
    return str(chosen)


def environment(
    workspace: Workspace,
    port: int,
    environ: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> Environment:
    """What shells and kernels are given, in the mode that ``environ`` or config.json says.

    ``port`` is the sandbox's. In AWS mode nothing is redirected: what an earlier sandbox
    environment had redirected is taken back.
    """
    environ = os.environ if environ is None else environ
    if mode(workspace, environ) == AWS:
        return _aws(workspace, environ, python)
    return _sandbox(workspace, port, environ, python)


def _sandbox(
    workspace: Workspace, port: int, environ: Mapping[str, str], python: str
) -> Environment:
    choices = workspace.remembered()
    first = [str(workspace.bin), str(Path(python).parent)]
    given = {
        "LABS_HOME": str(workspace.home),
        "LABS_MODE": SANDBOX,
        "ACCOUNT": str(choices["account"]),
        "REGISTRY": registry(str(choices["account"]), str(choices["region"])),
        "AWS_ENDPOINT_URL": endpoint(port),
        "AWS_CONFIG_FILE": str(workspace.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": str(workspace.aws_credentials),
        "AWS_EC2_METADATA_DISABLED": "true",
        # the last place where botocore looks for keys, ~/.boto unless this names another
        "BOTO_CONFIG": str(workspace.aws_config.with_name("boto")),
        "AWS_PAGER": "",
        "DOCKER_HOST": f"unix://{workspace.socket}",
        "DOCKER_CONFIG": str(workspace.docker),
        "PATH": _joined(first, environ.get("PATH", os.defpath), os.pathsep),
    }
    theirs = environ.get("DOCKER_HOST", "")
    if theirs and theirs != given["DOCKER_HOST"]:
        # for the engine, should it start again from here: the daemon that the learner named
        given["LABS_DOCKER_HOST"] = theirs
    for name in ("NO_PROXY", "no_proxy"):
        given[name] = _joined(["127.0.0.1", "localhost"], environ.get(name, ""), ",")
    wild = (name for name in environ if name.startswith(UNSET_PREFIXES))
    return Environment(given, (*UNSET, *sorted(wild)))


def _aws(workspace: Workspace, environ: Mapping[str, str], python: str) -> Environment:
    inside = str(workspace.home)
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    last = str(Path(python).parent)
    kept = [entry for entry in path if entry not in (str(workspace.bin), last)]
    given = {
        "LABS_HOME": inside,
        "LABS_MODE": AWS,
        # after the learner's own: an installed `aws` goes before the one of this environment
        "PATH": os.pathsep.join([*kept, last]),
    }
    ours = [
        name
        for name in (
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "BOTO_CONFIG",
            "DOCKER_CONFIG",
        )
        if environ.get(name, "").startswith(inside)
    ]
    if environ.get("DOCKER_HOST", "").startswith(f"unix://{inside}"):
        if theirs := environ.get("LABS_DOCKER_HOST"):
            given["DOCKER_HOST"] = theirs
        else:
            ours += ["DOCKER_HOST"]
    if environ.get("AWS_ENDPOINT_URL", "").startswith("http://127.0.0.1:"):
        ours += ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED", "REGISTRY", "ACCOUNT"]
    return Environment(given, tuple(ours))


def endpoint(port: int) -> str:
    """The sandbox's address as AWS_ENDPOINT_URL takes it."""
    return f"http://127.0.0.1:{port}"


def _joined(first: list[str], rest: str, separator: str) -> str:
    """``first`` in front of ``rest``, each once, so that applying it twice changes nothing."""
    others = [entry for entry in rest.split(separator) if entry and entry not in first]
    return separator.join([*first, *others])
