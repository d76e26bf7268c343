"""``docker load``: Docker image archives, old and new, and OCI image layouts.

The archive is never unpacked: members are read by name from the received file, so a name with
``..`` cannot lead anywhere; it is refused. An image appears in the store when it is complete.
"""

from __future__ import annotations

import json
import os
import posixpath
import tarfile
import tempfile
from collections.abc import Callable, Generator, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from labs_helpers.oci import digest as digests
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.oci import reference as references
from labs_helpers.oci.manifest import Descriptor, InvalidManifest, Manifest
from labs_helpers.oci.reference import InvalidReference

from .compression import HEAD, CompressionError, decoder_of
from .errors import BadRequest
from .platform import DEFAULT
from .store import BlobError, Image, ImageStore, Layer, NoSuchImage
from .streams import chunks, map_generator

_DOCUMENT_LIMIT = 8 * 1024 * 1024
_MEMBER_LIMIT = 100_000

Message = dict[str, Any]


def load(
    source: BinaryIO,
    store: ImageStore,
    scratch: Path,
    loaded: Callable[[Image], None] = lambda image: None,
) -> Iterator[Message]:
    """Add the images of an archive; yield Docker's messages for each layer and each image.

    Args:
        source: a tar stream, plain or compressed with gzip, zstd, bzip2 or xz.
        scratch: folder for a temporary copy of the archive.
        loaded: called with each image that the store now has.

    Raises:
        BadRequest: the archive is of another kind, or cut off; images already reported stay.
    """
    with tempfile.TemporaryFile(dir=scratch) as file:
        _receive(source, file)
        file.seek(0)
        try:
            tar = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115 -- closed below
        except (tarfile.TarError, EOFError) as error:
            raise BadRequest("invalid archive: this is not a tar file") from error
        try:
            with tar:
                yield from _Archive(tar, store, loaded).load()
        except (tarfile.TarError, EOFError, BlobError, InvalidManifest, InvalidReference) as error:
            raise BadRequest(f"invalid archive: {error}") from error


def _receive(source: BinaryIO, file: Any) -> None:
    head = source.read(HEAD)
    decoder = decoder_of(head)
    try:
        for data in chain([head], chunks(source)):
            file.writelines(decoder.feed(data) if decoder else (data,))
        file.writelines(decoder.finish() if decoder else ())
    except CompressionError as error:
        raise BadRequest(f"invalid archive: {error}") from error


