"""Layers on their way in: an upload is a file that grows part by part, hashed as it arrives.

Its row holds how many bytes were acknowledged; a part that broke off is cut away, so that a
client resumes from what it was told. Source:
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Protocol

from labs_helpers.sandbox.ecr import blobs, errors, layers
from labs_helpers.sandbox.ecr.layers import Blob
from labs_helpers.sandbox.ecr.repositories import Repository, require
from labs_helpers.sandbox.ecr.store import RunningHash, Store
from labs_helpers.sandbox.service.store import naming_a_full_disk

BUFFER = 1024 * 1024
"""Bytes read at a time: what bounds memory however large the layer."""

CHUNKED_BUFFER = 64 * 1024
"""Likewise where the length is not announced: a server joins its chunks to make up what is asked
for, at a cost that grows with the square of it (cheroot's ChunkedRFile)."""

BEHIND = 4
"""How many chunks the hash may be behind the file."""

SETTLE = 32 * 1024 * 1024
"""Bytes after which what was written is sent on to the disk."""


class Reader(Protocol):
    """Where the bytes of a part come from: `read(n)` gives b"" at the end."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""


class Truncated(Exception):
    """The part ended before the number of bytes that was announced."""


@dataclass(frozen=True)
class Upload:
    """An upload under way: bytes acknowledged, and how many parts they came in."""

    id: str
    received: int
    parts: int


@dataclass(frozen=True)
class Completed:
    """A finished upload; `existed` when the repository held that blob before."""

    blob: Blob
    existed: bool


def initiate(store: Store, repository: Repository) -> str:
    """Begin an upload; returns its id (a UUID)."""
    upload_id = str(uuid.uuid4())
    with store.write() as db:
        require(db, repository)
        store.upload_path(upload_id).touch(mode=0o600)
        db.execute(
            "insert into uploads (id, repository_id, started_at) values (?, ?, ?)",
            (upload_id, repository.id, store.clock.now().timestamp()),
        )
    return upload_id


def find(store: Store, repository: Repository, upload_id: str) -> Upload:
    """The upload as acknowledged so far; raises UploadNotFound."""
    with store.read() as db:
        row = db.execute(
            "select id, received, parts from uploads where id = ? and repository_id = ?",
            (upload_id, repository.id),
        ).fetchone()
    if row is None:
        raise errors.UploadNotFound(upload_id, repository.name, repository.account)
    return Upload(row["id"], row["received"], row["parts"])


def append(
    store: Store,
    repository: Repository,
    upload_id: str,
    part: Reader,
    *,
    length: int | None = None,
    first_byte: int | None = None,
) -> int:
    """Add a part; returns the bytes received so far.

    `length` is the announced size of the part (None: until its end), `first_byte` where it says
    it belongs. Raises UploadNotFound, InvalidLayerPart (it belongs elsewhere), Truncated. A part
    that fails is forgotten.
    """
    with _held(store, repository, upload_id) as (running, path):
        before = running.size
        if first_byte is not None and first_byte != before:
            raise errors.InvalidLayerPart(first_byte, before)
        sha256 = running.sha256.copy()
        with path.open("r+b", buffering=0) as file:
            file.seek(before)
            try:
                size = _copy(part, file, sha256.update, length)
                with store.write() as db:
                    changed = db.execute(
                        "update uploads set received = ?, parts = parts + 1 where id = ?",
                        (before + size, upload_id),
                    ).rowcount
                if not changed:
                    raise errors.UploadNotFound(upload_id, repository.name, repository.account)
            except BaseException:
                file.truncate(before)
                raise
        running.sha256 = sha256
        running.size = before + size
        return running.size


def complete(
    store: Store, repository: Repository, upload_id: str, layer_digests: Sequence[str]
) -> Completed:
    """Finish an upload; raises UploadNotFound, InvalidLayer.

    An upload that does not hash to one of `layer_digests` is dropped with its bytes.
    """
    with _held(store, repository, upload_id) as (running, path):
        digest = _matching(running, path, layer_digests)
        if digest is None:
            _drop(store, upload_id)
            raise errors.InvalidLayer()
        blob = Blob(digest, running.size)
        # Before the transaction: other writers do not wait for these bytes to reach the disk.
        with path.open("rb") as file:
            os.fsync(file.fileno())
        with store.write() as db:
            if not db.execute("delete from uploads where id = ?", (upload_id,)).rowcount:
                raise errors.UploadNotFound(upload_id, repository.name, repository.account)
            existed = layers.holds(db, repository, blob.digest)
            if not store.blob_path(blob.digest).exists():
                blobs.place(store, path, blob.digest)
            db.execute("insert or ignore into blobs values (?, ?)", (blob.digest, blob.size))
            layers.link(store, db, repository, blob.digest)
        _forget(store, upload_id)
        return Completed(blob, existed)


def cancel(store: Store, repository: Repository, upload_id: str) -> None:
    """Drop an upload and its bytes; raises UploadNotFound."""
    with _held(store, repository, upload_id):
        _drop(store, upload_id)


@contextmanager
def _held(
    store: Store, repository: Repository, upload_id: str
) -> Iterator[tuple[RunningHash, Path]]:
    """The running hash and file of an upload, for this thread alone.

    Raises UploadNotFound, and NoRoom when the disk is full.
    """
    find(store, repository, upload_id)
    path = store.upload_path(upload_id)
    running = store.hashes.of(upload_id)
    with running.lock, naming_a_full_disk():
        upload = find(store, repository, upload_id)  # it may have ended while this thread waited
        if running.size != upload.received:
            running.start_again(path, upload.received)
        yield running, path


def _matching(running: RunningHash, path: Path, layer_digests: Sequence[str]) -> str | None:
    """The digest of those given that the upload's bytes have."""
    for digest in layer_digests:
        algorithm, _, expected = digest.partition(":")
        if algorithm == "sha256":
            actual = running.sha256.hexdigest()
        elif algorithm == "sha512":  # rare, and not known before the end: read once more
            with path.open("rb") as file:
                actual = hashlib.file_digest(file, hashlib.sha512).hexdigest()
        else:
            continue
        if actual == expected:
            return digest
    return None


def _copy(part: Reader, file: FileIO, update: Callable[[bytes], object], length: int | None) -> int:
    """Write a part and hash it: the hash follows on a thread of its own, a few chunks behind.

    What was written goes to the disk meanwhile, so that the end need not wait for all of it.
    """
    size = settled = 0
    with ThreadPoolExecutor(1, "hash") as hashing:
        behind: deque[Future[object]] = deque()
        while length is None or size < length:
            chunk = part.read(CHUNKED_BUFFER if length is None else min(BUFFER, length - size))
            if not chunk:
                break
            behind.append(hashing.submit(update, chunk))
            view = memoryview(chunk)
            while view:  # a raw file may take less than it was given
                view = view[file.write(view) :]
            size += len(chunk)
            if size - settled >= SETTLE:
                behind.append(hashing.submit(os.fsync, file.fileno()))
                settled = size
            if len(behind) > BEHIND:
                behind.popleft().result()
    for rest in behind:
        rest.result()
    if length is not None and size < length:
        raise Truncated(f"the part has {size} bytes of the {length} announced")
    return size


def _drop(store: Store, upload_id: str) -> None:
    with store.write() as db:
        db.execute("delete from uploads where id = ?", (upload_id,))
    _forget(store, upload_id)


def _forget(store: Store, upload_id: str) -> None:
    store.upload_path(upload_id).unlink(missing_ok=True)
    store.hashes.forget(upload_id)
