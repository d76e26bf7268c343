"""The last preview of a lifecycle policy in a repository: the images that would go.

The results are documents of a hundred, so that a page costs no more when there are thousands, and
so that a preview of thousands is not as many rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.lifecycle import Outcome
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.ecr.store import Store

_PREVIEW, _RESULTS = "preview", "preview-results"
_TOGETHER = 100


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
            image.digest,
            image.tags,
            image.pushed_at,
            image.storage,
            rule.priority,
            rule.expires,
        )
        for image, rule, taken, _ in outcomes
        if taken and rule is not None
    ]
    parts = [
        (repository.id, _RESULTS, _name(at), json.dumps(rows[at : at + _TOGETHER]))
        for at in range(0, len(rows), _TOGETHER)
    ]
    expiring = sum(row[-1] for row in rows)
    counted = {"text": text, "expiring": expiring, "archiving": len(rows) - expiring}
    with store.write() as db:
        documents.put_within(db, repository, _PREVIEW, counted)
        db.execute(
            "delete from repository_documents where repository_id = ? and kind = ?",
            (repository.id, _RESULTS),
        )
        db.executemany("insert into repository_documents values (?, ?, ?, ?)", parts)


def find(store: Store, repository: Repository) -> Preview | None:
    """The repository's last preview; None when nobody has started one."""
    found = documents.get(store, repository, _PREVIEW)
    return None if found is None else Preview(**found)


def results(
    store: Store, repository: Repository, status: str, last: list[str] | None, limit: int
) -> list[tuple[list[str], dict[str, Any]]]:
    """Results of the preview, the oldest image first, each with its key in `paging`.

    status: a tagStatus, TAGGED, UNTAGGED or ANY; limit: so many at most, -1 for all.
    """
    first = 0 if last is None else int(last[0]) + 1
    found: list[tuple[list[str], dict[str, Any]]] = []
    with store.read() as db:
        parts = db.execute(
            "select name, body from repository_documents"
            " where repository_id = ? and kind = ? and name >= ? order by name",
            (repository.id, _RESULTS, _name(first - first % _TOGETHER)),
        )
        for name, body in parts:
            for number, row in enumerate(json.loads(body), int(name)):
                if len(found) == limit:
                    return found
                if number >= first and status in ("ANY", "TAGGED" if row[1] else "UNTAGGED"):
                    found.append(([str(number)], _result(*row)))
    return found


def _name(number: int) -> str:
    """The name of the document whose first result has the number; names sort as numbers do."""
    return f"{number:012d}"


def is_named(result: Mapping[str, Any], image_id: Mapping[str, str]) -> bool:
    """Whether an image identifier names the image of a result."""
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    return digest in (None, result["imageDigest"]) and (tag is None or tag in result["imageTags"])


def _result(
    digest: str, tags: list[str], pushed_at: float, storage: str, priority: int, expires: bool
) -> dict[str, Any]:
    """A row in the shape of the API's ``LifecyclePolicyPreviewResult``."""
    archive = {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}
    return {
        "imageTags": tags,
        "imageDigest": digest,
        "imagePushedAt": datetime.fromtimestamp(pushed_at, UTC),
        "action": {"type": "EXPIRE"} if expires else archive,
        "appliedRulePriority": priority,
        "storageClass": storage,
    }
