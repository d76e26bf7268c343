"""Which images there are, and their bytes: built once, kept under the sandbox's folder.

The folder is a cache and nothing more: it holds `catalogue.json` (which recipes it was built
from, references, media types) and `blobs/<hex>`. When the recipes change, or a file in it is
missing or damaged, it is built again; the digests stay the same.
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

_FORM = 1
"""Raise it when the code that builds images changes what it makes of the same recipes."""


@dataclass(frozen=True)
class _Index:
    """`tags`: repository -> tag -> digest; `manifests`: digest -> media type; `blobs`: repository
    -> every digest that is part of it, manifests included."""

    tags: Mapping[str, Mapping[str, str]]
    manifests: Mapping[str, str]
    blobs: Mapping[str, frozenset[str]]


class Catalogue:
    """The stand-in images by repository (`library/nginx`), tag and digest; thread-safe.

    Raises OSError when the folder can be neither read nor written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._index: _Index | None = None

    def repositories(self) -> list[str]:
        return sorted(self._loaded().tags)

    def references(self) -> list[str]:
        """Every image as a learner would type it: `nginx:alpine`."""
        return [
            f"{repository.removeprefix('library/')}:{tag}"
            for repository in self.repositories()
            for tag in self.tags(repository)
        ]

    def tags(self, repository: str) -> list[str]:
        """Tags in lexical order, as the tags/list call answers; empty when there is none."""
        return sorted(self._loaded().tags.get(repository, {}))

    def resolve(self, repository: str, reference: str) -> tuple[str, str] | None:
        """Digest and media type of a manifest named by tag or digest, or None."""
        index = self._loaded()
        digest = index.tags.get(repository, {}).get(reference, reference)
        if digest not in index.blobs.get(repository, frozenset()):
            return None
        media_type = index.manifests.get(digest)
        return (digest, media_type) if media_type else None

    def holds(self, repository: str, digest: str) -> bool:
        """Whether `digest` is a configuration or layer of an image of `repository`."""
        index = self._loaded()
        held = index.blobs.get(repository, frozenset())
        return digest in held and digest not in index.manifests

    def read(self, digest: str) -> bytes:
        """The bytes of a manifest or blob that `resolve` or `holds` knows."""
        content = self._intact(digest)
        if content is None:
            with self._lock:
                self._index = self._build()
            content = self._intact(digest)
        if content is None:
            raise OSError(f"{self._blob(digest)} does not keep what is written to it")
        return content

    def _loaded(self) -> _Index:
        with self._lock:
            if self._index is None:
                self._index = self._stored() or self._build()
            return self._index

    def _stored(self) -> _Index | None:
        try:
            document = json.loads((self._root / "catalogue.json").read_text(encoding="utf-8"))
            if document["recipes"] != recipe.fingerprint() or document["form"] != _FORM:
                return None
            return _Index(
                tags=document["tags"],
                manifests=document["manifests"],
                blobs={name: frozenset(held) for name, held in document["blobs"].items()},
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _build(self) -> _Index:
        tags: dict[str, dict[str, str]] = {}
        manifests: dict[str, str] = {}
        blobs: dict[str, set[str]] = {}
        (self._root / "blobs").mkdir(parents=True, exist_ok=True, mode=0o700)
        for one in recipe.load_all():
            built = image.build(one)
            for digest, content in built.blobs.items():
                if self._intact(digest) is None:
                    _write(self._blob(digest), content)
            tags.setdefault(one.repository, {}).update(dict.fromkeys(one.tags, built.index))
            manifests.update(built.manifests)
            blobs.setdefault(one.repository, set()).update(built.blobs)
        document: dict[str, Any] = {
            "form": _FORM,
            "recipes": recipe.fingerprint(),
            "tags": tags,
            "manifests": manifests,
            "blobs": {name: sorted(held) for name, held in blobs.items()},
        }
        _write(self._root / "catalogue.json", json.dumps(document, indent=1).encode())
        return _Index(tags, manifests, {name: frozenset(held) for name, held in blobs.items()})

    def _intact(self, digest: str) -> bytes | None:
        try:
            content = self._blob(digest).read_bytes()
        except FileNotFoundError:
            return None
        return content if digests.of_bytes(content) == digest else None

    def _blob(self, digest: str) -> Path:
        return self._root / "blobs" / digests.parse(digest).hex


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all, readable by the owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
