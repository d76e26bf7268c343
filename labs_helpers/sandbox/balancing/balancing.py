"""Load balancing at the desk: what the runner balances, and what its reports make of the targets.

The runner has one job, for all load balancers (labs_helpers/runner/balancer). The job asks what
there is by a long poll:

    POST /_labs/balancing {"seen", "seconds"} -> {"version", "listeners", "groups"}
    GET  /_labs/balancing -> {"balancers": [{"name", "arn", "listeners": [{"port", "address"}]}]}

and reports
    {"type": "health", "group", "id", "port", "state", "reason", "description"},
    {"type": "drained", "group", "id", "port"},
    {"type": "taken", "listener", "port"}: another program has the loopback port.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.balancing import shown, store
from labs_helpers.sandbox.balancing.store import DRAINING, Document, Target
from labs_helpers.sandbox.control_api import ControlRefused, Routes
from labs_helpers.sandbox.service import jobs
from labs_helpers.sandbox.service.jobs import Event, Job
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk

log = logging.getLogger(__name__)

KIND = "load-balancing"
TOPIC = "balancing"
"""What the store notifies of when a listener, a group or a target has changed."""
_LONGEST_POLL = 50.0


class Balancing:
    """`jobs.Owner` of the one job, and what ECS asks of load balancers. Thread-safe.

    look: `moto.balancers.look`; name_all: `moto.balancers.name_all`.
    """

    def __init__(
        self,
        state: Store,
        desk: Desk,
        look: Callable[[], Document],
        name_all: Callable[[Mapping[str, str]], None],
    ) -> None:
        self.store = state
        self._desk = desk
        self._look = look
        self._name_all = name_all
        self._looking = threading.Lock()
        self._changed = threading.Condition()
        self._version = time.time_ns()
        self._closing = False
        state.subscribe(TOPIC, self._turned)

    # what there is

    def refresh(self) -> None:
        """Look at the load balancers again, after a call of Elastic Load Balancing."""
        with self._looking:
            found = self._look()
            with self.store.write() as db:
                if found != store.look(db):
                    store.save_look(db, found)
                    store.forget_groups(db, found["groups"])
                    self.store.notify(TOPIC)
                ports = store.ports(db)
                wanted = {
                    arn: ports.get(arn) or _free_port() for arn in _served(found["listeners"])
                }
                if wanted != ports:
                    store.save_ports(db, wanted)
                    self.store.notify(TOPIC)
                self._employ(db)
            self._name_all(shown.addresses(found["listeners"], wanted))

    def group(self, arn: str) -> Document | None:
        """A target group as `moto.balancers.look` has it."""
        with self.store.read() as db:
            found: Document | None = store.look(db)["groups"].get(arn)
        return found

    def group_named(self, place: tuple[str, str], name: str) -> str:
        """The ARN of the target group of a name in an account and region; empty for none."""
        account, region = place
        with self.store.read() as db:
            groups = store.look(db)["groups"]
        prefix = f"arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/"
        return next((arn for arn in groups if arn.startswith(prefix)), "")

    def listener(self, arn: str) -> str:
        """The protocol of a listener; empty for no such listener."""
        with self.store.read() as db:
            listeners = store.look(db)["listeners"]
        return str(listeners[arn]["protocol"]) if arn in listeners else ""

    def rule(self, arn: str) -> Document | None:
        """A rule, with "listener", and "default" for a listener's default rule."""
        with self.store.read() as db:
            listeners = store.look(db)["listeners"]
        for listener, body in listeners.items():
            for rule in body["rules"]:
                if rule["arn"] == arn:
                    return {**rule, "listener": listener, "default": rule["priority"] == "default"}
        return None

    # targets

    def keep(self, owner: str, wanted: Iterable[Target]) -> tuple[list[Target], list[Target]]:
        """Make these the targets of an owner: (those now registered, those now drained)."""
        with self.store.write() as db:
            there = {_target(row): row["state"] for row in store.targets(db, owner=owner)}
            known = store.look(db)["groups"]
            kept = {each for each in wanted if each.group in known}
            new = [each for each in sorted(kept) if there.get(each, DRAINING) == DRAINING]
            gone = [each for each, state in there.items() if each not in kept]
            gone = [each for each in gone if there[each] != DRAINING]
            for each in new:
                store.register(db, each, owner)
            for each in gone:
                store.drain(db, each)
            if new or gone:
                self.changed(db)
        return new, gone

    def health(self, owner: str) -> dict[Target, tuple[str, str]]:
        """Target -> (state, description), of an owner's targets."""
        with self.store.read() as db:
            rows = store.targets(db, owner=owner)
        return {_target(row): (row["state"], row["description"]) for row in rows}

    def changed(self, db: sqlite3.Connection) -> None:
        """In a transaction that changed targets: tell the runner."""
        self.store.notify(TOPIC)
        self._employ(db)

    # the runner

    def _employ(self, db: sqlite3.Connection) -> None:
        """In a transaction: have the job while there is something to balance or to check."""
        needed = bool(store.ports(db)) or bool(store.targets(db))
        there = db.execute("select id from jobs").fetchone()
        if needed and there is None:
            jobs.submit(self.store, db, Job(str(uuid.uuid4()), KIND, {}))
        if not needed and there is not None and not jobs.withdraw(db, there["id"]):
            self.store.after_commit(lambda: self._desk.stop(there["id"]))

    def claimed(self, job: Job) -> dict[str, Any] | None:
        return {}

    def reported(self, job: Job, events: Sequence[Event]) -> None:
        ended = False
        for event in events:
            match event["type"]:
                case "health":
                    self._found(event)
                case "drained":
                    with self.store.write() as db:
                        row = db.execute(
                            "select state from targets "
                            "where target_group = ? and id = ? and port = ?",
                            _of(event),
                        ).fetchone()
                        if row is not None and row["state"] == DRAINING:
                            store.forget(db, _of(event))
                            self.store.notify(TOPIC)
                case "taken":
                    self._move(event["listener"], event["port"])
                case other:
                    ended |= other == jobs.ENDED
        if ended:
            self._again(job)

    def lost(self, job: Job, why: str) -> None:
        """Balance again, as soon as a runner is there. What was known of the targets is old."""
        with self.store.write() as db:
            db.execute("delete from targets where state = ?", (DRAINING,))
            for row in store.targets(db):
                store.register(db, _target(row), row["owner"])
            self.store.notify(TOPIC)
        self._again(job)

    def _again(self, job: Job) -> None:
        """The job has ended: another one, where it is needed still."""
        with self.store.write() as db:
            db.execute("delete from jobs where id = ?", (job.id,))
            self._employ(db)

    def _found(self, event: Event) -> None:
        with self.store.write() as db:
            told = (event["state"], event["reason"], event["description"])
            if store.healthy(db, _of(event), *told):
                self.store.notify(TOPIC)

    def _move(self, listener: str, port: int) -> None:
        """Another port for a listener whose port another program has taken."""
        with self.store.write() as db:
            ports = store.ports(db)
            if ports.get(listener) != port:
                return
            ports[listener] = _free_port()
            store.save_ports(db, ports)
            found = store.look(db)
            self.store.notify(TOPIC)
        log.warning("the port %s of a load balancer is taken: %s instead", port, ports[listener])
        self._name_all(shown.addresses(found["listeners"], ports))

    def _turned(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Answer the runner, because the server stops."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> dict[str, Any]:
        """What there is, as soon as its version is not `seen`, or after so many seconds."""
        until = time.monotonic() + min(seconds, _LONGEST_POLL)
        with self._changed:
            while self._version == seen and not self._closing and time.monotonic() < until:
                self._changed.wait(until - time.monotonic())
            version = self._version
        return {"version": version, **shown.for_runner(self.store)}

    def routes(self) -> Routes:
        """(method, path) -> what answers it."""

        def wait(sent: dict[str, Any]) -> dict[str, Any]:
            try:
                return self.wait(int(sent["seen"]), float(sent["seconds"]))
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise ControlRefused(400, f"this is no question for listeners: {error}") from error

        return {
            ("POST", "/_labs/balancing"): wait,
            ("GET", "/_labs/balancing"): lambda sent: shown.for_people(self.store),
        }


def _served(listeners: Mapping[str, Document]) -> list[str]:
    return [arn for arn, each in listeners.items() if each["protocol"] == "HTTP"]


def _free_port() -> int:
    """A port of the loopback address that nobody has at this moment."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((shown.LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _target(row: sqlite3.Row) -> Target:
    return Target(row["target_group"], row["id"], row["port"])


def _of(event: Event) -> Target:
    return Target(event["group"], event["id"], event["port"])
