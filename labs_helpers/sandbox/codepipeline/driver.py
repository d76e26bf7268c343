"""The worker that lets actions run: each look at an action is a call or two with its role's rights.

One thread does this for all pipelines. An action is looked at when a service said that something
ended (`wake`), and otherwise every `_LOOK` seconds while an action runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from labs_helpers.sandbox.codepipeline import executions, machine, references, store
from labs_helpers.sandbox.codepipeline.actions import ACTS
from labs_helpers.sandbox.codepipeline.actions.work import (
    ActionFailed,
    Outcome,
    Work,
    failed_call,
)
from labs_helpers.sandbox.codepipeline.definition import artifact_bucket
from labs_helpers.sandbox.codepipeline.fetches import Fetches
from labs_helpers.sandbox.codepipeline.machine import Change
from labs_helpers.sandbox.codepipeline.pipelines import Pipelines
from labs_helpers.sandbox.codepipeline.polling import Polling
from labs_helpers.sandbox.codepipeline.sessions import Sessions
from labs_helpers.sandbox.iam.service_roles import RoleRefused
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.worker import Worker

log = logging.getLogger(__name__)

Archive = Callable[[store.Place, str, str], bytes]
"""(place, repository, commit) -> the commit's files as a ZIP file."""

_LOOK = 0.5
"""Seconds between two looks at actions that run."""


