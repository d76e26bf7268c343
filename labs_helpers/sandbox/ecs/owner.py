"""The tasks at the desk: what the runner is given, and what its reports make of a task.

Events of the runner (labs_helpers/runner/task.py):
    {"type": "pulled", "digests": {container: digest}},
    {"type": "started", "containers": [{"name", "runtimeId", "networkBindings"}]},
    {"type": "health", "container", "status"},
    {"type": "ended", "stopCode", "stoppedReason", "containers": [{"name", "exitCode", "reason"}]}
    or {"type": "ended", "fault"}
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecs import events, store, tasks
from labs_helpers.sandbox.ecs.naming import Document, Place
from labs_helpers.sandbox.iam.service_roles import (
    WHILE_IT_WORKS,
    Principal,
    RoleRefused,
    ServiceRoles,
)
from labs_helpers.sandbox.service import jobs
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.jobs import ENDED, Event, Job
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk

KIND = "ecs-task"
ECS_TASKS = Principal("ecs-tasks.amazonaws.com", "ECS")
TOPIC = "tasks"
"""What the store notifies of when a task or a service has changed: the scheduler looks."""

FAILED_TO_START = "TaskFailedToStart"
_ROLES = ("executionRoleArn", "taskRoleArn")

_AFTERWARDS = timedelta(hours=6)
"""How long the sessions of a task's roles live on after the task.

ECS gives a running task new credentials from time to time; here the first ones last, whatever the
clock does: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
"""

Change = Callable[[Document, float], None]


class Tasks:
    """`jobs.Owner` of ECS's tasks; thread-safe."""

    def __init__(
        self, state: Store, clock: Clock, roles: ServiceRoles, emit: Emit, desk: Desk
    ) -> None:
        self._store = state
        self._clock = clock
        self._roles = roles
        self._emit = emit
        self._desk = desk

    def check_roles(self, definition: Mapping[str, Any], place: Place) -> str:
        """The role of a task definition that ECS may not take; empty where ECS may take all."""
        for name in _ROLES:
            role = definition.get(name)
            try:
                if role:
                    self._roles.check(role, ECS_TASKS, _keys(place))
            except RoleRefused:
                return str(role)
        return ""

    def submit(self, db: sqlite3.Connection, place: Place, cluster: str, task: Document) -> None:
        """In a transaction: a new task, which waits for the runner."""
        store.forget_old_tasks(db, self._clock.now().timestamp())
        store.add_task(db, place, cluster, task["_service"], task)
        body = {"account": place[0], "region": place[1]}
        jobs.submit(self._store, db, Job(task["_id"], KIND, body))
        self._announce(place, task)

    def stop(
        self, db: sqlite3.Connection, place: Place, task: Document, code: str, reason: str
    ) -> None:
        """In a transaction: end a task, at once where no runner has the task.

        A task behind a load balancer leaves the load balancer first: `release` ends the task then.
        """
        if task["lastStatus"] == tasks.STOPPED:
            return
        at = self._clock.now().timestamp()
        tasks.stopping(task, code, reason, at)
        if jobs.withdraw(db, task["_id"]):
            tasks.stopped(task, code, reason, at)
        elif task.get("_groups") and task["lastStatus"] in (tasks.RUNNING, tasks.LEAVING):
            task["lastStatus"] = tasks.LEAVING
        else:
            self._store.after_commit(partial(self._desk.stop, task["_id"]))
        store.save_task(db, task)
        self._announce(place, task)

    def release(self, task: Document) -> None:
        """End a task that has left its load balancers; a second call does nothing more."""
        self._store.after_commit(partial(self._desk.stop, task["_id"]))

    def claimed(self, job: Job) -> dict[str, Any] | None:
        """The task is PENDING; sessions of its roles, None for a task that need not run."""
        place = _place(job)
        with self._store.read() as db:
            task = store.task(db, place, job.id)
        if task is None or task["lastStatus"] == tasks.STOPPED:
            return None
        sessions: dict[str, dict[str, str] | None] = {}
        for name in _ROLES:
            role = task["_definition"].get(name)
            try:
                sessions[name] = None if not role else self._session(role, place, job.id)
            except RoleRefused:
                self._change(place, job.id, partial(_ended, reason=no_role(role)))
                return None
        keys = [one["AWS_ACCESS_KEY_ID"] for one in sessions.values() if one]
        self._change(place, job.id, partial(_pending, sessions=keys))
        return {
            "task": {key: task[key] for key in ("taskArn", "clusterArn", "group")},
            "definition": task["_definition"],
            "digests": task["_digests"],
            "id": job.id,
            "execution": sessions["executionRoleArn"],
            "role": sessions["taskRoleArn"],
            "roleArn": task["_definition"].get("taskRoleArn", ""),
        }

    def reported(self, job: Job, reports: Sequence[Event]) -> None:
        for each in reports:
            self._change(_place(job), job.id, partial(_apply, event=each))

    def lost(self, job: Job, why: str) -> None:
        """The task has stopped, and its reason says that nobody looks after its containers."""
        self._change(_place(job), job.id, partial(_lost, reason=why))

    def _session(self, role: str, place: Place, task_id: str) -> dict[str, str]:
        taken = self._roles.assume(role, ECS_TASKS, task_id, place[1], _keys(place), WHILE_IT_WORKS)
        return taken.environment

    def _change(self, place: Place, task_id: str, change: Change) -> None:
        """Change a task that has not stopped, and emit what changed."""
        with self._store.write() as db:
            task = store.task(db, place, task_id)
            if task is None or task["lastStatus"] == tasks.STOPPED:
                return
            change(task, self._clock.now().timestamp())
            if task["lastStatus"] == tasks.STOPPED:
                for key in task.pop("_sessions", ()):
                    self._store.after_commit(partial(self._roles.end, key, _AFTERWARDS))
            store.save_task(db, task)
            self._announce(place, task)

    def _announce(self, place: Place, task: Document) -> None:
        self._store.notify(TOPIC)
        found = events.task_changed(task, place, self._clock.now())
        self._store.after_commit(partial(self._emit, found))


