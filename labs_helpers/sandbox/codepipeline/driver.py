"""The worker that lets actions run: each look at an action is a call or two with its role's rights.

One thread does this for all pipelines. An action is looked at when a service said that something
ended (`wake`), and otherwise every `_LOOK` seconds while an action runs, and every `_LOOK_AT_RULES`
seconds while a rule does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from labs_helpers.sandbox.codepipeline import (
    conditions,
    executions,
    outcomes,
    references,
    rules,
    store,
)
from labs_helpers.sandbox.codepipeline.actions import ACTS
from labs_helpers.sandbox.codepipeline.actions.work import (
    ActionFailed,
    Outcome,
    Work,
    failed_call,
)
from labs_helpers.sandbox.codepipeline.definition import artifact_bucket
from labs_helpers.sandbox.codepipeline.fetches import Fetches
from labs_helpers.sandbox.codepipeline.pipelines import Pipelines
from labs_helpers.sandbox.codepipeline.polling import Polling
from labs_helpers.sandbox.codepipeline.sessions import Sessions
from labs_helpers.sandbox.iam.service_roles import RoleRefused, is_away
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.worker import Worker

log = logging.getLogger(__name__)

Archive = Callable[[store.Place, str, str], bytes]
"""(place, repository, commit) -> the commit's files as a ZIP file."""

_LOOK = 0.5
"""Seconds between two looks at actions that run."""
_LOOK_AT_RULES = 2.0
"""The same for rules alone, which may watch an alarm for an hour, by a request a look."""


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
        self._watching = False

    def has_work(self) -> bool:
        with self.store.read() as db:
            return bool(store.at_work(db))

    def look_at_sources(self, url: str) -> None:
        """Wake up: an object was written, which may be a pipeline's source."""
        self._polling.wrote(url)
        self.wake()

    def patience(self) -> float | None:
        if self._looking:
            return _LOOK
        return _LOOK_AT_RULES if self._watching else None

    def work(self) -> None:
        """Look at each action and rule that runs until none of them changes any more."""
        self._looking = self._watching = False
        self._polling.run()
        changed = True
        while changed and not self.closing:
            changed = False
            active = self._active()
            self._sessions.keep(
                one["id"]
                for _, execution in active
                for one in (
                    *executions.running(execution),
                    *(rule for _, rule in conditions.running(execution)),
                )
            )
            for place, execution in active:
                with self.apart(f"{execution['pipeline']}, execution {execution['id']}"):
                    changed |= self._go_on(place, execution)

    def _go_on(self, place: store.Place, execution: store.Document) -> bool:
        """One look at what runs of an execution; whether anything changed."""
        changed = False
        for made in list(executions.running(execution)):
            if self.closing:
                return changed
            changed |= self._look(place, execution, made)
        for run, rule in list(conditions.running(execution)):
            if self.closing:
                return changed
            changed |= self._look_at_rule(place, execution, run, rule)
        return changed

    def _active(self) -> list[tuple[store.Place, store.Document]]:
        with self.store.read() as db:
            return [
                (place, execution)
                for place, name in store.at_work(db)
                for execution in store.executions(db, place, name, only_active=True)
            ]

    def _look(self, place: store.Place, execution: store.Document, made: store.Document) -> bool:
        """One look at an action; whether anything changed."""
        action = executions.action_of(execution, made)
        inputs: list[dict[str, str]] = []
        configuration: dict[str, str] = dict(action["configuration"])

        def look() -> Outcome:
            inputs.extend(_artifacts(execution, action))
            configuration.update(references.resolved(action["configuration"], _known(execution)))
            kind = action["actionTypeId"]
            work = self._work(place, execution, made, action, inputs, configuration)
            return ACTS[kind["category"], kind["provider"]](work)

        outcome = self._outcome(f"{execution['pipeline']}/{made['action']}", look)
        if outcome is None:
            return False
        running = isinstance(outcome, Outcome) and outcome.status == executions.IN_PROGRESS
        if running and action["actionTypeId"]["category"] != "Approval":
            self._looking = True
        if running and isinstance(outcome, Outcome) and outcome.memory == made["memory"]:
            return False
        change = partial(
            outcomes.write_action,
            attempt=made["id"],
            outcome=outcome,
            inputs=inputs,
            configuration=configuration,
        )
        self._pipelines.change(place, execution["id"], change)
        if not running:
            self._fetches.forget(made["id"])
        return True

    def _look_at_rule(
        self, place: store.Place, execution: store.Document, run: store.Document, rule: Any
    ) -> bool:
        """One look at a rule of a condition; whether anything changed."""
        declared = conditions.rule_of(execution, run, rule["rule"])
        configuration: dict[str, str] = dict(declared["configuration"])

        def look() -> Outcome:
            known = _known(execution)
            configuration.update(references.resolved(declared["configuration"], known, "rule"))
            session = self._sessions.of(rule["id"], execution["declaration"], declared, place)
            since = self._pipelines.clock.now().timestamp() - rule["started"]
            given = rules.Look(
                configuration,
                session.client,
                since,
                run["type"],
                rule["memory"],
                declared.get("timeoutInMinutes"),
            )
            return rules.look_at(declared["ruleTypeId"]["provider"], given)

        outcome = self._outcome(f"{execution['pipeline']}/{rule['rule']}", look)
        if outcome is None:
            return False
        running = isinstance(outcome, Outcome) and outcome.status == executions.IN_PROGRESS
        self._watching |= running
        if running and isinstance(outcome, Outcome) and outcome.memory == rule["memory"]:
            return False
        change = partial(
            outcomes.write_rule, rule_id=rule["id"], outcome=outcome, configuration=configuration
        )
        self._pipelines.change(place, execution["id"], change)
        return True

    def _outcome(self, label: str, look: Callable[[], Outcome]) -> Outcome | ActionFailed | None:
        """What a look found, or how the look failed; None for the next look to tell."""
        try:
            return look()
        except ActionFailed as error:
            return error
        except references.Unresolved as error:
            return ActionFailed("ConfigurationError", str(error))
        except RoleRefused as error:
            return ActionFailed("PermissionError", str(error))
        except Exception as error:
            if is_away(error):  # another look will tell
                log.info("%s: %s", label, error)
                self._looking = True
                return None
            log.info("%s failed", label, exc_info=True)
            return failed_call(error)

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


def _artifacts(execution: store.Document, action: Any) -> list[dict[str, str]]:
    """The input artifacts of an action; raises ActionFailed where a stage was skipped."""
    made = execution["artifacts"]
    for each in action["inputArtifacts"]:
        if each["name"] not in made:
            raise ActionFailed(
                "ConfigurationError",
                f"The input artifact {each['name']} does not exist: the stage that makes it was "
                "skipped",
            )
    return [made[each["name"]] for each in action["inputArtifacts"]]


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