class _Archive:
    """An image archive that is open for reading."""

    def __init__(
        self, tar: tarfile.TarFile, store: ImageStore, loaded: Callable[[Image], None]
    ) -> None:
        self._tar, self._store, self._loaded = tar, store, loaded
        self._members: dict[str, tarfile.TarInfo] = {}
        for count, member in enumerate(tar):
            if count >= _MEMBER_LIMIT:
                raise BadRequest(f"invalid archive: more than {_MEMBER_LIMIT} entries")
            self._members[_safe_name(member.name)] = member

    def load(self) -> Iterator[Message]:
        """Load every image; yield Docker's messages."""
        if "manifest.json" in self._members:
            yield from self._load_docker()
        elif "index.json" in self._members:
            yield from self._load_layout()
        else:
            raise BadRequest(
                "invalid archive: neither manifest.json nor index.json is in it"
                " (docker load takes what docker save wrote)"
            )

    def _load_docker(self) -> Iterator[Message]:
        entries = self._document("manifest.json")
        if not isinstance(entries, list):
            raise BadRequest("invalid archive: manifest.json is not a list")
        for entry in entries:
            if not isinstance(entry, dict):
                raise BadRequest("invalid archive: an entry of manifest.json is not an object")
            config, paths = entry.get("Config"), entry.get("Layers") or []
            names = entry.get("RepoTags") or []
            if (
                not isinstance(config, str)
                or not _is_string_list(paths)
                or not _is_string_list(names)
            ):
                raise BadRequest("invalid archive: manifest.json lacks Config, Layers or RepoTags")
            layers = []
            for path in paths:
                layers.append((yield from self._layer(path, None)))
            yield from self._add(self._bytes(config), layers, names)

    def _load_layout(self) -> Iterator[Message]:
        for descriptor in self._index("index.json").manifests:
            manifest = self._manifest(descriptor)
            if manifest is None or manifest.config is None:
                continue
            config = self._bytes(digests.layout_path(manifest.config.digest))
            if digests.of_bytes(config) != manifest.config.digest:
                raise BadRequest(f"invalid archive: {manifest.config.digest} has other content")
            layers = []
            for layer in manifest.layers:
                layers.append(
                    (yield from self._layer(digests.layout_path(layer.digest), layer.digest))
                )
            name = descriptor.annotations.get("io.containerd.image.name")
            yield from self._add(config, layers, [name] if name else [])

    def _manifest(self, descriptor: Descriptor) -> Manifest | None:
        body = self._bytes(digests.layout_path(descriptor.digest))
        if digests.of_bytes(body) != descriptor.digest:
            raise BadRequest(f"invalid archive: {descriptor.digest} has other content")
        manifest = manifests.parse(body, descriptor.media_type)
        if not manifest.is_index:
            return manifest
        for entry in manifest.manifests:
            offered = entry.platform or {}
            if DEFAULT.fits(str(offered.get("os")), str(offered.get("architecture"))):
                return self._manifest(entry)
        return None

    def _index(self, path: str) -> Manifest:
        return manifests.parse(self._bytes(path), media_types.OCI_INDEX)

    def _add(self, config: bytes, layers: list[Layer], names: list[str]) -> Iterator[Message]:
        replaced = {name: self._image_named(name) for name in names}
        try:
            image = self._store.add_image(config, layers, names)
        except (ValueError, AttributeError, TypeError) as error:
            raise BadRequest(f"invalid archive: invalid image configuration: {error}") from error
        self._loaded(image)
        for name, old in replaced.items():
            if old and old.id != image.id:
                yield _stream_message(
                    f"The image {name} already exists, renaming the old one with ID"
                    f" {old.id} to empty string"
                )
            yield _stream_message(f"Loaded image: {references.parse(name).familiar}")
        if not names:
            yield _stream_message(f"Loaded image ID: {image.id}")

    def _image_named(self, name: str) -> Image | None:
        references.parse(name)
        try:
            return self._store.find(name)
        except NoSuchImage:
            return None

    def _layer(self, path: str, digest: str | None) -> Generator[Message, None, Layer]:
        with self._open(path) as file:
            total = file.seek(0, os.SEEK_END)
            file.seek(0)
            message = {"status": "Loading layer", "id": _short(path)}
            layer = yield from map_generator(
                lambda received: {
                    **message,
                    "progressDetail": {"current": received, "total": total},
                },
                self._store.receive_layer(file, digest),
            )
            return layer

    def _document(self, path: str) -> Any:
        try:
            return json.loads(self._bytes(path))
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"invalid archive: {path} is not JSON: {error}") from error

    def _bytes(self, path: str) -> bytes:
        with self._open(path) as file:
            data = file.read(_DOCUMENT_LIMIT + 1)
        if len(data) > _DOCUMENT_LIMIT:
            raise BadRequest(f"invalid archive: {path} is too large")
        return data

    def _open(self, path: str) -> BinaryIO:
        name = _safe_name(path)
        for _ in range(10):
            member = self._members.get(name)
            if member is None:
                raise BadRequest(f"invalid archive: {path} is not in it")
            if member.isreg():
                file = self._tar.extractfile(member)
                if file is not None:
                    return file  # type: ignore[return-value]
            # Docker before 25 writes a link for a layer that two images share
            if not (member.issym() or member.islnk()):
                break
            folder = posixpath.dirname(name) if member.issym() else ""
            name = _safe_name(posixpath.join(folder, member.linkname))
        raise BadRequest(f"invalid archive: {path} is not a file")


def _short(path: str) -> str:
    """Twelve digits that identify a layer: from the name of its blob, or of its folder."""
    folder, name = posixpath.split(path)
    return (posixpath.basename(folder) if name == "layer.tar" else name)[:12]


def _stream_message(text: str) -> Message:
    return {"stream": f"{text}\n"}


def _safe_name(name: str) -> str:
    normal = posixpath.normpath(name)
    if normal.startswith(("/", "../")) or normal == "..":
        raise BadRequest(f"invalid archive: the name {name!r} leads out of it")
    return normal


def _is_string_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
