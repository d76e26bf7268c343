"""The two modes, sandbox and AWS, and the environment of each for shells, boto3 and docker."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs_helpers import aws_session
from labs_helpers.defaults import is_sandbox, registry
from labs_helpers.files import LabsError
from labs_helpers.learners_copy.place import git_ceilings
from labs_helpers.workspace import Workspace

SANDBOX = "sandbox"
AWS = "aws"

UNSET = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    # these two win over the region that lab 01 configures
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
    # `docker build` takes its builder from DOCKER_CONFIG: runtime/shims.py
    "DOCKER_BUILDKIT",
)
"""Variables with which a client would bypass the sandbox, or print something else than the
notebooks do.
"""

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_OF_THE_PROFILE = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_DEFAULT_OUTPUT",
)
"""What the labs' own profile says in AWS mode; it sources the learner's."""

_CODECOMMIT = "git-codecommit."
"""How the names of CodeCommit's hosts begin; a region follows."""
_HELPER = "protocol.codecommit."
"""git's settings on the program git-remote-codecommit (URLs codecommit::REGION://NAME)."""

UNSET_PREFIXES = ("AWS_CONTAINER_CREDENTIALS_", "AWS_CONTAINER_AUTHORIZATION_", "AWS_ENDPOINT_URL_")


@dataclass(frozen=True)
class Environment:
    """Changes to an environment: variables to set, and variables to unset."""

    set: Mapping[str, str]
    unset: tuple[str, ...]

    def applied(self, environ: Mapping[str, str]) -> dict[str, str]:
        """A copy of ``environ`` with these changes."""
        kept = {name: value for name, value in environ.items() if name not in self.unset}
        return {**kept, **self.set}


def mode(workspace: Workspace, environ: Mapping[str, str] | None = None) -> str:
    """The mode: LABS_MODE, or else config.json's, or else the sandbox.

    Raises LabsError for a mode that does not exist.
    """
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
    """The changes for shells and kernels, in the mode that ``environ`` or config.json says.

    ``port`` is the sandbox's. In AWS mode, variables that a sandbox environment set before are
    removed or restored, and once the learner has agreed (`labs lab --aws`), clients use files of
    the labs' own, so that the learner's profiles, default region and Docker logins stay.
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
        # the last file in which botocore looks for keys; without this variable, ~/.boto
        "BOTO_CONFIG": str(workspace.aws_config.with_name("boto")),
        "AWS_PAGER": "",
        "DOCKER_HOST": f"unix://{workspace.socket}",
        "DOCKER_CONFIG": str(workspace.docker),
        "PATH": _joined(first, environ.get("PATH", os.defpath), os.pathsep),
    }
    theirs = environ.get("DOCKER_HOST", "")
    if theirs and theirs != given["DOCKER_HOST"]:
        # an engine that starts in this environment needs the daemon that the learner named
        given["LABS_DOCKER_HOST"] = theirs
    given |= with_ceilings(environ, git_ceilings(workspace, environ))
    given |= _git(environ, _codecommit(port, str(choices["region"])))
    for name in ("NO_PROXY", "no_proxy"):
        given[name] = _joined(["127.0.0.1", "localhost"], environ.get(name, ""), ",")
    prefixed = (name for name in environ if name.startswith(UNSET_PREFIXES))
    return Environment(given, (*UNSET, *sorted(prefixed)))


def _aws(workspace: Workspace, environ: Mapping[str, str], python: str) -> Environment:
    inside = str(workspace.home)
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    last = str(Path(python).parent)
    kept = [entry for entry in path if entry not in (str(workspace.bin), last)]
    given = {
        "LABS_HOME": inside,
        "LABS_MODE": AWS,
        # last, so that an `aws` of the learner's own goes before the one of this environment
        "PATH": os.pathsep.join([*kept, last]),
    }
    given |= with_ceilings(environ, git_ceilings(workspace, environ))
    given |= _git(environ, [])
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
    if is_sandbox(environ.get("AWS_ENDPOINT_URL", "")):
        ours += ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED", "REGISTRY", "ACCOUNT"]
    if session := aws_session.agreed(workspace):
        given |= aws_session.variables(workspace, session)
        given |= {
            "ACCOUNT": session.account,
            "REGISTRY": registry(session.account, session.region),
            "PATH": os.pathsep.join([str(workspace.bin), given["PATH"]]),
        }
        ours += _OF_THE_PROFILE
        # keys in the environment would go before the profile that the learner named
        ours += _KEYS if session.profile else ()
        ours += ["DOCKER_CONTEXT"] if session.docker_host else []
    return Environment(given, tuple(ours))


def with_ceilings(environ: Mapping[str, str], ceilings: list[str]) -> dict[str, str]:
    """GIT_CEILING_DIRECTORIES with these folders before those that ``environ`` has."""
    name = "GIT_CEILING_DIRECTORIES"
    return {name: _joined(ceilings, environ.get(name, ""), os.pathsep)}


def _git(environ: Mapping[str, str], ours: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Variables with settings for git: those that ``environ`` has, then ours.

    Settings of ours from an earlier environment are replaced: git reads as many as the count says.
    https://git-scm.com/docs/git-config#ENVIRONMENT
    """
    text = environ.get("GIT_CONFIG_COUNT", "")
    pairs = [
        (environ.get(f"GIT_CONFIG_KEY_{each}", ""), environ.get(f"GIT_CONFIG_VALUE_{each}", ""))
        for each in range(int(text) if text.isdecimal() else 0)
    ]
    theirs = [(key, value) for key, value in pairs if _CODECOMMIT not in key and _HELPER not in key]
    pairs = [*theirs, *ours]
    if not text and not pairs:
        return {}
    found = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for place, (key, value) in enumerate(pairs):
        found |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return found


def _codecommit(port: int, region: str) -> list[tuple[str, str]]:
    """Settings with which git reaches CodeCommit's names in the sandbox, in every region.

    The sandbox has no certificate of AWS's, so that the URL becomes one of HTTP, which goes to the
    sandbox as to a proxy: the host's name, which is signed, stays. The credential helper is that of
    https://docs.aws.amazon.com/codecommit/latest/userguide/setting-up-https-unixes.html

    git-remote-codecommit starts git's client of HTTPS with a URL that git does not rewrite, and
    would reach AWS: URLs codecommit:: of the labs' region are rewritten before, all others are not
    allowed. https://github.com/aws/git-remote-codecommit
    """
    repositories = f"url.http://{_CODECOMMIT}{region}.amazonaws.com/v1/repos/.insteadOf"
    hosts = f"http://{_CODECOMMIT}*.amazonaws.com"
    return [
        (f"url.http://{_CODECOMMIT}.insteadOf", f"https://{_CODECOMMIT}"),
        (repositories, "codecommit://"),
        (repositories, f"codecommit::{region}://"),
        (f"{_HELPER}allow", "never"),
        (f"http.{hosts}.proxy", endpoint(port)),
        (f"credential.{hosts}.helper", ""),  # no other helper keeps the password
        (f"credential.{hosts}.helper", "!aws codecommit credential-helper $@"),
        (f"credential.{hosts}.useHttpPath", "true"),
    ]


def endpoint(port: int) -> str:
    """The sandbox's address, as a value of AWS_ENDPOINT_URL."""
    return f"http://127.0.0.1:{port}"


def _joined(first: list[str], rest: str, separator: str) -> str:
    """``first`` before the entries of ``rest``, each once: a second time changes nothing."""
    others = [entry for entry in rest.split(separator) if entry and entry not in first]
    return separator.join([*first, *others])
