"""The database rows of an image and its parts, read and written within one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from labs_helpers.oci.manifest import Manifest
from labs_helpers.sandbox.ecr import errors
from labs_helpers.sandbox.ecr.repositories import Repository

TAGS = (
    "(select group_concat(tag, ' ') from"
    " (select tag from image_tags where image_id = images.id order by tag)) as tags"
)
"""A column with the tags of the image, which `read_tags` reads; no tag holds a space."""


@dataclass(frozen=True)
class Image:
    """An image as stored; `size` is imageSizeInBytes, `body` the manifest's own bytes."""

    id: int
    digest: str
    media_type: str
    artifact_type: str | None
    subject: str | None
    size: int
    body: bytes
    annotations: Mapping[str, str]
    pushed_at: datetime
    last_pulled_at: datetime | None
    tags: tuple[str, ...]
    archived: bool = False
    archived_at: datetime | None = None
    activated_at: datetime | None = None

    def status(self, now: datetime) -> str:
        """The imageStatus: ACTIVE, ARCHIVED, or ACTIVATING on the way back from the archive.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html
        """
        if self.archived:
            return "ARCHIVED"
        return "ACTIVATING" if self.activated_at and self.activated_at > now else "ACTIVE"


def read_tags(column: str | None) -> tuple[str, ...]:
    """The tags of an image in lexical order, from the column TAGS."""
    return tuple(column.split(" ")) if column else ()


def read_time(seconds: float | None) -> datetime | None:
    """The time of a column; None for an empty column."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def select(
    db: sqlite3.Connection, where: str, values: Sequence[int | str | float], limit: int = -1
) -> list[Image]:
    """The images that a condition on `images` and `image_storage` is true of, the first push first.

    values: of the marks in the condition; limit: so many at most, -1 for all.
    """
    rows = db.execute(
        f"select images.*, archived, archived_at, activated_at, {TAGS}"
        " from images left join image_storage on image_storage.image_id = images.id"
        f" where {where} order by images.id limit ?",
        (*values, limit),
    ).fetchall()
    return [_image(row) for row in rows]


def _image(row: sqlite3.Row) -> Image:
    return Image(
        id=row["id"],
        digest=row["digest"],
        media_type=row["media_type"],
        artifact_type=row["artifact_type"],
        subject=row["subject"],
        size=row["size"],
        body=row["body"],
        annotations=json.loads(row["annotations"]),
        pushed_at=datetime.fromtimestamp(row["pushed_at"], UTC),
        last_pulled_at=read_time(row["last_pulled_at"]),
        tags=read_tags(row["tags"]),
        archived=bool(row["archived"]),
        archived_at=read_time(row["archived_at"]),
        activated_at=read_time(row["activated_at"]),
    )


def with_digest(db: sqlite3.Connection, repository: Repository, digest: str) -> int | None:
    """The id of the image with that digest."""
    row = db.execute(
        "select id from images where repository_id = ? and digest = ?", (repository.id, digest)
    ).fetchone()
    return int(row["id"]) if row else None


def with_tag(db: sqlite3.Connection, repository: Repository, tag: str) -> int | None:
    """The id of the image with that tag."""
    row = db.execute(
        "select image_id from image_tags where repository_id = ? and tag = ?", (repository.id, tag)
    ).fetchone()
    return int(row["image_id"]) if row else None


def indexes_of(db: sqlite3.Connection, repository: Repository, digest: str) -> list[str]:
    """The digests of the indexes that list an image."""
    rows = db.execute(
        "select images.digest from image_parts join images on images.id = image_parts.image_id"
        " where images.repository_id = ? and image_parts.digest = ? order by images.id",
        (repository.id, digest),
    ).fetchall()
    return [row["digest"] for row in rows]


def require_parts(db: sqlite3.Connection, repository: Repository, manifest: Manifest) -> None:
    """Raise ReferencedImagesNotFound or LayersNotFound when the repository lacks a part."""
    children = (child.digest for child in manifest.manifests)
    missing = _missing(db, "images", repository, children)
    if missing:
        raise errors.ReferencedImagesNotFound(digests=missing, **repository.names)
    parts = (blob.digest for blob in manifest.blobs)
    missing = _missing(db, "repository_blobs", repository, parts)
    if missing:
        raise errors.LayersOfImageNotFound(digests=missing, **repository.names)


def insert(
    db: sqlite3.Connection, repository: Repository, manifest: Manifest, digest: str, now: float
) -> int:
    """Add an image under `digest`, and its parts; returns the image's id."""
    cursor = db.execute(
        "insert into images (repository_id, digest, media_type, artifact_type, subject, size,"
        " body, annotations, pushed_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
        (
            repository.id,
            digest,
            manifest.media_type,
            manifest.artifact_type,
            manifest.subject.digest if manifest.subject else None,
            _size(db, repository, manifest),
            manifest.body,
            json.dumps(dict(manifest.annotations)),
            now,
        ),
    )
    image_id = int(cursor.fetchone()["id"])
    db.executemany(
        "insert or ignore into image_parts values (?, ?, ?)",
        [
            (image_id, part.digest, part.media_type)
            for part in (*manifest.blobs, *manifest.manifests)
        ],
    )
    return image_id


def _missing(
    db: sqlite3.Connection, table: str, repository: Repository, digests: Iterable[str]
) -> list[str]:
    query = f"select 1 from {table} where repository_id = ? and digest = ?"
    return [
        digest
        for digest in dict.fromkeys(digests)
        if not db.execute(query, (repository.id, digest)).fetchone()
    ]


def _size(db: sqlite3.Connection, repository: Repository, manifest: Manifest) -> int:
    """Size in bytes: an image's configuration and layers; for an index, the largest image."""
    if not manifest.is_index:
        # the client states the sizes, and may state more than a database integer holds
        return min(manifest.size_in_bytes, 2**63 - 1)
    query = "select size from images where repository_id = ? and digest = ?"
    return max(
        (
            db.execute(query, (repository.id, child.digest)).fetchone()["size"]
            for child in manifest.manifests
        ),
        default=0,
    )
