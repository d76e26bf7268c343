"""The service scheduler: keeps the tasks of each service as the service says."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from labs_helpers.sandbox.balancing.store import Target
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecs import (
    alarms,
    balanced,
    deployments,
    events,
    releases,
    rolling,
    shifting,
    store,
    task_sets,
    tasks,
)
from labs_helpers.sandbox.ecs.balanced import Balancers
from labs_helpers.sandbox.ecs.naming import Document, Place, of_definition
from labs_helpers.sandbox.ecs.owner import TOPIC, Tasks, no_role
from labs_helpers.sandbox.ecs.plans import Plan
from labs_helpers.sandbox.ecs.traffic import Traffic, TrafficRefused
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.worker import Worker

Planning = Callable[[Document, Sequence[Document], float, float], Plan]
_SOON = 0.25
"""Seconds between two looks while a deployment waits for time to pass."""
_AFTER_A_REFUSAL = 2.0
"""Seconds after which a change of traffic that was refused is tried again."""
_LATER = 60.0
"""Seconds between two looks at the sandbox clock, which tells of being moved, too."""
_WARNINGS = {"SERVICE_TASK_START_IMPAIRED": "WARN"}


class Scheduler(Worker[Store]):
    """Looks after each change of a task or a service, and soon again while something waits."""

    name = "ecs-scheduler"
    topic = TOPIC
    failure = "the services of ECS could not be looked at"

    def __init__(
        self,
        state: Store,
        clock: Clock,
        owner: Tasks,
        emit: Emit,
        balancers: Balancers,
        roles: ServiceRoles,
        alarms_of: alarms.Look,
    ) -> None:
        super().__init__(state)
        self._alarms_of = alarms_of
        self._balancers = balancers
        self._traffic = Traffic(balancers, roles)
        self._clock = clock
        self._owner = owner
        self._emit = emit
        self._again = False
        self._due: float | None = None
        self._refused_until: dict[str, float] = {}

    def has_work(self) -> bool:
        with self.store.read() as db:
            return bool(store.live_services(db))

    def patience(self) -> float | None:
        if self._again:
            return _SOON
        if self._due is None:
            return None
        left = self._due - self._clock.now().timestamp()
        return min(max(left, _SOON), _LATER)

    def work(self) -> None:
        self._again, self._due = False, None
        with self.store.read() as db:
            live = store.live_services(db)
        for place, cluster, name in live:
            if self.closing:
                return
            with self.apart(f"service {name} of cluster {cluster}"):
                self._look(place, cluster, name)

    def _look(self, place: Place, cluster: str, name: str) -> None:
        with self.store.write() as db:
            service = store.service(db, place, cluster, name)
            if service is None or service["status"] == store.INACTIVE:
                return
            before = json.dumps(service)
            found = store.tasks(db, place, cluster, name)
            health = self._balancers.health(service["serviceArn"]) if _balances(service) else {}
            balanced.note_health(service, found, health)
            for task in found:
                if balanced.has_left(service, task, health):
                    self._owner.release(task)
            now = self._clock.now().timestamp()
            alarms.watch(service, place, self._alarms_of)
            made = _planning(service)(service, found, now, time.time())
            for task, code, reason in made.stop:
                self._owner.stop(db, place, task, code, reason)
            for deployment, count in made.starts.items():
                if count:
                    self._start(db, place, cluster, service, deployment, count, made)
            self._again |= made.again
            if made.due is not None:
                self._look_again_in(made.due - now)
            left = store.tasks(db, place, cluster, name)
            deployments.count(service, left)
            if json.dumps(service) != before:
                store.save_service(db, place, cluster, service)
            self._announce(place, service, made)
        if _balances(service):
            self._balance(place, cluster, service, left)
        if service.get("_traffic", {}) != service.get("_applied", {}):
            wait = self._refused_until.get(service["serviceArn"], 0.0) - time.monotonic()
            if wait <= 0:
                self._shift(place, cluster, service)
            else:
                self._look_again_in(wait)

    def _shift(self, place: Place, cluster: str, service: Document) -> None:
        """Have the listeners' rules send the visitors as the deployment says, by its own role."""
        wanted = service["_traffic"]
        try:
            for each in service["loadBalancers"]:
                self._traffic.send(each["advancedConfiguration"], wanted, place)
            failure = ""
        except TrafficRefused as error:
            failure = str(error)
        with self.store.write() as db:
            there = store.service(db, place, cluster, service["serviceName"])
            if there is None:
                return
            if failure:
                until = time.monotonic() + _AFTER_A_REFUSAL
                self._refused_until[service["serviceArn"]] = until
                self._look_again_in(_AFTER_A_REFUSAL)
                if there.get("_refused") != failure:
                    there["_refused"] = failure
                    now = self._clock.now().timestamp()
                    deployments.say(there, f"was unable to shift traffic: {failure}", now)
            else:
                there |= {"_applied": wanted, "_refused": ""}
                self.store.notify(TOPIC)
            store.save_service(db, place, cluster, there)

    def _look_again_in(self, seconds: float) -> None:
        """By the sandbox clock, which wakes the scheduler when somebody moves the clock."""
        due = self._clock.now().timestamp() + seconds
        self._due = min(due, self._due or due)

    def _balance(
        self, place: Place, cluster: str, service: Document, found: list[Document]
    ) -> None:
        """Register the tasks that run, and deregister those that are to stop."""
        wanted = balanced.wanted(service, found)
        new, gone = self._balancers.keep(service["serviceArn"], wanted)
        if not new and not gone:
            return
        with self.store.write() as db:
            there = store.service(db, place, cluster, service["serviceName"])
            if there is None:
                return
            now = self._clock.now().timestamp()
            for group, count in _by_group(new).items():
                said = f"registered {count} targets in (target-group {group})"
                deployments.say(there, said, now)
            if gone:
                said = f"has begun draining connections on {len(gone)} tasks."
                deployments.say(there, said, now)
            for group, count in _by_group(gone).items():
                said = f"deregistered {count} targets in (target-group {group})"
                deployments.say(there, said, now)
            store.save_service(db, place, cluster, there)
            self.store.notify(TOPIC)

    def _start(
        self,
        db: sqlite3.Connection,
        place: Place,
        cluster: str,
        service: Document,
        number: str,
        count: int,
        made: Plan,
    ) -> None:
        now = self._clock.now().timestamp()
        deployment = next(each for each in service["deployments"] if each["id"] == number)
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
            groups=deployment.get("_groups") or (),
            tags=_tags(service, definition),
        )
        new = [tasks.new(definition, {}, start, place, now) for _ in range(count)]
        for each in new:
            self._owner.submit(db, place, cluster, each)
        said = f"has started {len(new)} tasks: {deployments.listed(new)}."
        deployments.say(service, said, now)
        service["_steady"] = False

    def _announce(self, place: Place, service: Document, made: Plan) -> None:
        now = self._clock.now()
        for name, deployment, reason in made.news:
            if deployment:
                new = events.deployment_changed(service, name, deployment, reason, place, now)
            else:
                kind = _WARNINGS.get(name, "INFO")
                new = events.service_acted(service, name, kind, place, now)
            self.store.after_commit(partial(self._emit, new))


def _planning(service: Document) -> Planning:
    """What decides about a service."""
    if task_sets.has(service):
        return task_sets.plan
    return rolling.plan if _rolls(service) else shifting.plan


def _rolls(service: Document) -> bool:
    """A deployment that is under way ends as it began, whatever the service says since."""
    release = releases.current(service)
    config = service if release is None else release
    return bool(config["deploymentConfiguration"].get("strategy", "ROLLING") == "ROLLING")


def _balances(service: Document) -> bool:
    return bool(service["loadBalancers"])


def _by_group(found: Iterable[Target]) -> Counter[str]:
    return Counter(each.group for each in found)


def _tags(service: Document, definition: Document) -> list[dict[str, str]]:
    """propagateTags: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html"""
    source = {"SERVICE": service, "TASK_DEFINITION": definition}.get(service["propagateTags"])
    return list(source.get("_tags", [])) if source else []
