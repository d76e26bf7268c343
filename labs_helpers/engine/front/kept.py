"""An image that the daemon keeps with its manifests, as Docker with containerd's store does.

They go to the registry as they are, so that its digest is the daemon's, and so do the attestations
(SBOM, provenance) that BuildKit puts beside an image:
https://docs.docker.com/engine/storage/containerd/ and
https://docs.docker.com/build/metadata/attestations/attestation-storage/
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from labs_helpers.oci.manifest import Manifest

from ..parallel import Message
from ..push import push_blob, pushed_messages
from ..registry_client import Repository


@dataclass(frozen=True)
class Kept:
    """``manifests``, the last of which the tag is for; ``image`` has the configuration and layers.

    ``instead_of`` is the index of which only the image is there to be pushed.
    """

    manifests: tuple[Manifest, ...]
    image: Manifest
    instead_of: Manifest | None = None


def push_kept(
    manifests: Sequence[Manifest],
    tag: str,
    there: Collection[str],
    opened: Callable[[str], BinaryIO],
    repository: Repository,
) -> Generator[Message, None, str]:
    """Push what the manifests name and then themselves; returns the digest that the tag has.

    Args:
        manifests: those that others name before these; the last is for the tag.
        there: digests of blobs that the repository has.
        opened: opens a blob that it has not.

    Raises RegistryError, RequestFailed and what ``opened`` raises.
    """
    sent = set(there)
    for manifest in manifests:
        for blob in manifest.blobs:
            if blob.digest not in sent:
                sent.add(blob.digest)
                push_blob(repository, blob.digest, blob.size, partial(opened, blob.digest))
    *parts, top = manifests
    for part in parts:
        repository.put_manifest(part.digest, part.media_type, part.body)
    repository.put_manifest(tag, top.media_type, top.body)
    yield from pushed_messages(tag, top.digest, len(top.body))
    return top.digest


def pushed_instead(kept: Kept) -> Iterator[Message]:
    """What the docker command explains as "only the available single-platform image was pushed".

    https://pkg.go.dev/github.com/docker/docker/api/types/auxprogress
    """
    if kept.instead_of:
        original, selected = _descriptor(kept.instead_of), _descriptor(kept.image)
        told = {"manifestPushedInsteadOfIndex": True, "originalIndex": original}
        yield {"progressDetail": {}, "aux": {**told, "selectedManifest": selected}}


def _descriptor(manifest: Manifest) -> dict[str, Any]:
    return {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.body),
    }
