"""A push to a connection's repository starts the pipelines that want the push.

Without a trigger, a pipeline wants the branch of its source: DetectChanges,
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html.
With one, triggers.py says what it wants.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from labs_helpers.sandbox.codepipeline import store, triggers
from labs_helpers.sandbox.codepipeline.errors import TooMany
from labs_helpers.sandbox.codepipeline.pipelines import Pipelines
from labs_helpers.sandbox.codepipeline.triggers import Push

log = logging.getLogger(__name__)


def pushed(pipelines: Pipelines, connection: str, repository: str, pushes: Sequence[Push]) -> None:
    """Start each pipeline that wants one of the pushes, once for each."""
    account = connection.split(":")[4]
    with pipelines.store.read() as db:
        # nobody passes a connection to a pipeline of another account
        everything = [each for each in store.everything(db) if each[0][0] == account]
    # many files and patterns take a while, in which other writers need not wait
    wanted = [
        (place, pipeline["declaration"]["name"], revisions, push)
        for push in pushes
        for place, pipeline in everything
        for revisions in [triggers.started(pipeline["declaration"], connection, repository, push)]
        if revisions is not None
    ]
    trigger = {"triggerType": "WebhookV2", "triggerDetail": connection}
    for place, name, revisions, push in wanted:
        with pipelines.store.write() as db:
            pipeline = store.pipeline(db, place, name)
            if pipeline is None:
                continue
            try:
                pipelines.start(db, place, pipeline, trigger, overrides=revisions)
            except TooMany as error:
                log.warning("the commit %s starts nothing: %s", push["commit"], error)
