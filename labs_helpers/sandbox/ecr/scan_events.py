"""The events of EventBridge that a scan causes, kept until somebody delivers them.

Shape: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html ("Event for a
completed image scan"). Nothing delivers them yet: they wait in the store as documents of the
registry, kind ``event``, in the order of their names, at most ``KEPT`` a registry.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.scan_states import Scan
from labs_helpers.sandbox.ecr.store import Store

KIND = "event"
KEPT = 1000


def scanned(
    db: sqlite3.Connection, image_id: int, scan: Scan, report: dict[str, Any] | None
) -> None:
    """Keep the event of a basic scan that ended.

    Of an enhanced one the event comes from Amazon Inspector, which the sandbox has not.
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
    detail: dict[str, Any] = {
        "scan-status": scan.status,
        "repository-name": row["name"],
        "finding-severity-counts": severity_counts(report) if report else {},
        "image-digest": row["digest"],
        "image-tags": json.loads(row["tags"]),
    }
    time = datetime.fromtimestamp(scan.completed_at, UTC)
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "ECR Image Scan",
        "source": "aws.ecr",
        "account": registry.account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": registry.region,
        "resources": [registry.arn(row["name"])],
        "detail": detail,
    }
    name = f"{scan.completed_at:020.6f} {event['id']}"
    place = (registry.account, registry.region, KIND)
    db.execute(
        "insert into registry_documents values (?, ?, ?, ?, ?)", (*place, name, json.dumps(event))
    )
    db.execute(
        "delete from registry_documents where account = ? and region = ? and kind = ? and name not"
        " in (select name from registry_documents where account = ? and region = ? and kind = ?"
        " order by name desc limit ?)",
        (*place, *place, KEPT),
    )


def waiting(store: Store) -> list[dict[str, Any]]:
    """Every event not delivered yet, of all registries, the oldest first."""
    with store.read() as db:
        rows = db.execute(
            "select body from registry_documents where kind = ? order by name", (KIND,)
        ).fetchall()
    return [dict(json.loads(row["body"])) for row in rows]


def delivered(store: Store, event: dict[str, Any]) -> None:
    """Forget an event."""
    with store.write() as db:
        db.execute(
            "delete from registry_documents where account = ? and region = ? and kind = ?"
            " and json_extract(body, '$.id') = ?",
            (event["account"], event["region"], KIND, event["id"]),
        )


def severity_counts(report: dict[str, Any]) -> dict[str, int]:
    """How many findings of each severity; a severity without any is left out.

    What the advisories do not cover counts as INFORMATIONAL: see scan_findings.
    """
    counts = Counter(finding["severity"] for finding in report["findings"])
    counts["INFORMATIONAL"] += len(report["not_covered"])
    return {level: count for level, count in counts.items() if count}
