"""The event "ECR Image Scan": a basic scan ended.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html ("Event for a
completed image scan").
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from typing import Any

from labs_helpers.sandbox.ecr import events
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.scan_states import Scan

DETAIL_TYPE = "ECR Image Scan"


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
    resources = [registry.arn(row["name"])]
    events.keep(db, registry, scan.completed_at, DETAIL_TYPE, detail, resources)


def severity_counts(report: dict[str, Any]) -> dict[str, int]:
    """How many findings of each severity; a severity without any is left out.

    What the advisories do not cover counts as INFORMATIONAL: see scan_findings.
    """
    counts = Counter(finding["severity"] for finding in report["findings"])
    counts["INFORMATIONAL"] += len(report["not_covered"])
    return {level: count for level, count in counts.items() if count}
