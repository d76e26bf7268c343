"""The runs of lifecycle policies: when a policy is evaluated, and what happens to the images.

AWS evaluates a policy within 24 hours (https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html).
Here the first run is 24 hours after PutLifecyclePolicy, by the sandbox's clock, and another follows
every 24 hours. A clock that moves by months passes all the runs between in their order, those that
cannot change anything excepted.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from labs_helpers.sandbox.ecr import (
    artifacts,
    candidates,
    collection,
    documents,
    events,
    images,
    lifecycle,
    storage,
)
from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.lifecycle import Outcome, Rule
from labs_helpers.sandbox.ecr.repositories import Repository, with_document
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.service.worker import Worker

POLICY = "lifecycle-policy"
"""The kind of the repository's document that holds the policy's text."""

TOPIC = "lifecycle"
"""What the store notifies of after a commit that put a policy."""

PERIOD = timedelta(hours=24)
"""Between two runs, and between a policy's first run and PutLifecyclePolicy."""

_TIMES = "lifecycle-times"


def put_policy(store: Store, repository: Repository, text: str) -> None:
    """Replace the policy by a checked one, whose first run is a period away."""
    with store.write() as db:
        documents.put_within(db, repository, POLICY, text)
        documents.put_within(db, repository, _TIMES, {"put": store.clock.now().timestamp()})
        store.notify(TOPIC)


def delete_policy(store: Store, repository: Repository) -> None:
    """Remove the policy; what waited for its next run stays."""
    for kind in (POLICY, _TIMES):
        documents.delete(store, repository, kind)


def evaluated_at(store: Store, repository: Repository) -> datetime | None:
    """When the policy was last evaluated; None before the first run."""
    last = (documents.get(store, repository, _TIMES) or {}).get("run")
    return None if last is None else datetime.fromtimestamp(last, UTC)


def next_run(store: Store, repository: Repository) -> float:
    """When the policy is evaluated again, in seconds since 1970."""
    times = documents.get(store, repository, _TIMES) or {"put": store.clock.now().timestamp()}
    return _next_slot(times).timestamp()


def outcomes(store: Store, repository: Repository, text: str) -> list[Outcome]:
    """What a policy would do now to each image, the oldest first; nothing changes."""
    with store.read() as db:
        found = candidates.of(db, repository)
    now = store.clock.now().timestamp()
    return lifecycle.evaluate(lifecycle.rules_of(json.loads(text)), found, now)


def run_all(store: Store) -> None:
    """Make the runs that are due, of every repository of every registry."""
    for repository in with_document(store, POLICY):
        while _run_next(store, repository):
            pass


def seconds_to_next(store: Store) -> float | None:
    """Seconds until a run is due by the sandbox's clock; None without a policy."""
    times = []
    with store.read() as db:
        for (body,) in db.execute(
            "select body from repository_documents where kind = ?", (_TIMES,)
        ):
            times.append(_next_slot(json.loads(body)))
    if not times:
        return None
    return max(0.0, (min(times) - store.clock.now()).total_seconds())


class LifecycleWorker(Worker[Store]):
    """Makes the runs that are due, whenever a policy is put and whenever time has passed."""

    name = "lifecycle"
    topic = TOPIC
    failure = "a lifecycle policy could not be applied"

    def has_work(self) -> bool:
        """Whether any repository has a policy."""
        return bool(with_document(self.store, POLICY))

    def work(self) -> None:
        """Make the runs that are due."""
        run_all(self.store)

    def patience(self) -> float | None:
        """Seconds until the next run; None without a policy, or while the clock stands still."""
        return None if self.store.clock.frozen else seconds_to_next(self.store)


def _run_next(store: Store, repository: Repository) -> bool:
    """Make the next run that is due and can change something; whether there was one."""
    now = store.clock.now()
    with store.write() as db:
        policy = documents.get_within(db, repository, POLICY)
        if policy is None:
            return False
        times = documents.get_within(db, repository, _TIMES) or {"put": now.timestamp()}
        slot = _next_slot(times)
        if slot <= now:
            passed = _run(store, db, repository, lifecycle.rules_of(json.loads(policy)), slot, now)
            times["run"] = passed.timestamp()
        documents.put_within(db, repository, _TIMES, times)
    return slot <= now


def _run(
    store: Store,
    db: sqlite3.Connection,
    repository: Repository,
    rules: Sequence[Rule],
    slot: datetime,
    now: datetime,
) -> datetime:
    """Make the run of `slot`; returns the last run until `now` before which nothing changes."""
    before, at = candidates.of(db, repository), slot.timestamp()
    taken = [each for each in lifecycle.evaluate(rules, before, at) if each.taken]
    _act(store, db, repository, taken, slot)
    if _follow(store, db, repository, slot) or taken:
        collection.collect(store, db)
        return slot  # what an index has freed is the next run's
    changes = (lifecycle.next_due(rules, before, at), artifacts.next_due(before, at))
    change = min((each for each in changes if each is not None), default=None)
    runs = (now - slot) // PERIOD
    if change is not None:
        wait = datetime.fromtimestamp(change, UTC) - slot
        runs = min(runs, -(-wait // PERIOD) - 1)
    return slot + runs * PERIOD


def _next_slot(times: dict[str, float]) -> datetime:
    return datetime.fromtimestamp(times.get("run", times["put"]), UTC) + PERIOD


def _act(
    store: Store,
    db: sqlite3.Connection,
    repository: Repository,
    taken: Sequence[Outcome],
    at: datetime,
) -> None:
    """Expire or archive the images that the rules of a run take."""
    by_digest = _by_digest(db, repository) if taken else {}
    for outcome in taken:
        image = by_digest[outcome.image.digest]
        if outcome.rule is not None and outcome.rule.expires:
            _expire(store, db, repository, image, at)
        else:
            storage.archive(db, image, at)


def _follow(store: Store, db: sqlite3.Connection, repository: Repository, at: datetime) -> bool:
    """Let artifacts follow their subjects, and the artifacts of artifacts; whether any did."""
    followed = False
    while True:
        expired, archived = artifacts.due(candidates.of(db, repository), at.timestamp())
        if not (expired or archived):
            return followed
        followed = True
        by_digest = _by_digest(db, repository)
        for artifact in expired:
            _expire(store, db, repository, by_digest[artifact.digest], at)
        for artifact in archived:
            storage.archive(db, by_digest[artifact.digest], at)


def _expire(
    store: Store, db: sqlite3.Connection, repository: Repository, image: Image, at: datetime
) -> None:
    collection.before_deletion(db, repository, image.id)
    db.execute("delete from images where id = ?", (image.id,))
    artifacts.subject_deleted(db, repository, image.digest, at.timestamp())
    events.image_action(store, db, repository, image, "DELETE", image.tags, at.timestamp())


def _by_digest(db: sqlite3.Connection, repository: Repository) -> dict[str, Image]:
    return {image.digest: image for image in images.in_repository(db, repository)}
