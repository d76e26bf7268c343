"""A commit on a connection's branch starts the pipelines whose source the branch is.

DetectChanges: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.codepipeline import store
from labs_helpers.sandbox.codepipeline.errors import TooMany
from labs_helpers.sandbox.codepipeline.pipelines import Pipelines

log = logging.getLogger(__name__)


def pushed(
    pipelines: Pipelines, connection: str, repository: str, branch: str, commit: str
) -> None:
    """Start each pipeline that wants the commit."""
    wanted = {
        "ConnectionArn": connection,
        "FullRepositoryId": repository,
        "BranchName": branch,
    }
    with pipelines.store.write() as db:
        for place, pipeline in store.everything(db):
            for given in _sources(pipeline["declaration"]):
                if wanted.items() <= given.items():
                    trigger = {"triggerType": "WebhookV2", "triggerDetail": connection}
                    try:
                        pipelines.start(db, place, pipeline, trigger)
                    except TooMany as error:
                        log.warning("the commit %s starts nothing: %s", commit, error)
                    break


def _sources(declaration: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """The configurations of the sources on a connection that look for changes."""
    for action in declaration["stages"][0]["actions"]:
        given = action["configuration"]
        if given.get("DetectChanges", "true").lower() != "false":
            yield given
