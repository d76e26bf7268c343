"""Images to scan, pushed through the API, and the worker that scans them when a test says so."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr.scan_worker import ScanWorker
from tests.sandbox.ecr.operations.ecr_api import Ecr
from tests.sandbox.scanner.images import Entries, stand_in, tar


class Scans:
    """The worker is not started: ``run`` does the scans, in the test's own thread."""

    def __init__(
        self, ecr: Ecr, imports: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.ecr = ecr
        self.worker = ScanWorker(ecr.store, imports, environ=environ or {})

    def run(self) -> None:
        self.worker.work()

    def push(self, tag: str, *layers: Entries, repository: str = "demo") -> str:
        """An image with layers of these entries; the digest of its manifest."""
        return self._put(repository, tag, [gzip.compress(tar(one), mtime=0) for one in layers])

    def push_stand_in(self, tag: str, name: str, folder: Path, *layers: Entries) -> str:
        """An image of the hub's under a tag, with layers on top."""
        below = [layer.path.read_bytes() for layer in stand_in(folder, name)]
        above = [gzip.compress(tar(one), mtime=0) for one in layers]
        return self._put("demo", tag, below + above)

    def _put(self, repository: str, tag: str, layers: list[bytes]) -> str:
        diff_ids = [_sha256(gzip.decompress(layer)) for layer in layers]
        config = {"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": diff_ids}}
        return self.put_parts(repository, tag, config, layers)

    def put_parts(
        self, repository: str, tag: str, config: object, layers: list[bytes], **changes: object
    ) -> str:
        """An image of this configuration and these layers; changes: members of each layer."""
        packed = config if isinstance(config, bytes) else json.dumps(config).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": media_types.OCI_MANIFEST,
                "config": {
                    "mediaType": media_types.OCI_CONFIG,
                    "digest": self.ecr.upload(repository, packed),
                    "size": len(packed),
                },
                "layers": [
                    {
                        "mediaType": media_types.OCI_LAYER_GZIP,
                        "digest": self.ecr.upload(repository, layer),
                        "size": len(layer),
                        **changes,
                    }
                    for layer in layers
                ],
            }
        )
        self.ecr("PutImage", repositoryName=repository, imageManifest=manifest, imageTag=tag)
        return _sha256(manifest.encode())

    def findings(self, tag: str = "v1", **more: object) -> dict[str, object]:
        """What DescribeImageScanFindings says."""
        return self.ecr(
            "DescribeImageScanFindings",
            repositoryName="demo",
            imageId={"imageTag": tag},
            **more,
        )

    def status(self, tag: str = "v1") -> tuple[object, object]:
        """Status and description of the scan."""
        found = self.findings(tag)["imageScanStatus"]
        assert isinstance(found, dict)
        return found["status"], found.get("description")

    def start(self, tag: str = "v1") -> dict[str, object]:
        """StartImageScan."""
        return self.ecr("StartImageScan", repositoryName="demo", imageId={"imageTag": tag})


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
