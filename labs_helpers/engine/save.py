"""``docker save``: archives for every version of Docker, and for OCI tools.

The archive is both a Docker image archive (``manifest.json``) and an OCI image layout
(``index.json``, ``blobs/``), as Docker writes since version 25:
https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
Entries are sorted and have no times, so the same images give the same bytes.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference

from .store import Image, ImageStore
from .streams import chunks

Selection = list[tuple[Image, tuple[str, ...]]]
"""Images, each with the names to save."""


def save(names: Iterable[str], store: ImageStore) -> Iterator[bytes]:
    """The archive of images, in chunks of at most 1 MiB.

    A name with a tag selects that tag, a name without a tag every tag, and an ID the image without
    names.

    Raises:
        NoSuchImage: at once, before any byte, when an image is missing.
    """
    selection: dict[str, tuple[Image, list[str]]] = {}
    for name in names:
        for image, tags in _select(name, store):
            known = selection.setdefault(image.id, (image, []))[1]
            known += [tag for tag in tags if tag not in known]
    return _archive([(image, tuple(tags)) for image, tags in selection.values()], store)


def _select(name: str, store: ImageStore) -> list[tuple[Image, list[str]]]:
    try:
        parsed = references.parse(name, default_tag=False)
    except InvalidReference:
        return [(store.find(name), [])]
    if parsed.tag is None and parsed.digest is None:
        tagged = [
            (image, [known])
            for image in store.list()
            for known in image.names
            if references.parse(known).name == parsed.name
        ]
        if tagged:
            return sorted(tagged, key=lambda pair: pair[1])
    image = store.find(name)
    return [(image, [f"{parsed.name}:{parsed.tag}"] if parsed.tag and not parsed.digest else [])]


def _archive(selection: Selection, store: ImageStore) -> Iterator[bytes]:
    files: dict[str, bytes] = {}
    layers: dict[str, tuple[str, int]] = {}
    docker: list[dict[str, Any]] = []
    index: list[dict[str, Any]] = []
    repositories: dict[str, dict[str, str]] = {}
    for image, names in selection:
        files[digests.layout_path(image.id)] = image.config_bytes
        manifest = _oci_manifest(image)
        digest = digests.of_bytes(manifest)
        files[digests.layout_path(digest)] = manifest
        for layer in image.layers:
            layers[digests.layout_path(layer.digest)] = (layer.digest, layer.size)
        index += _index_entries(digest, len(manifest), names)
        docker.append(
            {
                "Config": digests.layout_path(image.id),
                "RepoTags": [_familiar(name) for name in names] or None,
                "Layers": [digests.layout_path(layer.digest) for layer in image.layers],
            }
        )
        for name in names if image.layers else ():
            repository, _, tag = _familiar(name).rpartition(":")
            top = image.layers[-1].digest.removeprefix("sha256:")
            repositories.setdefault(repository, {})[tag] = top
    files["index.json"] = _json(
        {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": index}
    )
    files["manifest.json"] = _json(docker)
    files["oci-layout"] = _json({"imageLayoutVersion": "1.0.0"})
    if repositories:
        files["repositories"] = _json(repositories)
    yield header("blobs", 0, folder=True) + header("blobs/sha256", 0, folder=True)
    for path in sorted(files.keys() | layers.keys()):
        if path in files:
            yield header(path, len(files[path])) + files[path] + padding(len(files[path]))
            continue
        layer_digest, size = layers[path]
        yield header(path, size)
        with store.blobs.path(layer_digest).open("rb") as file:
            yield from chunks(file)
        yield padding(size)
    yield b"\0" * 2 * tarfile.BLOCKSIZE


def _oci_manifest(image: Image) -> bytes:
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": {
                "mediaType": media_types.OCI_CONFIG,
                "digest": image.id,
                "size": len(image.config_bytes),
            },
            "layers": [
                {
                    "mediaType": media_types.OCI_LAYER_GZIP,
                    "digest": layer.digest,
                    "size": layer.size,
                }
                for layer in image.layers
            ],
        }
    )


def _index_entries(digest: str, size: int, names: Iterable[str]) -> list[dict[str, Any]]:
    entry = {"mediaType": media_types.OCI_MANIFEST, "digest": digest, "size": size}
    named = [
        {
            **entry,
            "annotations": {
                "io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": name.rpartition(":")[2],
            },
        }
        for name in names
    ]
    return named or [entry]


def _familiar(name: str) -> str:
    return references.parse(name).familiar


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def header(path: str, size: int, folder: bool = False) -> bytes:
    """The tar header of an entry of ``size`` bytes, without a time."""
    entry = tarfile.TarInfo(path)
    entry.size = size
    entry.mode = 0o755 if folder else 0o644
    entry.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    return entry.tobuf(tarfile.GNU_FORMAT)


def padding(size: int) -> bytes:
    """The padding after ``size`` bytes of content."""
    return b"\0" * (-size % tarfile.BLOCKSIZE)
