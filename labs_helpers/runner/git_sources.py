"""A build's source in git: a clone, as CodeBuild leaves one, at the wanted commit.

git is told nothing by files of this machine: no settings of the person's or the system's, no hooks,
no templates, and no way to fetch but the one that is wanted.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectSource.html
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import get_current_datetime
from botocore.credentials import Credentials

_SECONDS = 300.0
_ID = re.compile(r"[0-9a-f]{40}")


class GitFailed(Exception):
    """git cannot do this; the message is git's, or says what is missing."""


@dataclass(frozen=True)
class Origin:
    """Where a build finds a repository.

    endpoint: the sandbox's; credentials: the role's session as variables; folder: of the repository
    on a connection, "" for another source.
    """

    endpoint: str
    credentials: Mapping[str, str] = field(repr=False)
    folder: str = ""


def codecommit(origin: Origin, url: str, version: str, depth: int, into: Path) -> str:
    """Clone a repository of CodeCommit with the role's rights; the commit. Raises GitFailed."""
    plain = url.replace("https://", "http://", 1)
    settings = {
        "http.proxy": origin.endpoint,
        "http.extraHeader": f"Authorization: Basic {_basic(origin, plain)}",
        "protocol.http.allow": "always",
    }
    return _clone(plain, url, version, depth, into, settings)


def connected(origin: Origin, url: str, version: str, depth: int, into: Path) -> str:
    """Clone the folder that stands for a repository on GitHub; the commit. Raises GitFailed."""
    if version.startswith("pr/"):
        raise GitFailed("a git folder of yours has no pull requests: name a branch or a commit")
    settings = {"protocol.file.allow": "always"}
    return _clone(Path(origin.folder).as_uri(), url, version, depth, into, settings)


def _clone(
    place: str, url: str, version: str, depth: int, into: Path, settings: Mapping[str, str]
) -> str:
    """Clone with the history that `depth` says, 0 being all; origin becomes `url`."""
    shallow = ["--depth", str(depth), "--no-single-branch"] if depth else []
    _git(into.parent, settings, "clone", "--quiet", *shallow, "--", place, into.name)
    if version:
        commit = _commit(into, settings, version)
        if depth and not commit and _ID.fullmatch(version):
            _git(into, settings, "fetch", "--quiet", "--unshallow", "origin")
            commit = _commit(into, settings, version)
        if not commit:
            raise GitFailed(f"reference not found: {version}")
        _git(into, settings, "checkout", "--quiet", "--detach", commit)
    commit = _git(into, settings, "rev-parse", "--verify", "--quiet", "HEAD")
    _git(into, settings, "remote", "set-url", "origin", url)
    return commit


def _commit(folder: Path, settings: Mapping[str, str], version: str) -> str:
    """The commit of a branch, a tag or an id; "" for nothing, and for what looks like an option."""
    for each in (f"refs/remotes/origin/{version}", f"refs/tags/{version}", version):
        try:
            if not each.startswith("-"):
                return _git(folder, settings, "rev-parse", "--verify", "--quiet", f"{each}^0")
        except GitFailed:
            continue
    return ""


def _git(folder: Path, settings: Mapping[str, str], *arguments: str) -> str:
    """What git prints; raises GitFailed."""
    given = {
        "protocol.allow": "never",
        "core.hooksPath": os.devnull,
        "core.fsmonitor": "false",
        "credential.helper": "",
        "init.templateDir": "",
        "advice.detachedHead": "false",
        **settings,
    }
    environ = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "GIT_CONFIG_COUNT": str(len(given)),
    }
    for place, (key, value) in enumerate(given.items()):
        environ |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env=environ,
            timeout=_SECONDS,
        )
    except FileNotFoundError as error:
        raise GitFailed("git is not installed on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise GitFailed(f"git took longer than {_SECONDS:.0f} seconds") from error
    if done.returncode:
        raise GitFailed(" ".join(done.stderr.split()) or f"git ended with {done.returncode}")
    return done.stdout.strip()


def _basic(origin: Origin, url: str) -> str:
    """Name and password as `aws codecommit credential-helper` makes them, in base64.

    https://github.com/aws/aws-cli/blob/develop/awscli/customizations/codecommit.py
    """
    keys = origin.credentials
    given = Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    parts = urlsplit(url)
    signer = SigV4Auth(given, "codecommit", str(parts.hostname).split(".")[1])
    request = AWSRequest("GIT", url)
    stamp = get_current_datetime().strftime("%Y%m%dT%H%M%S")
    request.context["timestamp"] = stamp
    canonical = f"GIT\n{parts.path}\n\nhost:{parts.hostname}\n\nhost\n"
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    name = f"{keys['AWS_ACCESS_KEY_ID']}%{keys['AWS_SESSION_TOKEN']}"
    return base64.b64encode(f"{name}:{stamp}Z{signature}".encode()).decode()
