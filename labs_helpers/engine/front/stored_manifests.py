"""Find the manifests with which Docker's containerd store keeps an image.

A push sends them unchanged, so the registry's digest is the daemon's. With them go the attestations
(SBOM, provenance) that BuildKit puts beside an image. Sources:
https://docs.docker.com/engine/storage/containerd/ and
https://docs.docker.com/build/metadata/attestations/attestation-storage/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labs_helpers.oci import digest as digests
from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.oci.manifest import Descriptor, Manifest

from ..blobs import Blobs


@dataclass(frozen=True)
class StoredManifests:
    """The manifests to push for one image.

    ``pushed`` has them in the order of the push: an index comes after the manifests that it names,
    and the last one gets the tag. ``image`` names the configuration and the layers.
    ``incomplete_index`` is the image's index when the daemon lacks parts of it: then only ``image``
    is pushed.
    """

    pushed: tuple[Manifest, ...]
    image: Manifest
    incomplete_index: Manifest | None = None


def find_stored_manifests(
    documents: Mapping[str, bytes], blobs: Blobs, config: str
) -> StoredManifests | None:
    """Follow an archive's ``index.json`` to the manifests of its image.

    ``documents`` are the archive's JSON files by their paths, ``blobs`` its other files, and
    ``config`` is the digest of the image's configuration. Returns None when no manifest names the
    image's layers as they are in the archive.

    Raises:
        InvalidManifest: the index, or a manifest that it names, is not valid.
    """
    index = manifests.parse(documents["index.json"], media_types.OCI_INDEX)
    archive = _Archive(documents, blobs, config)
    found = (archive.follow(entry) for entry in index.manifests)
    return next((stored for stored in found if stored), None)


@dataclass(frozen=True)
class _Archive:
    documents: Mapping[str, bytes]
    blobs: Blobs
    config: str

    def follow(self, descriptor: Descriptor) -> StoredManifests | None:
        top = self._manifest(descriptor)
        if top is None:
            return None
        parts = [self._manifest(entry) for entry in top.manifests] if top.is_index else [top]
        present = [part for part in parts if part]
        image = next((part for part in present if self._is_image(part)), None)
        if image is None:
            return None
        if top is image:
            return StoredManifests((image,), image)
        complete = len(present) == len(parts) and all(
            self._has(blob.digest) for part in present for blob in part.blobs
        )
        if complete:
            return StoredManifests((*present, top), image)
        return StoredManifests((image,), image, incomplete_index=top)

    def _manifest(self, descriptor: Descriptor) -> Manifest | None:
        body = self.documents.get(digests.layout_path(descriptor.digest))
        if body is None or digests.of_bytes(body) != descriptor.digest:
            return None
        return manifests.parse(body, descriptor.media_type)

    def _is_image(self, manifest: Manifest) -> bool:
        names_config = manifest.config is not None and manifest.config.digest == self.config
        layers = manifest.layers
        return names_config and bool(layers) and all(one.digest in self.blobs for one in layers)

    def _has(self, digest: str) -> bool:
        return digests.layout_path(digest) in self.documents or digest in self.blobs
