"""Uploads of layers: an upload is a file that grows part by part, and is hashed as it grows.

The upload's row holds the number of acknowledged bytes. The bytes of an interrupted part are cut
off, so that a client resumes from the number that it knows. `kill -9` takes nothing that was
acknowledged. A power cut may take an unfinished upload or bytes of it, which the digest then tells;
a finished layer is on the disk. Source:
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.sandbox.ecr import blobs, errors, layers, part_bytes
from labs_helpers.sandbox.ecr.layers import Blob
from labs_helpers.sandbox.ecr.repositories import Repository, require
from labs_helpers.sandbox.ecr.store import RunningHash, Store
from labs_helpers.sandbox.service.store import naming_a_full_disk

SMALLEST_PART = 5 * 1024 * 1024
"""Bytes that ECR wants of every part but the last.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
"""

_REMEMBER_PART = """
insert into upload_parts (upload_id, last) values (?, ?) on conflict do update
set smallest = min(coalesce(smallest, last), last), last = excluded.last
"""


@dataclass(frozen=True)
class Upload:
    """An unfinished upload: acknowledged bytes, and in how many parts they came."""

    id: str
    received: int
    parts: int


@dataclass(frozen=True)
class FinishedUpload:
    """The blob of an upload; `existed` when the repository held the blob before."""

    blob: Blob
    existed: bool


def initiate(store: Store, repository: Repository) -> str:
    """Begin an upload; returns its id (a UUID)."""
    upload_id = str(uuid.uuid4())
    with store.write(waiting=False) as db:
        require(db, repository)
        store.upload_path(upload_id).touch(mode=0o600)
        db.execute(
            "insert into uploads (id, repository_id, started_at) values (?, ?, ?)",
            (upload_id, repository.id, store.clock.now().timestamp()),
        )
    return upload_id


def find(store: Store, repository: Repository, upload_id: str) -> Upload:
    """The unfinished upload; raises UploadNotFound."""
    with store.read() as db:
        row = db.execute(
            "select id, received, parts from uploads where id = ? and repository_id = ?",
            (upload_id, repository.id),
        ).fetchone()
    if row is None:
        raise errors.UploadNotFound(upload_id=upload_id, **repository.names)
    return Upload(row["id"], row["received"], row["parts"])


def append(
    store: Store,
    repository: Repository,
    upload_id: str,
    part: part_bytes.Reader,
    *,
    length: int | None = None,
    first_byte: int | None = None,
) -> int:
    """Add a part; returns the bytes received so far.

    `length` is the announced size of the part (None: until its end), `first_byte` the part's place
    in the layer. Raises UploadNotFound, InvalidLayerPart (a wrong place), Truncated. Of a part that
    fails, no byte stays. A part without bytes is no part.
    """
    with _exclusively(store, repository, upload_id) as (running, path):
        before = running.size
        if first_byte is not None and first_byte != before:
            raise errors.InvalidLayerPart.elsewhere(first_byte, before)
        sha256 = running.sha256.copy()
        with path.open("r+b", buffering=0) as file:
            file.seek(before)
            try:
                size = part_bytes.copy(part, file, sha256.update, length)
                with store.write(waiting=False) as db:
                    changed = db.execute(
                        "update uploads set received = ?, parts = parts + ? where id = ?",
                        (before + size, size > 0, upload_id),
                    ).rowcount
                    if not changed:
                        raise errors.UploadNotFound(upload_id=upload_id, **repository.names)
                    if size:
                        db.execute(_REMEMBER_PART, (upload_id, size))
            except BaseException:
                file.truncate(before)
                raise
        running.sha256 = sha256
        running.size = before + size
        return running.size


def complete(
    store: Store,
    repository: Repository,
    upload_id: str,
    layer_digests: Sequence[str],
    *,
    ecr_parts: bool = True,
) -> FinishedUpload:
    """Finish an upload; raises UploadNotFound, InvalidLayer.

    An upload without one of `layer_digests` is dropped with its bytes. ecr_parts: ECR's rules of
    parts hold, so that EmptyUpload and LayerPartTooSmall may be raised; the upload then goes on.
    """
    with _exclusively(store, repository, upload_id) as (running, path):
        if ecr_parts:
            _check_parts(store, repository, upload_id)
        digest = _matching(running, path, layer_digests)
        if digest is None:
            _drop(store, upload_id)
            raise errors.InvalidLayer()
        blob = Blob(digest, running.size)
        # before the transaction, so that other writers do not wait for these bytes
        with path.open("rb") as file:
            os.fsync(file.fileno())
        with store.write() as db:
            if not db.execute("delete from uploads where id = ?", (upload_id,)).rowcount:
                raise errors.UploadNotFound(upload_id=upload_id, **repository.names)
            existed = layers.holds(db, repository, blob.digest)
            if not store.blob_path(blob.digest).exists():
                blobs.place(store, path, blob.digest)
            db.execute("insert or ignore into blobs values (?, ?)", (blob.digest, blob.size))
            layers.link(store, db, repository, blob.digest)
        _forget(store, upload_id)
        return FinishedUpload(blob, existed)


def cancel(store: Store, repository: Repository, upload_id: str) -> None:
    """Drop an upload and its bytes; raises UploadNotFound."""
    with _exclusively(store, repository, upload_id):
        _drop(store, upload_id)


@contextmanager
def _exclusively(
    store: Store, repository: Repository, upload_id: str
) -> Iterator[tuple[RunningHash, Path]]:
    """The running hash and the file of an upload, which only this thread changes in the block.

    Raises UploadNotFound, and NoRoom when the disk is full.
    """
    find(store, repository, upload_id)
    path = store.upload_path(upload_id)
    running = store.hashes.of(upload_id)
    with running.lock, naming_a_full_disk():
        upload = find(store, repository, upload_id)  # it may have ended while this thread waited
        if running.size != upload.received:
            running.restart(path, upload.received)
        yield running, path


def _check_parts(store: Store, repository: Repository, upload_id: str) -> None:
    with store.read() as db:
        row = db.execute(
            "select parts, smallest from uploads left join upload_parts on upload_id = id"
            " where id = ?",
            (upload_id,),
        ).fetchone()
    if row is None or not row["parts"]:
        raise errors.EmptyUpload(upload_id=upload_id, **repository.names)
    if row["smallest"] is not None and row["smallest"] < SMALLEST_PART:
        raise errors.LayerPartTooSmall()


def _matching(running: RunningHash, path: Path, layer_digests: Sequence[str]) -> str | None:
    """The one of the digests that the upload's bytes have, or None."""
    for digest in layer_digests:
        algorithm, _, expected = digest.partition(":")
        if algorithm == "sha256":
            actual = running.sha256.hexdigest()
        elif algorithm == "sha512":  # rare, and unknown before the end: read the file again
            with path.open("rb") as file:
                actual = hashlib.file_digest(file, hashlib.sha512).hexdigest()
        else:
            continue
        if actual == expected:
            return digest
    return None


def _drop(store: Store, upload_id: str) -> None:
    with store.write(waiting=False) as db:
        db.execute("delete from uploads where id = ?", (upload_id,))
    _forget(store, upload_id)


def _forget(store: Store, upload_id: str) -> None:
    store.upload_path(upload_id).unlink(missing_ok=True)
    store.hashes.forget(upload_id)
