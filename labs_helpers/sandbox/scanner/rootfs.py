"""Hold an image's layers to its configuration, as a container runtime does before it unpacks them.

A runtime refuses an image whose layers are not those that the configuration names, so that a scan
of them would judge an image that nobody can run. Sources, read on 2026-11-28:
https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md (rootfs),
https://github.com/moby/moby/blob/v28.2.2/distribution/pull_v2.go (errRootFSMismatch) and
https://github.com/containerd/containerd/blob/v2.1.0/core/unpack/unpacker.go (wrong diff id).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from labs_helpers.oci import digest as digests
from labs_helpers.sandbox.scanner.decompression import LayerStream
from labs_helpers.sandbox.scanner.limits import Budget, Unscannable
from labs_helpers.sandbox.scanner.tree import Layer

_PORTION = 256 * 1024


class RootfsMismatch(Unscannable):
    """The layers are not those of the configuration, or the configuration names none."""


def check_layers(
    config: bytes, layers: Sequence[Layer], *, check: Callable[[], None] | None = None
) -> None:
    """Raise RootfsMismatch unless each layer has the diff_id that the configuration gives it.

    config: the bytes of the image's configuration; check: called often, an exception from it ends
    the work. Raises Unscannable for a layer that cannot be decompressed.
    """
    diff_ids = _diff_ids(config)
    if len(diff_ids) != len(layers):
        raise RootfsMismatch(
            f"The image's manifest has {len(layers)} layers and its configuration has "
            f"{len(diff_ids)} diff_ids: no container runtime runs the image."
        )
    budget = Budget(check=check)
    for layer, diff_id in zip(layers, diff_ids, strict=True):
        if _unpacked_digest(layer, diff_id.partition(":")[0], budget) != diff_id:
            raise RootfsMismatch(
                f"The layer {layer.digest} does not unpack to {diff_id}, as the image's "
                "configuration says: no container runtime runs the image."
            )


def _diff_ids(config: bytes) -> list[str]:
    try:
        document: Any = json.loads(config)
        found = document["rootfs"]["diff_ids"]
        return [str(digests.parse(each)) for each in found]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise RootfsMismatch(
            "The image's configuration has no list rootfs.diff_ids of digests: no container "
            "runtime runs the image."
        ) from error


def _unpacked_digest(layer: Layer, algorithm: str, budget: Budget) -> str:
    found = hashlib.new(algorithm)
    with layer.path.open("rb") as file:
        stream = LayerStream(file, budget)
        while data := stream.read(_PORTION):
            found.update(data)
    return f"{algorithm}:{found.hexdigest()}"