def no_role(role: str) -> str:
    """ECS's words for a role that ECS may not take.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html, and
    https://github.com/aws/aws-cdk/issues/15106
    """
    return (
        f"ECS was unable to assume the role '{role}' that was provided for this task. Please "
        "verify that the role being passed has the proper trust relationship and permissions and "
        "that your IAM user has permissions to pass this role."
    )


def _keys(place: Place) -> dict[str, tuple[str, ...]]:
    account, region = place
    return {
        "aws:sourcearn": (f"arn:aws:ecs:{region}:{account}:*",),
        "aws:sourceaccount": (account,),
    }


def _place(job: Job) -> Place:
    return job.body["account"], job.body["region"]


def _pending(task: Document, at: float, sessions: Sequence[str]) -> None:
    """sessions: the access keys of the task's roles, which end some time after the task."""
    task["_sessions"] = [*sessions]
    task |= {"lastStatus": tasks.PENDING, "pullStartedAt": at, "connectivityAt": at}
    task["connectivity"] = "CONNECTED"
    task["version"] += 1


def _ended(task: Document, at: float, reason: str) -> None:
    tasks.stopped(task, FAILED_TO_START if "startedAt" not in task else "", reason, at)
    if not task["stopCode"]:
        task.pop("stopCode")


def _lost(task: Document, at: float, reason: str) -> None:
    task["_lost"] = True
    _ended(task, at, reason)


def _apply(task: Document, at: float, event: Event) -> None:
    match event["type"]:
        case "pulled":
            task["pullStoppedAt"] = at
            for each in task["containers"]:
                each["imageDigest"] = event["digests"][each["name"]]
        case "started":
            tasks.started(task, event["containers"], at)
        case "health":
            tasks.healthy(task, event["container"], event["status"])
        case other if other == ENDED and "fault" in event:
            _ended(task, at, event["fault"])
        case other if other == ENDED:
            code, reason = event["stopCode"], event["stoppedReason"]
            tasks.stopped(task, code, reason, at, event["containers"])
