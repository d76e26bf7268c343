"""A new version of an object, or a new commit, starts the pipelines whose source it is.

CodePipeline polls a source of Amazon S3 or CodeCommit unless PollForSourceChanges is false:
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html,
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html. Here
the look follows a write to Amazon S3 or a push at once, by the pipeline's role, as on AWS.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.sandbox.codepipeline import store
from labs_helpers.sandbox.codepipeline.errors import TooMany
from labs_helpers.sandbox.codepipeline.pipelines import Pipelines
from labs_helpers.sandbox.codepipeline.sessions import Sessions
from labs_helpers.sandbox.iam.service_roles import RoleRefused

log = logging.getLogger(__name__)

MOST = 20
WITHIN = 600.0
"""A source starts its pipeline at most MOST times in WITHIN seconds, so that a pipeline that writes
its own source does not run for ever, as it would on AWS."""


class Polling:
    """Used by one thread, except for `wrote`."""

    def __init__(self, pipelines: Pipelines, sessions: Sessions) -> None:
        self._written: deque[str] = deque()
        self._known: set[tuple[store.Place, str, str]] = set()
        self._pipelines = pipelines
        self._sessions = sessions
        self._starts: dict[tuple[store.Place, str], deque[float]] = {}

    def wrote(self, url: str) -> None:
        """Amazon S3 took a write, or CodeCommit a push.

        url: with host and path, in which bucket and key are; or the ARN of a repository.
        """
        self._written.append(unquote(url))

    def run(self) -> None:
        """Look at the sources that were written, and at those of new pipelines."""
        urls = [self._written.popleft() for _ in range(len(self._written))]
        with self._pipelines.store.read() as db:
            found = store.everything(db)
        for place, pipeline in found:
            for action in polled(pipeline["declaration"]):
                key, name = _key(action), pipeline["declaration"]["name"]
                new = key not in pipeline["seen"] and (place, name, key) not in self._known
                self._known.add((place, name, key))
                marks = _marks(action, place)
                if not new and not any(all(each in url for each in marks) for url in urls):
                    continue
                try:
                    self._look(place, pipeline, action, new)
                except (ClientError, BotoCoreError, RoleRefused, TooMany) as error:
                    # AWS tells nobody either; the next execution's source action says why
                    log.warning("the source of the pipeline %s cannot be read: %s", name, error)

    def _look(
        self,
        place: store.Place,
        pipeline: store.Document,
        action: Mapping[str, Any],
        first: bool,
    ) -> None:
        """Start the pipeline for what is new. What a first look finds is the first execution's."""
        name, key = pipeline["declaration"]["name"], _key(action)
        version = self._version(place, pipeline, action)
        if version is None or pipeline["seen"].get(key) == version:
            return
        with self._pipelines.store.write() as db:
            fresh = store.pipeline(db, place, name)
            if fresh is None:
                return
            fresh["seen"][key] = version
            store.save_pipeline(db, place, fresh)
            if not first and self._may_start(place, name):
                trigger = {"triggerType": "PollForSourceChanges", "triggerDetail": action["name"]}
                self._pipelines.start(db, place, fresh, trigger)

    def _version(
        self, place: store.Place, pipeline: store.Document, action: Mapping[str, Any]
    ) -> str | None:
        """The newest version of the object, or the branch's commit.

        "" for no object or branch, None for an object without versions.
        """
        given = action["configuration"]
        session = self._sessions.of_pipeline(pipeline["declaration"], place)
        if action["actionTypeId"]["provider"] == "CodeCommit":
            return _commit(session.client("codecommit"), given)
        s3 = session.client("s3")
        try:
            head = s3.head_object(Bucket=given["S3Bucket"], Key=given["S3ObjectKey"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return ""
            raise
        found: str | None = head.get("VersionId")
        return found

    def _may_start(self, place: store.Place, name: str) -> bool:
        now = time.monotonic()
        starts = self._starts.setdefault((place, name), deque())
        while starts and starts[0] < now - WITHIN:
            starts.popleft()
        if len(starts) >= MOST:
            log.warning(
                "the pipeline %s was started %d times in %d minutes by its source, and is not "
                "started again: does the pipeline write its own source? "
                "aws codepipeline start-pipeline-execution starts the pipeline",
                *(name, MOST, WITHIN // 60),
            )
            return False
        starts.append(now)
        return True


def _commit(client: Any, given: Mapping[str, str]) -> str:
    """The newest commit of a source's branch; "" for no repository or branch."""
    name, branch = given["RepositoryName"], given["BranchName"]
    try:
        found = client.get_branch(repositoryName=name, branchName=branch)
    except ClientError as error:
        if error.response["Error"]["Code"].endswith("DoesNotExistException"):
            return ""
        raise
    return str(found["branch"]["commitId"])


def _marks(action: Mapping[str, Any], place: store.Place) -> tuple[str, ...]:
    """What all is in the URL or ARN by which `wrote` names the action's source."""
    given = action["configuration"]
    if action["actionTypeId"]["provider"] == "CodeCommit":
        return (f"arn:aws:codecommit:{place[1]}:{place[0]}:{given['RepositoryName']}",)
    return (given["S3Bucket"], given["S3ObjectKey"])


def _key(action: Mapping[str, Any]) -> str:
    """What `seen` of a pipeline names the object or the branch by."""
    given = action["configuration"]
    if action["actionTypeId"]["provider"] == "CodeCommit":
        return f"{action['name']}: {given['RepositoryName']} {given['BranchName']}"
    return f"{action['name']}: {given['S3Bucket']}/{given['S3ObjectKey']}"


def polled(declaration: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The actions whose source is looked at."""
    for action in declaration["stages"][0]["actions"]:
        given = action["configuration"]
        looked_at = action["actionTypeId"]["provider"] in ("S3", "CodeCommit")
        if looked_at and given.get("PollForSourceChanges", "true").lower() != "false":
            yield action
