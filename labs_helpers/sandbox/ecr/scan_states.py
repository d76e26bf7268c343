"""The stored scans of images: one of each type (BASIC, ENHANCED) an image.

A queued scan is a row as well, so that a scan that `kill -9` interrupts starts again.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanStatus.html
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass, replace
from typing import Any

_SCAN, _RESULT = "scan", "scan-result"

_QUEUED = ("IN_PROGRESS", "PENDING")


@dataclass(frozen=True)
class Scan:
    """A scan's state. Times in seconds since 1970 by the sandbox clock.

    ``fingerprint`` identifies the advisories of the scan; ``first_seen`` is when the first scan of
    this type ended.
    """

    scan_type: str
    frequency: str
    status: str
    requested_at: float
    description: str = ""
    completed_at: float | None = None
    first_seen: float | None = None
    fingerprint: str = ""

    @property
    def has_findings(self) -> bool:
        """Whether the scan has a result."""
        return self.status in ("COMPLETE", "ACTIVE")


@dataclass(frozen=True)
class Job:
    """A scan of one image, by the image's row."""

    image_id: int
    scan: Scan


def get(db: sqlite3.Connection, image_id: int, scan_type: str) -> Scan | None:
    """The scan of that type."""
    state = _get(db, image_id, _SCAN, scan_type)
    return None if state is None else Scan(**state)


def result(db: sqlite3.Connection, image_id: int, scan_type: str) -> dict[str, Any] | None:
    """The report of the last successful scan of that type."""
    return _get(db, image_id, _RESULT, scan_type)


def put(db: sqlite3.Connection, image_id: int, scan: Scan) -> None:
    """Store a scan's state, if the image still exists."""
    _put(db, image_id, _SCAN, scan.scan_type, asdict(scan))


def put_result(db: sqlite3.Connection, image_id: int, scan: Scan, report: dict[str, Any]) -> None:
    """Store a scan's state with its report."""
    _put(db, image_id, _RESULT, scan.scan_type, report)
    put(db, image_id, scan)


def queue(db: sqlite3.Connection) -> list[Job]:
    """The scans that have not ended, the oldest first."""
    marks = ", ".join("?" * len(_QUEUED))
    return _jobs(db, f"json_extract(body, '$.status') in ({marks})", _QUEUED)


def outdated(db: sqlite3.Connection, fingerprint: str) -> list[Job]:
    """Continuous scans that used other advisories than those of this fingerprint."""
    where = "json_extract(body, '$.status') = 'ACTIVE' and json_extract(body, '$.fingerprint') != ?"
    return _jobs(db, where, (fingerprint,))


def finish(scan: Scan, status: str, at: float, description: str, fingerprint: str = "") -> Scan:
    """The scan with its result."""
    return replace(
        scan,
        status=status,
        description=description,
        completed_at=at,
        first_seen=scan.first_seen or at,
        fingerprint=fingerprint,
    )


def _jobs(db: sqlite3.Connection, where: str, values: tuple[str, ...]) -> list[Job]:
    rows = db.execute(
        f"select image_id, body from image_documents where kind = ? and {where}"
        " order by json_extract(body, '$.requested_at'), image_id",
        (_SCAN, *values),
    ).fetchall()
    return [Job(row["image_id"], Scan(**json.loads(row["body"]))) for row in rows]


def _get(db: sqlite3.Connection, image_id: int, kind: str, name: str) -> dict[str, Any] | None:
    row = db.execute(
        "select body from image_documents where image_id = ? and kind = ? and name = ?",
        (image_id, kind, name),
    ).fetchone()
    return dict(json.loads(row["body"])) if row else None


def _put(db: sqlite3.Connection, image_id: int, kind: str, name: str, body: Any) -> None:
    db.execute(
        "insert or replace into image_documents select id, ?, ?, ? from images where id = ?",
        (kind, name, json.dumps(body), image_id),
    )
