"""The images of the engine: configurations, layers and names.

The records are in one SQLite database beside the blobs. An image is added in one transaction when
its layers are complete, so a process that is killed leaves either the whole image or nothing.
Images share layers: a blob is removed with the last image that uses it.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference

from .blobs import GZIP_TYPE, BlobError, Blobs, Layer
from .database import BlobLocations, open_database
from .image import Conflict, Image, NoSuchImage, canonical_name, familiar_with_tag
from .image_config import created_at, encode_config, kept, read_config

__all__ = ["BlobError", "Conflict", "Image", "ImageStore", "Layer", "NoSuchImage"]


class ImageStore(BlobLocations):
    """The images in one folder; safe to use from several threads of one process.

    ``durable`` is passed to Blobs.
    """

    def __init__(self, root: Path, durable: bool = True) -> None:
        super().__init__(open_database(root), threading.RLock())
        self.blobs = Blobs(root / "blobs", durable)
        self._in_use: Counter[str] = Counter()

    def close(self) -> None:
        """Close the database. The store cannot be used again."""
        with self._lock:
            self._db.close()

    # layers

    def write_layer(self, tar: BinaryIO) -> Layer:
        """Store a layer from an uncompressed tar stream; equal tars are stored once.

        The blob stays until an image with this layer is added and removed, or this process ends.
        """
        return self._pin(self.blobs.encode(tar))

    def receive_layer(
        self, source: BinaryIO, digest: str | None = None, media_type: str = GZIP_TYPE
    ) -> Generator[int, None, Layer]:
        """Store a layer from a registry or an archive, as Blobs.receive does. Raises BlobError."""
        return self._pin((yield from self.blobs.receive(source, digest, media_type)))

    def known_layer(self, digest: str) -> Layer | None:
        """The layer with this blob digest, if an image uses it and the blob exists."""
        with self._lock, closing(self._db.cursor()) as cursor:
            row = cursor.execute(
                "SELECT diff_id, digest, size, media_type, unpacked FROM layers"
                " WHERE digest = ? LIMIT 1",
                (digest,),
            ).fetchone()
        return self._pin(Layer(*row)) if row and digest in self.blobs else None

    def open_layer(self, layer: Layer) -> BinaryIO:
        """The uncompressed tar of a layer as a forward-only stream."""
        return self.blobs.open_tar(layer.digest)

    def _pin(self, layer: Layer) -> Layer:
        with self._lock:
            self._in_use[layer.digest] += 1
        return layer

    # images

    def add_image(
        self,
        config: dict[str, Any] | bytes,
        layers: Sequence[Layer],
        references: Sequence[str] = (),
        parent: str | None = None,
    ) -> Image:
        """Add an image and name it; an image with the same configuration is not added twice.

        Args:
            config: the image configuration; a dict is encoded in one fixed way (sorted keys, no
                blanks), bytes are stored as they are. The ID is the digest of the encoding.
            layers: lowest first, each from ``write_layer``, ``receive_layer`` or another image.
            references: names for the image, in any form Docker accepts; other images lose them.
            parent: ID of the image in this store that it was built from, if any.

        Raises:
            ValueError: the bytes are not an image configuration, or its rootfs.diff_ids differ
                from the layers.
            BlobError: the blob of a layer does not exist.
            InvalidReference: a name is malformed.
        """
        encoded = config if isinstance(config, bytes) else encode_config(config)
        diff_ids = read_config(encoded)["rootfs"].get("diff_ids") or []
        if diff_ids != [layer.diff_id for layer in layers]:
            raise ValueError("the layers differ from rootfs.diff_ids of the configuration")
        names = [canonical_name(reference) for reference in references]
        image_id = f"sha256:{hashlib.sha256(encoded).hexdigest()}"
        with self._lock, self._db:
            for layer in layers:
                if layer.digest not in self.blobs:
                    raise BlobError(f"layer {layer.digest} does not exist")
            self._db.execute(
                "INSERT OR IGNORE INTO images VALUES (?, ?, ?, ?)",
                (image_id, encoded, parent, 0.0),
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO layers VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (image_id, place, la.diff_id, la.digest, la.size, la.media_type, la.unpacked)
                    for place, la in enumerate(layers)
                ],
            )
            for name in names:
                self._name(name, image_id)
            self._in_use -= Counter({layer.digest for layer in layers})
        return self._load(image_id)

    def find(self, name: str) -> Image:
        """The image with a name, a ``name@digest``, an ID or an unambiguous start of an ID.

        Raises:
            NoSuchImage: no image has it.
        """
        hexadecimal = name.removeprefix("sha256:")
        with self._lock:
            if re.fullmatch(r"[0-9a-f]{64}", hexadecimal) and self._is_known(
                f"sha256:{hexadecimal}"
            ):
                return self._load(f"sha256:{hexadecimal}")
            if not name.startswith("sha256:"):
                row = self._db.execute(
                    "SELECT image FROM names WHERE name = ?", (_lookup_name(name),)
                ).fetchone()
                if row:
                    return self._load(row[0])
            if re.fullmatch(r"[0-9a-f]{1,64}", hexadecimal):
                rows = self._db.execute(
                    "SELECT id FROM images WHERE id GLOB ? LIMIT 2", (f"sha256:{hexadecimal}*",)
                ).fetchall()
                if len(rows) == 1:
                    return self._load(rows[0][0])
        raise NoSuchImage(familiar_with_tag(name))

    def list(self) -> list[Image]:
        """Every image, the most recently created first, then by ID."""
        with self._lock:
            rows = self._db.execute("SELECT id FROM images").fetchall()
            images = [self._load(row[0]) for row in rows]
        images.sort(key=lambda image: image.id)
        images.sort(key=lambda image: created_at(image.config), reverse=True)
        return images

    def children(self, image_id: str) -> Sequence[Image]:
        """The images that were built on this image."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id FROM images WHERE parent = ? ORDER BY id", (image_id,)
            ).fetchall()
            return [self._load(row[0]) for row in rows]

    def tag(self, image: Image, reference: str, *, timed: bool = True) -> Reference:
        """Give an image a name, whose tag defaults to ``latest``; another image loses that name.

        ``name@digest`` records the digest of the image in a registry. Pass ``timed=False`` for a
        name from a pull.

        Raises:
            InvalidReference: the reference is malformed.
            NoSuchImage: the image has been removed.
        """
        name = canonical_name(reference)
        with self._lock, self._db:
            if not self._is_known(image.id):
                raise NoSuchImage(image.id)
            self._name(name, image.id, timed)
        return references.parse(name, default_tag=False)

    def untag(self, name: str) -> bool:
        """Remove one canonical name; False when no image had it."""
        with self._lock, self._db:
            return self._db.execute("DELETE FROM names WHERE name = ?", (name,)).rowcount > 0

    def remove(self, image_id: str) -> int:
        """Delete an image, its names and the blobs of no other image; return the bytes freed.

        Raises:
            NoSuchImage: the image does not exist.
            Conflict: other images were built on it.
        """
        with self._lock:
            image = self._load(image_id)
            if self.children(image_id):
                raise Conflict(
                    f"conflict: unable to delete {image.short_id} (cannot be forced)"
                    " - image has dependent child images"
                )
            with self._db:
                self._db.execute("DELETE FROM images WHERE id = ?", (image_id,))
            freed = 0
            for layer in image.layers:
                if not self._is_used(layer.digest) and not self._in_use[layer.digest]:
                    freed += self.blobs.remove(layer.digest)
            return freed

    def sweep(self) -> None:
        """Remove blobs that no image uses. Call at the start of a process, before any build."""
        with self._lock:
            self.blobs.clear_incoming()
            for digest in list(self.blobs.digests()):
                if not self._is_used(digest) and not self._in_use[digest]:
                    self.blobs.remove(digest)

    def _is_known(self, image_id: str) -> bool:
        return bool(self._db.execute("SELECT 1 FROM images WHERE id = ?", (image_id,)).fetchone())

    def _is_used(self, digest: str) -> bool:
        return bool(self._db.execute("SELECT 1 FROM layers WHERE digest = ?", (digest,)).fetchone())

    def _name(self, name: str, image_id: str, timed: bool = True) -> None:
        self._db.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (name, image_id))
        if timed and "@" not in name:
            self._db.execute("UPDATE images SET tagged = ? WHERE id = ?", (time.time(), image_id))

    def _load(self, image_id: str) -> Image:
        with self._lock:
            row = self._db.execute(
                "SELECT config, parent, tagged, rowid FROM images WHERE id = ?", (image_id,)
            ).fetchone()
            if row is None:
                raise NoSuchImage(image_id)
            layers = self._db.execute(
                "SELECT diff_id, digest, size, media_type, unpacked FROM layers"
                " WHERE image = ? ORDER BY place",
                (image_id,),
            ).fetchall()
            names = [
                name
                for (name,) in self._db.execute(
                    "SELECT name FROM names WHERE image = ? ORDER BY name", (image_id,)
                )
            ]
        return Image(
            id=image_id,
            config=kept(row[0]),
            layers=tuple(Layer(*layer) for layer in layers),
            config_bytes=row[0],
            parent=row[1],
            names=tuple(name for name in names if "@" not in name),
            digests=tuple(name for name in names if "@" in name),
            tagged_at=row[2],
            sequence=row[3],
        )


def _lookup_name(name: str) -> str | None:
    try:
        return canonical_name(name)
    except InvalidReference:
        return None
