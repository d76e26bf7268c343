"""The catalogue of stand-in images, built once and cached in the sandbox's folder.

The folder has `catalogue.json` (the recipes' fingerprint, references, media types) and
`blobs/<hex>`. When the recipes change, or a file is missing or damaged, the catalogue is built
again. The digests stay the same.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.sandbox.hub import image, recipe

_BUILD_VERSION = 1
"""Increase this when the code makes other images from the same recipes."""


@dataclass(frozen=True)
class _Index:
    """The contents of `catalogue.json`.

    `tags`: repository -> tag -> digest; `manifests`: digest -> media type; `blobs`: repository ->
    all its digests, those of manifests included.
    """

    tags: Mapping[str, Mapping[str, str]]
    manifests: Mapping[str, str]
    blobs: Mapping[str, frozenset[str]]


class Catalogue:
    """The stand-in images by repository (`library/nginx`), tag and digest. It is thread-safe.

    Every method raises OSError if it can neither read nor write the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._index: _Index | None = None

    def repositories(self) -> list[str]:
        return sorted(self._current_index().tags)

    def references(self) -> list[str]:
        """The name of every image as a learner types it: `nginx:alpine`."""
        return [
            f"{repository.removeprefix('library/')}:{tag}"
            for repository in self.repositories()
            for tag in self.tags(repository)
        ]

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository, sorted; empty for an unknown repository."""
        return sorted(self._current_index().tags.get(repository, {}))

    def resolve(self, repository: str, reference: str) -> tuple[str, str] | None:
        """Digest and media type of the manifest with this tag or digest, or None."""
        index = self._current_index()
        digest = index.tags.get(repository, {}).get(reference, reference)
        if digest not in index.blobs.get(repository, frozenset()):
            return None
        media_type = index.manifests.get(digest)
        return (digest, media_type) if media_type else None

    def holds(self, repository: str, digest: str) -> bool:
        """Whether `digest` is a configuration or layer of an image of `repository`."""
        index = self._current_index()
        known = index.blobs.get(repository, frozenset())
        return digest in known and digest not in index.manifests

    def read(self, digest: str) -> bytes:
        """The bytes of a manifest or blob; its digest is one that `resolve` or `holds` knows."""
        content = self._read_blob(digest)
        if content is None:
            with self._lock:
                self._index = self._build()
            content = self._read_blob(digest)
        if content is None:
            raise OSError(f"{self._blob(digest)} was written and cannot be read back")
        return content

    def _current_index(self) -> _Index:
        with self._lock:
            if self._index is None:
                self._index = self._read_index() or self._build()
            return self._index

    def _read_index(self) -> _Index | None:
        try:
            document = json.loads((self._root / "catalogue.json").read_text(encoding="utf-8"))
            if document["recipes"] != recipe.fingerprint() or document["form"] != _BUILD_VERSION:
                return None
            return _Index(
                tags=document["tags"],
                manifests=document["manifests"],
                blobs={name: frozenset(found) for name, found in document["blobs"].items()},
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _build(self) -> _Index:
        tags: dict[str, dict[str, str]] = {}
        manifests: dict[str, str] = {}
        blobs: dict[str, set[str]] = {}
        (self._root / "blobs").mkdir(parents=True, exist_ok=True, mode=0o700)
        for each in recipe.load_all():
            built = image.build(each)
            for digest, content in built.blobs.items():
                if self._read_blob(digest) is None:
                    _write(self._blob(digest), content)
            tags.setdefault(each.repository, {}).update(dict.fromkeys(each.tags, built.index))
            manifests.update(built.manifests)
            blobs.setdefault(each.repository, set()).update(built.blobs)
        document: dict[str, Any] = {
            "form": _BUILD_VERSION,
            "recipes": recipe.fingerprint(),
            "tags": tags,
            "manifests": manifests,
            "blobs": {name: sorted(found) for name, found in blobs.items()},
        }
        _write(self._root / "catalogue.json", json.dumps(document, indent=1).encode())
        return _Index(tags, manifests, {name: frozenset(found) for name, found in blobs.items()})

    def _read_blob(self, digest: str) -> bytes | None:
        try:
            content = self._blob(digest).read_bytes()
        except FileNotFoundError:
            return None
        return content if digests.of_bytes(content) == digest else None

    def _blob(self, digest: str) -> Path:
        return self._root / "blobs" / digests.parse(digest).hex


def _write(path: Path, content: bytes) -> None:
    """Write the whole file or nothing; only the owner may read it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
