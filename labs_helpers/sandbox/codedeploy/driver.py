"""The worker that carries deployments out: each look is a few calls with the service role's rights.

One thread does this for all deployments. It looks after each change that CodeDeploy's operations
make, when ECS or an alarm may have changed (`wake`), when the sandbox clock says so, and soon again
while a task set starts.
"""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codedeploy import deployments, events, stages, store
from labs_helpers.sandbox.codedeploy.store import Document, Place
from labs_helpers.sandbox.codedeploy.work import Failure, Work
from labs_helpers.sandbox.iam.service_roles import (
    Assumed,
    Principal,
    RoleRefused,
    ServiceRoles,
    is_away,
)
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.worker import Worker

log = logging.getLogger(__name__)

CODEDEPLOY = Principal("codedeploy.amazonaws.com", "AWS CodeDeploy")
_SOON = 0.25
"""Seconds between two looks while a task set starts."""
_LATER = 60.0
"""Seconds between two looks at the sandbox clock."""
_RINGS = (
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you "
    "selected, and the affected deployments have been stopped. Activated alarms: {names}"
)
"""As AWS answers: see deployments.py."""


def no_role(role: str) -> str:
    """AWS's sentence on a role that CodeDeploy may not take."""
    return f"AWS CodeDeploy does not have the permissions required to assume the role {role}."


def keys(place: Place) -> dict[str, tuple[str, ...]]:
    """aws:SourceArn and aws:SourceAccount, for the role's trust policy."""
    account, region = place
    return {
        "aws:sourcearn": (f"arn:aws:codedeploy:{region}:{account}:*",),
        "aws:sourceaccount": (account,),
    }


class Driver(Worker[Store]):
    """Carries out every deployment that has not ended."""

    name = "codedeploy"
    topic = store.TOPIC
    failure = "the deployments of CodeDeploy could not go on"

    def __init__(self, state: Store, clock: Clock, roles: ServiceRoles, emit: Emit) -> None:
        super().__init__(state)
        self._clock = clock
        self._roles = roles
        self._emit = emit
        self._soon = False
        self._due: float | None = None
        self._sessions: dict[str, Assumed] = {}
        self._clients: dict[tuple[str, str], Any] = {}

    def has_work(self) -> bool:
        with self.store.read() as db:
            return bool(store.at_work(db))

    def patience(self) -> float | None:
        if self._soon:
            return _SOON
        if self._due is None:
            return None
        return min(max(self._due - self._clock.now().timestamp(), _SOON), _LATER)

    def work(self) -> None:
        self._soon, self._due = False, None
        with self.store.read() as db:
            waiting = store.at_work(db)
        for place, number in waiting:
            if self.closing:
                return
            with self.apart(f"deployment {number}"):
                self._look(place, number)

    def _look(self, place: Place, number: str) -> None:
        with self.store.read() as db:
            found = store.deployment(db, place, number)
        if found is None or found[0]["status"] in deployments.ENDED:
            return
        doc, version = found
        before = json.dumps(doc)
        at = self._clock.now().timestamp()
        work = Work(doc, partial(self._client, place, doc), at)
        failure = None
        try:
            _listen(work)
            stages.go(work)
        except Failure as error:
            failure = error
        except RoleRefused:
            failure = Failure("IAM_ROLE_PERMISSIONS", no_role(doc["role"]))
        except Exception as error:
            if is_away(error):  # another look will tell
                log.info("%s: %s", number, error)
                self._soon = True
                return
            log.exception("%s failed", number)
            failure = Failure(
                "INTERNAL_ERROR", f"The sandbox failed here: {error!r}. See sandbox.log."
            )
        self._soon |= work.soon
        if work.due:
            self._due = min(work.due, self._due or work.due)
        if failure is not None or json.dumps(doc) != before:
            self._save(place, doc, version, json.loads(before)["status"], failure)
        if doc["status"] in deployments.ENDED:
            self._forget(number)

    def _save(
        self, place: Place, doc: Document, version: int, before: str, failure: Failure | None
    ) -> None:
        """Unless somebody has changed the deployment in the meantime: then look again."""
        now = self._clock.now()
        doc["updated"] = now.timestamp()
        made = None
        if failure is not None:
            why = deployments.ON_ALARM if failure.code == "ALARM_ACTIVE" else deployments.ON_FAILURE
            made = deployments.end(
                doc, failure.status, now.timestamp(), failure.code, str(failure), why
            )
        with self.store.write() as db:
            if not store.save_deployment(db, doc, version):
                self._soon = True
                return
            if made is not None:
                store.add_deployment(db, place, made)
                self.store.notify(store.TOPIC)
            if doc["status"] != before:
                self.announce(place, doc)

    def announce(self, place: Place, doc: Document) -> None:
        """Emit the event of a deployment's status after the commit."""
        found = events.changed(doc, place, self._clock.now())
        if found is not None:
            self.store.after_commit(partial(self._emit, found))

    def _client(self, place: Place, doc: Document, service: str) -> Any:
        """A client with the role's rights, kept until the deployment has ended."""
        number = doc["id"]
        if number not in self._sessions or not self._roles.lasts(self._sessions[number]):
            self._forget(number)
            self._sessions[number] = self._roles.assume(
                doc["role"], CODEDEPLOY, number, place[1], keys(place)
            )
        if (number, service) not in self._clients:
            self._clients[number, service] = self._sessions[number].client(service)
        return self._clients[number, service]

    def _forget(self, number: str) -> None:
        self._sessions.pop(number, None)
        self._clients = {key: each for key, each in self._clients.items() if key[0] != number}


def _listen(work: Work) -> None:
    """Raise Failure where an alarm of the deployment rings."""
    alarms = work.doc["alarms"]
    names = [each["name"] for each in alarms.get("alarms") or []]
    if not alarms.get("enabled") or not names:
        return
    try:
        ringing = work.ringing(names)
    except Failure:
        if alarms.get("ignorePollAlarmFailure"):
            return
        raise
    if ringing:
        listed = " ".join(f"<{name}>" for name in ringing)
        raise Failure("ALARM_ACTIVE", _RINGS.format(names=listed), deployments.STOPPED)
