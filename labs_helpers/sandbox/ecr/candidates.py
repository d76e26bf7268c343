"""The images of a repository as the evaluation of a lifecycle policy sees them.

A repository may hold thousands of images, so this reads only the columns that the evaluation needs,
and each table in one query.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr.lifecycle import ARCHIVE, STANDARD, Candidate
from labs_helpers.sandbox.ecr.repositories import Repository

_ACTIVE = (0, None, None)


def of(db: sqlite3.Connection, repository: Repository) -> list[Candidate]:
    """All images of the repository, in the order of their pushes."""
    rows = _select(
        db,
        "select id, digest, media_type, pushed_at, size, last_pulled_at, subject from images"
        " where repository_id = ? order by id",
        repository,
    )
    tags = _tags(db, repository)
    stored = _storage(db, repository)
    indexes = _indexes(db, rows)
    left = _left(db, repository)
    found = []
    for number, digest, _, pushed_at, size, pulled_at, subject in rows:
        archived, archived_at, activated_at = stored.get(number, _ACTIVE)
        columns = (
            digest,
            tags.get(number, ()),
            pushed_at,
            size,
            pulled_at,
            ARCHIVE if archived else STANDARD,
            archived_at if archived else None,
            activated_at,
            indexes.get(digest, ()),
            subject,
            left.get(number),
        )
        found.append(tuple.__new__(Candidate, columns))
    return found


def _tags(db: sqlite3.Connection, repository: Repository) -> dict[int, list[str]]:
    """The tags of each image that has some, in lexical order, by row id."""
    found: dict[int, list[str]] = {}
    for number, tag in _select(
        db, "select image_id, tag from image_tags where repository_id = ? order by tag", repository
    ):
        found.setdefault(number, []).append(tag)
    return found


def _storage(db: sqlite3.Connection, repository: Repository) -> dict[int, tuple[Any, ...]]:
    """(archived, archived_at, activated_at) of the images that have been in the archive."""
    rows = _select(
        db,
        "select image_id, archived, archived_at, activated_at from image_storage"
        " join images on images.id = image_id where repository_id = ?",
        repository,
    )
    return {row[0]: row[1:] for row in rows}


def _left(db: sqlite3.Connection, repository: Repository) -> dict[int, float]:
    """When the subject was deleted, of the artifacts that are left, by row id."""
    rows = _select(
        db,
        "select image_id, since from left_artifacts join images on images.id = image_id"
        " where repository_id = ?",
        repository,
    )
    return dict(rows)


def _indexes(db: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> dict[str, list[str]]:
    """For each digest that indexes list, the digests of those indexes."""
    found: dict[str, list[str]] = {}
    for number, index, media_type, *_ in rows:
        if media_type in media_types.INDEXES:
            parts = db.execute("select digest from image_parts where image_id = ?", (number,))
            for (listed,) in parts:
                found.setdefault(listed, []).append(index)
    return found


def _select(db: sqlite3.Connection, query: str, repository: Repository) -> list[tuple[Any, ...]]:
    """The rows of a query about the repository, as tuples, which are made faster than Row."""
    cursor = db.cursor()
    cursor.row_factory = None
    return cursor.execute(query, (repository.id,)).fetchall()
