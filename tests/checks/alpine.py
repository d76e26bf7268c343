"""An Alpine image in ECR, for checks that read its layers."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any


class Missing(Exception):
    pass


class Ecr:
    """One image in ECR, as layers of path -> text; ``blobs`` stand for what its URLs give."""

    exceptions = SimpleNamespace(RepositoryNotFoundException=Missing)

    def __init__(self, *layers: Mapping[str, str], labels: Mapping[str, str] | None = None) -> None:
        config = {"config": {"Labels": dict(labels or {})}}
        self.blobs = {"config": json.dumps(config).encode()}
        self.blobs |= {str(number): _tar(files) for number, files in enumerate(layers)}
        digests = [{"digest": str(number)} for number in range(len(layers))]
        self.manifests: dict[str, Any] = {
            "image": {"config": {"digest": "config"}, "layers": digests},
            "index": {"manifests": [{"digest": "image"}]},
        }

    def batch_get_image(self, *, imageIds: list[dict[str, str]], **_: Any) -> dict[str, Any]:
        name = imageIds[0].get("imageDigest", "index" if self.blobs else "")
        found = self.manifests.get(name)
        return {"images": [{"imageManifest": json.dumps(found)}] if found else []}


def _tar(files: Mapping[str, str]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return written.getvalue()
