"""The learner's git folder as a repository of a stand-in GitHub: its branches, and its commits.

sandbox/codeconnections submits "git-watch", sandbox/codepipeline "git-source". Only git is run,
with the rights of whoever runs the labs; nothing in the folder is changed, or executed
(runtime/git.py).
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from labs_helpers.runner.runner import Job
from labs_helpers.runner.sources import words
from labs_helpers.runtime import git as git_program
from labs_helpers.runtime.throttled import asks_again
from labs_helpers.workspace import Workspace

_PAUSE = 0.5
"""Seconds between two looks at a folder."""
_SECONDS = 60.0
_LARGEST = 256 * 1024 * 1024
"""Bytes of a packed commit."""
_FIELDS = ("%H", "%an", "%ae", "%aI", "%s")


class GitFailed(Exception):
    """git cannot do this; the message is git's, or says what is missing."""


def watch(job: Job) -> None:
    """Report the branches whenever they change, until the job has to end; raises Lost.

    Events: {"type": "heads", "heads": {branch: commit}}; no branch for a folder that is none.
    """
    folder = Path(job.body["folder"])
    seen: dict[str, str] | None = None
    mark: object = None
    while True:
        now = _mark(folder)
        if seen is None or now != mark:
            mark = now
            found = _heads(folder)
            if found != seen:
                seen = found
                job.report({"type": "heads", "heads": found})
        if job.wait(_PAUSE):
            job.ended()
            return


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
    # a revision that begins with a hyphen is no option, such as --output=FILE
    form = f"--format={'%n'.join(_FIELDS)}"
    text = git(folder, "log", "-1", "--no-show-signature", form, "--end-of-options", wanted, "--")
    commit, author, mail, date, message = text.splitlines()[:5]
    packed = workspace.home / "builds" / f"{job.id}.zip"
    packed.parent.mkdir(parents=True, exist_ok=True)
    try:
        git(folder, "archive", "--format=zip", "-o", str(packed), commit)
        if packed.stat().st_size > _LARGEST:
            raise GitFailed(f"the commit is larger than {_LARGEST >> 20} MiB as a ZIP file")
        with packed.open("rb") as content:
            _s3(job, body).put_object(Bucket=body["bucket"], Key=body["key"], Body=content)
    finally:
        packed.unlink(missing_ok=True)
    return {
        "commit": commit,
        "author": author,
        "mail": mail,
        "date": date,
        "message": message,
    }


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


def _heads(folder: Path) -> dict[str, str]:
    """Branch -> commit; empty where the folder is no repository."""
    try:
        text = git(folder, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
    except GitFailed:
        return {}
    return dict(line.rsplit(" ", 1) for line in text.splitlines())


def _mark(folder: Path) -> object:
    """Changes with every commit, so that git need not be asked all the time."""
    place = folder / ".git"
    if place.is_file():
        return _heads(folder)  # a worktree, whose branches are elsewhere
    found = []
    for path in (place / "packed-refs", *sorted(place.glob("refs/heads/**/*"))):
        try:
            told = path.stat()
        except OSError:
            continue
        found.append((str(path), told.st_mtime_ns, told.st_size, told.st_ino))
    return found


def _s3(job: Job, body: dict[str, Any]) -> Any:
    given = body["credentials"]
    made = Session().create_client(
        "s3",
        region_name=given["AWS_REGION"],
        endpoint_url=job.desk.endpoint,
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=given["AWS_SESSION_TOKEN"],
        config=Config(
            proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
        ),
    )
    return asks_again(made)
