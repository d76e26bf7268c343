"""An image in a registry: its configuration, and the files in its layers."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

from labs_helpers.checks import layers
from labs_helpers.checks.registry import Registry


@dataclass(frozen=True)
class Pushed:
    """``digest`` is the manifest's; ``config`` and ``manifest`` are as pushed.

    https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
    """

    registry: Registry
    repository: str
    digest: str
    manifest: dict[str, Any]
    config: dict[str, Any]

    @property
    def diff_ids(self) -> list[str]:
        return list(self.config.get("rootfs", {}).get("diff_ids", ()))

    @property
    def labels(self) -> dict[str, str]:
        return self.config.get("config", {}).get("Labels") or {}

    def files(self, above: int = 0) -> list[layers.Layer]:
        """The files of each layer, the lowest first, without the ``above`` lowest layers."""
        return [
            layers.read(io.BytesIO(self.registry.blob(self.repository, one["digest"]).body))
            for one in self.manifest["layers"][above:]
        ]


def pushed(registry: Registry, repository: str, reference: str) -> Pushed | None:
    """The image of a tag or digest, or the first image of an index; None when there is none."""
    answer = registry.manifest(repository, reference)
    if answer.status != 200:
        return None
    manifest = answer.json()
    if "manifests" in manifest:
        for one in manifest["manifests"]:
            if one.get("platform", {}).get("os") != "unknown":  # BuildKit's attestations
                return pushed(registry, repository, one["digest"])
        return None
    if "config" not in manifest or "layers" not in manifest:
        return None
    config = registry.blob(repository, manifest["config"]["digest"])
    digest = answer.headers.get("docker-content-digest", "")
    return Pushed(registry, repository, digest, manifest, json.loads(config.body))
