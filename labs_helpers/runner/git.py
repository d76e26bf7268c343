"""The learner's git folder as a repository of a stand-in GitHub: its commits.

sandbox/codepipeline submits "git-source"; git_watch.py looks for pushes. Only git is run,
with the rights of whoever runs the labs; nothing in the folder is changed, or executed
(runtime/git.py).
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.runner import clients
from labs_helpers.runner.runner import Job
from labs_helpers.runner.sources import words
from labs_helpers.runtime import git as git_program
from labs_helpers.workspace import Workspace

_SECONDS = 60.0
_LARGEST = 256 * 1024 * 1024
"""Bytes of a packed commit."""
_FIELDS = {"commit": "%H", "author": "%an", "mail": "%ae", "date": "%aI", "message": "%s"}
_LONGEST = 2048
"""Characters of a revision's summary, for each field of a commit:
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ArtifactRevision.html"""


class GitFailed(Exception):
    """git cannot do this; the message is git's, or says what is missing."""


def source(workspace: Workspace, job: Job) -> None:
    """Pack a commit and put the ZIP file into the artifact store, with the job's credentials.

    The end has "commit", "author", "date", "message", or "error". Raises Lost.
    """
    body = job.body
    try:
        job.ended(**_source(workspace, job, body))
    except GitFailed as error:
        job.ended(error=str(error), code="ConfigurationError")
    except ClientError as error:
        said = f"Upload to S3 failed with the following error: {words(error)}"
        job.ended(error=said, code="PermissionError")
    except (BotoCoreError, OSError) as error:
        job.ended(error=str(error), code="JobFailed")


def _source(workspace: Workspace, job: Job, body: dict[str, Any]) -> dict[str, Any]:
    folder = Path(body["folder"])
    wanted = body.get("commit") or f"refs/heads/{body['branch']}"
    facts = described(folder, wanted)
    packed = workspace.home / "builds" / f"{job.id}.zip"
    packed.parent.mkdir(parents=True, exist_ok=True)
    try:
        git(folder, "archive", "--format=zip", "-o", str(packed), facts["commit"])
        if packed.stat().st_size > _LARGEST:
            raise GitFailed(f"the commit is larger than {_LARGEST >> 20} MiB as a ZIP file")
        with packed.open("rb") as content:
            given = body["credentials"]
            s3 = clients.make("s3", given["AWS_REGION"], job.desk.endpoint, given)
            s3.put_object(Bucket=body["bucket"], Key=body["key"], Body=content)
    finally:
        packed.unlink(missing_ok=True)
    return facts


def described(folder: Path, revision: str) -> dict[str, str]:
    """A commit's {"commit", "author", "mail", "date", "message"}; raises GitFailed.

    revision: a commit's id, or the name of a branch or tag. Of long fields the beginning.
    """
    # a revision that begins with a hyphen is no option, such as --output=FILE
    form = f"--format={'%x00'.join(_FIELDS.values())}"
    text = git(folder, "log", "-1", "--no-show-signature", form, "--end-of-options", revision, "--")
    fields = text.removesuffix("\n").split("\0")
    return {name: field[:_LONGEST] for name, field in zip(_FIELDS, fields, strict=True)}


def git(folder: Path, *arguments: str) -> str:
    """What git prints; raises GitFailed."""
    try:
        done = git_program.run(folder, *arguments, seconds=_SECONDS)
    except git_program.NoGit as error:
        raise GitFailed(str(error)) from error
    except subprocess.TimeoutExpired as error:
        raise GitFailed(f"git took longer than {_SECONDS:.0f} seconds in {folder}") from error
    except OSError as error:
        raise GitFailed(f"git cannot read {folder}: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise GitFailed(said or f"git ended with {done.returncode}")
    return done.stdout.decode(errors="replace")
