"""The service scheduler: keeps the tasks of each service as the service says."""

from __future__ import annotations

import json
import sqlite3
import time
from functools import partial

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecs import deployments, events, rolling, store, tasks
from labs_helpers.sandbox.ecs.naming import Document, Place, of_definition
from labs_helpers.sandbox.ecs.owner import TOPIC, Tasks, no_role
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.worker import Worker

_SOON = 0.25
"""Seconds between two looks while a deployment waits for time to pass."""
_WARNINGS = {"SERVICE_TASK_START_IMPAIRED": "WARN"}


class Scheduler(Worker[Store]):
    """Looks after each change of a task or a service, and soon again while something waits."""

    name = "ecs-scheduler"
    topic = TOPIC
    failure = "the services of ECS could not be looked at"

    def __init__(self, state: Store, clock: Clock, owner: Tasks, emit: Emit) -> None:
        super().__init__(state)
        self._clock = clock
        self._owner = owner
        self._emit = emit
        self._again = False

    def has_work(self) -> bool:
        with self.store.read() as db:
            return bool(store.live_services(db))

    def patience(self) -> float | None:
        return _SOON if self._again else None

    def work(self) -> None:
        self._again = False
        with self.store.read() as db:
            live = store.live_services(db)
        for place, cluster, name in live:
            if self.closing:
                return
            self._look(place, cluster, name)

    def _look(self, place: Place, cluster: str, name: str) -> None:
        with self.store.write() as db:
            service = store.service(db, place, cluster, name)
            if service is None or service["status"] == store.INACTIVE:
                return
            before = json.dumps(service)
            found = store.tasks(db, place, cluster, name)
            now = self._clock.now().timestamp()
            made = rolling.plan(service, found, now, time.time())
            for task, code, reason in made.stop:
                self._owner.stop(db, place, task, code, reason)
            if made.start:
                self._start(db, place, cluster, service, made)
            self._again |= made.again
            deployments.count(service, store.tasks(db, place, cluster, name))
            if json.dumps(service) != before:
                store.save_service(db, place, cluster, service)
            self._announce(place, service, made)

    def _start(
        self,
        db: sqlite3.Connection,
        place: Place,
        cluster: str,
        service: Document,
        made: rolling.Plan,
    ) -> None:
        now = self._clock.now().timestamp()
        deployment = deployments.primary(service)
        family, revision = of_definition(deployment["taskDefinition"])
        definition = store.definition(db, place, family, revision)
        if definition is None:
            raise RuntimeError(f"{deployment['taskDefinition']} of a service is gone")
        refused = self._owner.check_roles(definition, place)
        if refused:
            said = f"failed to launch a task with (error {no_role(refused)})."
            deployments.say(service, said, now)
            rolling.failed(service, deployment, made, now, time.time())
            return
        start = tasks.Start(
            cluster=cluster,
            group=f"service:{service['serviceName']}",
            started_by=deployment["id"],
            service=service["serviceName"],
            deployment=deployment["id"],
            digests=deployment["_digests"],
            tags=_tags(service, definition),
        )
        new = [tasks.new(definition, {}, start, place, now) for _ in range(made.start)]
        for each in new:
            self._owner.submit(db, place, cluster, each)
        said = f"has started {len(new)} tasks: {deployments.listed(new)}."
        deployments.say(service, said, now)
        service["_steady"] = False

    def _announce(self, place: Place, service: Document, made: rolling.Plan) -> None:
        now = self._clock.now()
        for name, deployment, reason in made.news:
            if deployment:
                new = events.deployment_changed(service, name, deployment, reason, place, now)
            else:
                kind = _WARNINGS.get(name, "INFO")
                new = events.service_acted(service, name, kind, place, now)
            self.store.after_commit(partial(self._emit, new))


def _tags(service: Document, definition: Document) -> list[dict[str, str]]:
    """propagateTags: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html"""
    source = {"SERVICE": service, "TASK_DEFINITION": definition}.get(service["propagateTags"])
    return list(source.get("_tags", [])) if source else []
