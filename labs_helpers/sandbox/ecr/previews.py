"""The last preview of a lifecycle policy in a repository: a row for each image that would go.

Rows, and not one document, so that a page of the results costs no more when there are thousands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.ecr import documents, image_rows
from labs_helpers.sandbox.ecr.lifecycle import Outcome
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.store import Store

_POLICY = "previewed-policy"

_TAGGED = {"ANY": "1", "TAGGED": "tags <> ''", "UNTAGGED": "tags = ''"}


@dataclass(frozen=True)
class Preview:
    """The policy of the preview, and how many images that policy would expire and archive."""

    text: str
    expiring: int
    archiving: int


def keep(store: Store, repository: Repository, text: str, outcomes: Iterable[Outcome]) -> None:
    """Replace the repository's preview by the images that the outcomes take."""
    rows = [
        (
            repository.id,
            number,
            image.digest,
            " ".join(image.tags),
            image.pushed_at.timestamp(),
            image.storage,
            rule.priority,
            rule.expires,
        )
        for number, (image, rule, taken, _) in enumerate(outcomes)
        if taken and rule is not None
    ]
    with store.write() as db:
        documents.put_within(db, repository, _POLICY, text)
        db.execute("delete from preview_results where repository_id = ?", (repository.id,))
        db.executemany("insert into preview_results values (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def find(store: Store, repository: Repository) -> Preview | None:
    """The repository's last preview; None when nobody has started one."""
    with store.read() as db:
        text = documents.get_within(db, repository, _POLICY)
        if text is None:
            return None
        row = db.execute(
            "select count(*) as taken, coalesce(sum(expires), 0) as expiring"
            " from preview_results where repository_id = ?",
            (repository.id,),
        ).fetchone()
    return Preview(text, row["expiring"], row["taken"] - row["expiring"])


def results(
    store: Store, repository: Repository, status: str, last: list[str] | None, limit: int
) -> list[tuple[list[str], dict[str, Any]]]:
    """Results of the preview, the oldest image first, each with its key in `paging`.

    status: a tagStatus, TAGGED, UNTAGGED or ANY; limit: so many at most, -1 for all.
    """
    with store.read() as db:
        rows = db.execute(
            "select * from preview_results where repository_id = ? and number > ?"
            f" and {_TAGGED[status]} order by number limit ?",
            (repository.id, -1 if last is None else int(last[0]), limit),
        ).fetchall()
    return [([str(row["number"])], _result(row)) for row in rows]


def is_named(result: Mapping[str, Any], image_id: Mapping[str, str]) -> bool:
    """Whether an image identifier names the image of a result."""
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    return digest in (None, result["imageDigest"]) and (tag is None or tag in result["imageTags"])


def _result(row: sqlite3.Row) -> dict[str, Any]:
    """A row in the shape of the API's ``LifecyclePolicyPreviewResult``."""
    archive = {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}
    return {
        "imageTags": list(image_rows.read_tags(row["tags"])),
        "imageDigest": row["digest"],
        "imagePushedAt": datetime.fromtimestamp(row["pushed_at"], UTC),
        "action": {"type": "EXPIRE"} if row["expires"] else archive,
        "appliedRulePriority": row["priority"],
        "storageClass": row["storage"],
    }
