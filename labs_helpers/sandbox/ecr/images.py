"""Images of a repository: manifests, indexes and artifacts, and the tags that name them.

Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html, and
API_BatchDeleteImage.html and API_ImageDetail.html beside it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from labs_helpers.oci import digest as digests
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.oci.conversion import converted
from labs_helpers.oci.manifest import Manifest
from labs_helpers.sandbox.ecr import (
    artifacts,
    collection,
    errors,
    events,
    image_rows,
    pull_times,
    scan_queue,
    storage,
)
from labs_helpers.sandbox.ecr.image_rows import Image
from labs_helpers.sandbox.ecr.repositories import Registry, Repository, require
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.service.errors import NoRoom

log = logging.getLogger(__name__)

PULL_TIME_RESOLUTION = timedelta(minutes=1)
"""A second pull within this time is not recorded; AWS records one at least every 24 hours."""


@dataclass(frozen=True)
class PutResult:
    """The image that was put; `changed` is false when the image and its tag existed already."""

    image: Image
    changed: bool


@dataclass(frozen=True)
class Deletion:
    """What was deleted: tags, and the image itself unless the image has other tags."""

    digest: str
    tags: tuple[str, ...]
    image: bool


def read_manifest(body: bytes, media_type: str | None) -> Manifest:
    """Parse a manifest as ECR accepts it; raises InvalidParameter."""
    try:
        return manifests.parse(body, media_type)
    except manifests.InvalidManifest as error:
        raise errors.InvalidParameter.constraint("ImageManifest", f"'{error}'") from error


def put(
    store: Store,
    repository: Repository,
    body: bytes,
    *,
    media_type: str | None = None,
    tag: str | None = None,
    digest: str | None = None,
    layerless: bool = False,
) -> PutResult:
    """Store a manifest and move `tag` to it; the image that had the tag stays without the tag.

    ECR takes no image manifest without layers; layerless: the registry takes it, in OCI mode.
    Raises InvalidParameter, ImageDigestDoesNotMatch, LayersNotFound, ReferencedImagesNotFound,
    ImageTagAlreadyExists. An immutable tag is refused even for the same image, as on AWS
    (https://github.com/aws/containers-roadmap/issues/2179).
    """
    manifest = read_manifest(body, media_type)
    if not (manifest.is_index or manifest.layers or layerless):
        # https://github.com/werf/werf/pull/2558
        raise errors.InvalidParameter.constraint(
            "ImageManifest", "'Image has to have at least 1 layer'"
        )
    if digest is not None and digest != _digest_like(digest, body):
        raise errors.ImageDigestDoesNotMatch(digest=digest, **repository.names)
    name = digest or manifest.digest
    now = store.clock.now().timestamp()
    with store.write() as db:
        require(db, repository)
        tagged = None if tag is None else image_rows.with_tag(db, repository, tag)
        if tag is not None and tagged is not None and repository.is_immutable(tag):
            raise errors.ImageTagAlreadyExists(tag=tag, **repository.names)
        image_rows.require_parts(db, repository, manifest)
        image_id = image_rows.with_digest(db, repository, name)
        changed = image_id is None
        if image_id is not None:
            storage.activate(db, image_id, store.clock.now())
        if image_id is None:
            image_id = image_rows.insert(db, repository, manifest, name, now)
            artifacts.subject_pushed(db, repository, name)
            scan_queue.add_pushed(store, db, repository, image_id)
        if tag is not None and tagged != image_id:
            changed = True
            db.execute(
                "insert or replace into image_tags values (?, ?, ?, ?)",
                (repository.id, tag, image_id, now),
            )
        image = image_rows.select(db, "images.id = ?", (image_id,))[0]
        collection.collect(store, db)
        if changed:
            events.image_action(store, db, repository, image, "PUSH", (tag,) if tag else (), now)
    return PutResult(image, changed)


def find(
    store: Store, repository: Repository, *, digest: str | None = None, tag: str | None = None
) -> Image | None:
    """The image with that digest, tag or both; None if none has, or if two images have them."""
    with store.read() as db:
        return _find(db, repository, digest, tag)


def get(
    store: Store, repository: Repository, *, digest: str | None = None, tag: str | None = None
) -> Image:
    """Like find; raises ImageNotFound."""
    image = find(store, repository, digest=digest, tag=tag)
    if image is None:
        raise errors.ImageNotFound(digest=digest, tag=tag, **repository.names)
    return image


def accepted(image: Image, accepts: Callable[[str], bool]) -> Image | None:
    """The image in a format that a client accepts, as ECR converts images pulled by tag.

    None when the client accepts neither the image's format nor one that it can be converted to.
    The image then has the converted manifest and its digest. Schema 1, to which ECR converts too,
    is not among the formats here.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html
    """
    if accepts(image.media_type):
        return image
    for media_type in (media_types.DOCKER_MANIFEST, media_types.OCI_MANIFEST):
        if accepts(media_type):
            manifest = converted(manifests.parse(image.body, image.media_type), media_type)
            if manifest is not None:
                return replace(
                    image,
                    digest=manifest.digest,
                    media_type=media_type,
                    artifact_type=manifest.artifact_type,
                    body=manifest.body,
                )
    return None


def list_all(store: Store, repository: Repository) -> list[Image]:
    """Every image of the repository, in the order they were pushed."""
    with store.read() as db:
        return in_repository(db, repository)


def in_repository(db: sqlite3.Connection, repository: Repository) -> list[Image]:
    """Like list_all, in the transaction of the caller."""
    return image_rows.select(db, "images.repository_id = ?", (repository.id,))


def tags(store: Store, repository: Repository) -> list[str]:
    """Every tag of the repository, in lexical order."""
    with store.read() as db:
        rows = db.execute(
            "select tag from image_tags where repository_id = ? order by tag", (repository.id,)
        ).fetchall()
    return [row["tag"] for row in rows]


def referrers(store: Store, repository: Repository, digest: str) -> list[Image]:
    """The images whose subject is `digest`, in the order they were pushed."""
    where = "images.repository_id = ? and images.subject = ?"
    with store.read() as db:
        return image_rows.select(db, where, (repository.id, digest))


def is_pullable(store: Store, image: Image) -> bool:
    """Whether the image is not in the archive, and not on the way back."""
    return image.status(store.clock.now()) == "ACTIVE"


def record_pull(store: Store, registry: Registry, image: Image, puller: str) -> None:
    """Store the time of a pull, which ECR shows as lastRecordedPullTime.

    puller: the ARN of the caller; some callers are excluded from this (`pull_times`). On a full
    disk the time is not stored, and the pull goes on.
    """
    now = store.clock.now()
    if image.last_pulled_at and now - image.last_pulled_at < PULL_TIME_RESOLUTION:
        return
    if pull_times.is_excluded(store, registry, puller):
        return
    try:
        with store.write() as db:
            db.execute(
                "update images set last_pulled_at = ? where id = ?", (now.timestamp(), image.id)
            )
    except NoRoom as error:
        log.warning("the time of a pull of %s is not stored: %s", image.digest, error)


def indexes_of(store: Store, repository: Repository, digest: str) -> list[str]:
    """The digests of the indexes of the repository that list an image."""
    with store.read() as db:
        return image_rows.indexes_of(db, repository, digest)


def delete(
    store: Store,
    repository: Repository,
    *,
    digest: str | None = None,
    tag: str | None = None,
    listed_before: Mapping[str, Sequence[str]] | None = None,
) -> Deletion:
    """Delete by digest (the image and all its tags) or by tag (the image with its last tag).

    With both, the tag must name that image. The artifacts that refer to the image stay until the
    repository's lifecycle policy runs (`artifacts`). Raises ImageNotFound, and ImageReferenced when
    an index of the repository lists the image; listed_before: digests of images, and of indexes
    that count as well, although they may be gone.
    """
    with store.write() as db:
        image = _find(db, repository, digest, tag)
        if image is None:
            raise errors.ImageNotFound(digest=digest, tag=tag, **repository.names)
        before = (listed_before or {}).get(image.digest, ())
        deletion = _delete(db, repository, image, tag, before)
        collection.collect(store, db)
        now = store.clock.now().timestamp()
        if deletion.image:
            artifacts.subject_deleted(db, repository, image.digest, now)
        events.image_action(store, db, repository, image, "DELETE", deletion.tags, now)
    return deletion


def _delete(
    db: sqlite3.Connection,
    repository: Repository,
    image: Image,
    tag: str | None,
    listed_before: Sequence[str],
) -> Deletion:
    if tag is not None and image.tags != (tag,):
        db.execute(
            "delete from image_tags where repository_id = ? and tag = ?", (repository.id, tag)
        )
        return Deletion(image.digest, (tag,), image=False)
    indexes = image_rows.indexes_of(db, repository, image.digest) or list(listed_before)
    if indexes:
        raise errors.ImageReferenced(indexes=indexes)
    collection.before_deletion(db, repository, image.id)
    db.execute("delete from images where id = ?", (image.id,))
    return Deletion(image.digest, image.tags, image=True)


def _digest_like(example: str, body: bytes) -> str | None:
    """The digest of `body` with the algorithm of the digest `example`; None for no digest."""
    try:
        return digests.of_bytes(body, digests.parse(example).algorithm)
    except digests.DigestError:
        return None


def _find(
    db: sqlite3.Connection, repository: Repository, digest: str | None, tag: str | None
) -> Image | None:
    if digest is None and tag is None:
        return None
    where, values = "images.repository_id = ?", [repository.id, digest, tag]
    where += "" if digest is None else " and images.digest = ?"
    where += (
        ""
        if tag is None
        else " and images.id = (select image_id from image_tags"
        " where repository_id = images.repository_id and tag = ?)"
    )
    found = image_rows.select(db, where, [value for value in values if value is not None])
    return found[0] if found else None
