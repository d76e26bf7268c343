"""ECR's events for EventBridge, queued in the store until they are delivered.

"ECR Image Action" says that an image was pushed, or that an image or a tag was deleted; "ECR Image
Scan" says that a basic scan ended. Sources:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html. The members
``manifest-media-type`` and ``artifact-media-type`` are those of the schema
``aws.ecr@ECRImageAction`` (https://docs.aws.amazon.com/cdk/api/v2/docs/@aws-cdk_mixins-preview.aws_ecr.events.ECRImageAction.html).

The transaction that changes an image also queues the event, as a document of kind ``event`` of the
registry. The names of these documents sort in the order of the changes. A registry's queue holds
``CAPACITY`` events; the oldest go first. `sandbox/events/delivery.py` delivers.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.scan_findings import severity_counts
from labs_helpers.sandbox.ecr.scan_states import Scan
from labs_helpers.sandbox.ecr.store import Store

Event = dict[str, Any]
"""An event as EventBridge hands it to a target."""

TOPIC = "events"
"""What the store notifies of after a commit that queued an event."""

CAPACITY = 1000

_KIND = "event"

_STEP = 0.000001
"""Seconds between the names of two events of one moment."""


@dataclass(frozen=True)
class QueuedEvent:
    """An event and the name of the document that holds it."""

    name: str
    event: Event


def image_action(
    store: Store,
    db: sqlite3.Connection,
    repository: Repository,
    image: Image,
    action: str,
    tags: Sequence[str],
    at: float,
) -> None:
    """Queue the events of a "PUSH" or "DELETE" of an image, one for each tag that it concerns.

    Without a tag, as a push of an index's parts, the tag is "", as events of AWS show. How many
    events AWS sends for an image deleted with several tags is not documented.
    """
    for tag in tags or ("",):
        detail = {
            "result": "SUCCESS",
            "repository-name": repository.name,
            "image-digest": image.digest,
            "action-type": action,
            "image-tag": tag,
            "manifest-media-type": image.media_type,
        }
        if image.artifact_type:
            detail["artifact-media-type"] = image.artifact_type
        add(store, db, repository.registry, at, "ECR Image Action", detail)


def scan_ended(
    store: Store,
    db: sqlite3.Connection,
    image_id: int,
    scan: Scan,
    report: dict[str, Any] | None,
) -> None:
    """Queue the event of a basic scan that ended.

    The event of an enhanced scan comes from Amazon Inspector, which the sandbox does not have.
    """
    row = db.execute(
        "select account, region, name, digest, (select json_group_array(tag) from"
        " (select tag from image_tags where image_id = images.id order by tag)) as tags"
        " from images join repositories on repositories.id = repository_id where images.id = ?",
        (image_id,),
    ).fetchone()
    if row is None or scan.scan_type != "BASIC" or scan.completed_at is None:
        return
    registry = Registry(row["account"], row["region"])
    detail = {
        "scan-status": scan.status,
        "repository-name": row["name"],
        "finding-severity-counts": severity_counts(report) if report else {},
        "image-digest": row["digest"],
        "image-tags": json.loads(row["tags"]),
    }
    resources = [registry.arn(row["name"])]
    add(store, db, registry, scan.completed_at, "ECR Image Scan", detail, resources)


def add(
    store: Store,
    db: sqlite3.Connection,
    registry: Registry,
    at: float,
    detail_type: str,
    detail: dict[str, Any],
    resources: Sequence[str] = (),
) -> None:
    """Queue an event in the transaction of ``db``; ``at`` is its time, in seconds since 1970."""
    event: Event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.ecr",
        "account": registry.account,
        "time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": registry.region,
        "resources": list(resources),
        "detail": detail,
    }
    place = (registry.account, registry.region, _KIND)
    name = f"{_after_the_last(db, place, at):020.6f} {event['id']}"
    db.execute(
        "insert into registry_documents values (?, ?, ?, ?, ?)", (*place, name, json.dumps(event))
    )
    db.execute(
        "delete from registry_documents where account = ? and region = ? and kind = ? and name <="
        " (select name from registry_documents where account = ? and region = ? and kind = ?"
        " order by name desc limit 1 offset ?)",
        (*place, *place, CAPACITY),
    )
    store.notify(TOPIC)


def is_empty(store: Store) -> bool:
    """Whether no event of any registry is queued."""
    with store.read() as db:
        row = db.execute("select 1 from registry_documents where kind = ? limit 1", (_KIND,))
        return row.fetchone() is None


def queue(store: Store) -> list[QueuedEvent]:
    """Every event not delivered yet, of all registries, the oldest first."""
    with store.read() as db:
        rows = db.execute(
            "select name, body from registry_documents where kind = ? order by name", (_KIND,)
        ).fetchall()
    return [QueuedEvent(row["name"], json.loads(row["body"])) for row in rows]


def remove(store: Store, queued: Sequence[QueuedEvent]) -> None:
    """Remove events from their queues, because they were delivered."""
    with store.write() as db:
        db.executemany(
            "delete from registry_documents where account = ? and region = ? and kind = ?"
            " and name = ?",
            [(one.event["account"], one.event["region"], _KIND, one.name) for one in queued],
        )


def _after_the_last(db: sqlite3.Connection, place: tuple[str, str, str], at: float) -> float:
    """`at`, or a little later than the newest event: a clock may stand still, or step back."""
    last = db.execute(
        "select max(name) from registry_documents where account = ? and region = ? and kind = ?",
        place,
    ).fetchone()[0]
    return at if last is None else max(at, float(last.split(" ")[0]) + _STEP)
