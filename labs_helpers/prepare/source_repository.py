"""A git folder whose commits go to AWS CodeCommit, in the place of GitHub.

The sandbox plays GitHub with a git folder; on AWS nobody can finish the handshake of a connection
for the learner. CodeCommit is AWS's own, and takes new customers again since 2025-11-24:
https://aws.amazon.com/blogs/devops/aws-codecommit-returns-to-general-availability/
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from labs_helpers.files import LabsError
from labs_helpers.prepare.step import Place

_REMOTE, _BRANCH = "codecommit", "main"
_HOOK = f"""#!/bin/sh
# Written by the labs: what you commit goes to CodeCommit, where the pipeline fetches it.
exec git push -q {_REMOTE} HEAD:refs/heads/{_BRANCH}
"""
_SECONDS = 120.0
"""The longest that git may take for a push of the labs' few files."""


def connect(place: Place, folder: Path, name: str) -> str:
    """Make the repository if need be, and push the folder's commit and each later one; the URL.

    All that is changed is in the folder's own .git: a remote, a hook after each commit, and how git
    logs in there, so that no other credential helper of the learner's keeps the password:
    https://docs.aws.amazon.com/codecommit/latest/userguide/setting-up-https-unixes.html

    Raises LabsError where git refuses, with git's words, and ClientError.
    """
    url = _url(place, name)
    site = url.partition("/v1/")[0]
    settings = (
        ("credential.{}.helper", ""),
        ("credential.{}.helper", "!aws codecommit credential-helper $@"),
        ("credential.{}.UseHttpPath", "true"),
    )
    with suppress(LabsError):  # there is none yet
        _git(folder, "config", "--local", "--remove-section", f"credential.{site}")
    for key, value in settings:
        _git(folder, "config", "--local", "--add", key.format(site), value)
    with suppress(LabsError):
        _git(folder, "remote", "remove", _REMOTE)
    _git(folder, "remote", "add", _REMOTE, url)
    # hooks of the learner's own for all repositories would stand in the place of this one
    _git(folder, "config", "--local", "core.hooksPath", ".git/hooks")
    hook = folder / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(_HOOK, encoding="utf-8")
    hook.chmod(0o755)
    _git(folder, "push", "-q", _REMOTE, f"HEAD:refs/heads/{_BRANCH}")
    return url


def _url(place: Place, name: str) -> str:
    """The clone URL of a repository, which is made where there is none."""
    client = place.client("codecommit")
    try:
        found = client.get_repository(repositoryName=name)
    except client.exceptions.RepositoryDoesNotExistException:
        found = client.create_repository(
            repositoryName=name, repositoryDescription="The application of the labs"
        )
    return str(found["repositoryMetadata"]["cloneUrlHttp"])


def remove(place: Place, name: str) -> None:
    """No such repository; its commits go with it."""
    gone = place.client("codecommit").delete_repository(repositoryName=name)
    if gone.get("repositoryId"):
        place.removed.append(f"source repository {name}")


def _git(folder: Path, *words: str) -> None:
    # a terminal that waits for a password would wait for ever
    environ = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except FileNotFoundError:
        raise LabsError("git is not installed on this machine") from None
    except subprocess.TimeoutExpired:
        raise LabsError(f"git {words[0]} has not ended in {_SECONDS:.0f} seconds") from None
    if done.returncode:
        raise LabsError(f"git {words[0]} failed in {folder}: {done.stderr.strip()}")
