"""When a scan is queued: at a push, at StartImageScan, when enhanced scanning begins.

Sources: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-basic.html,
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartImageScan.html
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr import scan_rules, scan_states
from labs_helpers.sandbox.ecr.errors import LimitExceeded
from labs_helpers.sandbox.ecr.repositories import Registry, Repository
from labs_helpers.sandbox.ecr.repositories import list_all as list_repositories
from labs_helpers.sandbox.ecr.scan_rules import Rule
from labs_helpers.sandbox.ecr.scan_states import Scan
from labs_helpers.sandbox.ecr.store import Store

TOPIC = "scans"
"""What the store notifies of after a commit that queued a scan."""

AGAIN_AFTER = timedelta(hours=24)
"""A basic scan of an image can be started once in this time, that of its push included."""

CONFIGURATIONS = frozenset({media_types.OCI_CONFIG, media_types.DOCKER_CONFIG})
"""What makes a manifest a container image; every other artifact is not scanned."""


def is_scannable(media_type: str, artifact_type: str | None) -> bool:
    """Whether a manifest is an image of one platform: not an index, not an artifact."""
    return media_type not in media_types.INDEXES and artifact_type in CONFIGURATIONS


def add_pushed(store: Store, db: sqlite3.Connection, repository: Repository, image_id: int) -> None:
    """Queue the scan that the registry's rules want of a new image, if they want one."""
    row = db.execute(
        "select media_type, artifact_type from images where id = ?", (image_id,)
    ).fetchone()
    if not is_scannable(row["media_type"], row["artifact_type"]):
        return
    rule = scan_rules.rule(scan_rules.configuration(db, repository.registry), repository)
    if rule.frequency != "MANUAL":
        _add(store, db, image_id, rule)


def add_basic(store: Store, image_id: int) -> Scan:
    """Queue a basic scan; raises LimitExceeded within 24 hours of the last one."""
    with store.write() as db:
        last = scan_states.get(db, image_id, "BASIC")
        now = store.clock.now().timestamp()
        if last is not None and now - last.requested_at < AGAIN_AFTER.total_seconds():
            # https://github.com/aws/containers-roadmap/issues/1226
            raise LimitExceeded("The scan quota per image has been exceeded. Wait and try again.")
        return _add(store, db, image_id, Rule("BASIC", "MANUAL"))


def add_by_rules(store: Store, registry: Registry) -> None:
    """Queue the images that the registry's new rules include in enhanced scanning.

    An image that no enhanced scan has seen is taken in where scanning is continuous; where the rule
    says SCAN_ON_PUSH, such an image waits for a push:
    https://docs.aws.amazon.com/inspector/latest/user/scanning-ecr.html
    """
    repositories = list_repositories(store, registry)
    with store.write() as db:
        configuration = scan_rules.configuration(db, registry)
        if configuration["scanType"] != "ENHANCED":
            return
        for repository in repositories:
            rule = scan_rules.rule(configuration, repository)
            if rule.frequency == "MANUAL":
                continue
            rows = db.execute(
                "select id, media_type, artifact_type from images where repository_id = ?",
                (repository.id,),
            ).fetchall()
            for row in rows:
                before = scan_states.get(db, row["id"], "ENHANCED")
                if before is None:
                    wanted = rule.frequency == "CONTINUOUS_SCAN"
                else:
                    wanted = before.frequency != rule.frequency
                if wanted and is_scannable(row["media_type"], row["artifact_type"]):
                    _add(store, db, row["id"], rule)


def _add(store: Store, db: sqlite3.Connection, image_id: int, rule: Rule) -> Scan:
    scan = Scan(
        scan_type=rule.scan_type,
        frequency=rule.frequency,
        status="IN_PROGRESS" if rule.scan_type == "BASIC" else "PENDING",
        requested_at=store.clock.now().timestamp(),
    )
    scan_states.put(db, image_id, scan)
    store.notify(TOPIC)
    return scan