class Driver(Worker[Store]):
    """Runs the actions of every pipeline, and starts pipelines whose source has changed."""

    name = "pipelines"
    topic = store.TOPIC
    failure = "the pipelines could not go on"

    def __init__(
        self,
        pipelines: Pipelines,
        sessions: Sessions,
        polling: Polling,
        fetches: Fetches,
        folder: Callable[[str, str], str],
        archive: Archive,
    ) -> None:
        """folder: of a connection's repository; archive: of a commit in CodeCommit.

        Both raise LookupError.
        """
        super().__init__(pipelines.store)
        self._pipelines = pipelines
        self._sessions = sessions
        self._polling = polling
        self._fetches = fetches
        self._folder = folder
        self._archive = archive
        self._looking = False

    def has_work(self) -> bool:
        with self.store.read() as db:
            return bool(store.at_work(db))

    def look_at_sources(self, url: str) -> None:
        """Wake up: an object was written, which may be a pipeline's source."""
        self._polling.wrote(url)
        self.wake()

    def patience(self) -> float | None:
        return _LOOK if self._looking else None

    def work(self) -> None:
        """Look at each action that runs until none of them changes any more."""
        self._looking = False
        self._polling.run()
        changed = True
        while changed and not self.closing:
            changed = False
            for place, execution, made in self._running():
                if self.closing:
                    return
                changed |= self._look(place, execution, made)

    def _running(self) -> list[tuple[store.Place, store.Document, store.Document]]:
        found = []
        with self.store.read() as db:
            for place, name in store.at_work(db):
                for execution in store.executions(db, place, name, only_active=True):
                    found += [(place, execution, made) for made in executions.running(execution)]
        return found

    def _look(self, place: store.Place, execution: store.Document, made: store.Document) -> bool:
        """One look at an action; whether anything changed."""
        outcome: Outcome | ActionFailed
        action = executions.action_of(execution, made)
        inputs = [execution["artifacts"][each["name"]] for each in action["inputArtifacts"]]
        configuration: dict[str, str] = dict(action["configuration"])
        try:
            configuration = references.resolved(action["configuration"], _known(execution))
            work = self._work(place, execution, made, action, inputs, configuration)
            kind = action["actionTypeId"]
            outcome = ACTS[kind["category"], kind["provider"]](work)
        except ActionFailed as error:
            outcome = error
        except references.Unresolved as error:
            outcome = ActionFailed("ConfigurationError", str(error))
        except RoleRefused as error:
            outcome = ActionFailed("PermissionError", str(error))
        except (EndpointConnectionError, ConnectionClosedError) as error:
            # the port is not open yet, or not any longer: another look will tell
            log.info("%s/%s: %s", execution["pipeline"], made["action"], error)
            self._looking = True
            return False
        except Exception as error:
            log.info("%s/%s failed", execution["pipeline"], made["action"], exc_info=True)
            outcome = failed_call(error)
        running = isinstance(outcome, Outcome) and outcome.status == executions.IN_PROGRESS
        if running and action["actionTypeId"]["category"] != "Approval":
            self._looking = True
        if running and isinstance(outcome, Outcome) and outcome.memory == made["memory"]:
            return False
        change = partial(
            _apply, attempt=made["id"], outcome=outcome, inputs=inputs, configuration=configuration
        )
        self._pipelines.change(place, execution["id"], change)
        if not running:
            self._sessions.forget(made["id"])
        return True

    def _work(
        self,
        place: store.Place,
        execution: store.Document,
        made: store.Document,
        action: Any,
        inputs: list[dict[str, str]],
        configuration: dict[str, str],
    ) -> Work:
        declaration = execution["declaration"]
        override = [each for each in execution["overrides"] if each["actionName"] == made["action"]]
        session = self._sessions.of(made["id"], declaration, action, place)
        return Work(
            pipeline=execution["pipeline"],
            execution=execution["id"],
            stage=made["stage"],
            id=made["id"],
            action=action,
            configuration=configuration,
            inputs=inputs,
            revision=_revision(execution, inputs),
            bucket=artifact_bucket(declaration, place[1]),
            account=place[0],
            region=place[1],
            token=made.get("token", ""),
            at=self._pipelines.clock.now().timestamp(),
            client=session.client,
            require=session.require,
            folder=self._folder,
            archive=partial(self._archive, place),
            run_elsewhere=partial(self._elsewhere, place, execution["id"], made["id"]),
            memory=made["memory"],
            override=override[0] if override else {},
        )

    def _elsewhere(
        self, place: store.Place, execution: str, attempt: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """What the runner made of the attempt's job; None while there is nothing yet."""
        found = self._fetches.result(attempt)
        if found is None:
            account, region = place
            facts = {"execution": execution, "account": account, "region": region}
            self._fetches.submit(attempt, {**body, **facts})
        return found


def _revision(execution: store.Document, inputs: list[dict[str, str]]) -> str:
    """The source revision of an action's first input; empty where no source made the input."""
    wanted = inputs[0]["name"] if inputs else ""
    found = (each["id"] for each in execution["revisions"] if each["artifact"] == wanted)
    return str(next(found, ""))


def _known(execution: store.Document) -> dict[str, dict[str, str]]:
    """The variables of an execution by namespace."""
    return {
        **execution["namespaces"],
        "codepipeline": {"PipelineExecutionId": execution["id"]},
        "variables": execution["variables"],
    }


def _apply(
    execution: store.Document,
    at: float,
    attempt: str,
    outcome: Outcome | ActionFailed,
    inputs: list[dict[str, str]],
    configuration: dict[str, str],
) -> list[Change]:
    """Write what a look found into the execution, unless the action ended in the meantime."""
    made = executions.find(execution, attempt)
    if made is None or made["status"] != executions.IN_PROGRESS:
        return []
    made |= {"input": inputs, "configuration": configuration}
    if isinstance(outcome, ActionFailed):
        error = {"code": outcome.code, "message": str(outcome)[:5000]}
        machine.end_attempt(made, "Failed", at, error=error)
        return [Change(execution, "FAILED", made["stage"], made)]
    made["memory"] = outcome.memory
    if outcome.external:
        made["external"] = outcome.external
    if outcome.status == executions.IN_PROGRESS:
        return []
    machine.end_attempt(made, outcome.status, at, output=outcome.output)
    made["variables"] = outcome.variables
    if outcome.summary:
        made["summary"] = outcome.summary
    for each in outcome.output:
        execution["artifacts"][each["name"]] = each
    action = executions.action_of(execution, made)
    if name := action.get("namespace"):
        execution["namespaces"][name] = outcome.variables
    if outcome.revision:
        _revise(execution, made, action, outcome, at)
    return [Change(execution, "SUCCEEDED", made["stage"], made)]


def _revise(
    execution: store.Document, made: store.Document, action: Any, outcome: Outcome, at: float
) -> None:
    execution["revisions"].append(
        {
            "action": made["action"],
            "artifact": action["outputArtifacts"][0]["name"],
            "id": outcome.revision["id"],
            "summary": outcome.revision["summary"],
            "created": at,
        }
    )
