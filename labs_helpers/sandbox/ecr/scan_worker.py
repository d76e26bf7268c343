"""The worker that scans: takes the queued scans one at a time, and stores each result.

The scanner is imported with the first scan. `kill -9` at any moment leaves the scan queued.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labs_helpers.oci import manifest as manifests
from labs_helpers.oci import media_types
from labs_helpers.sandbox.ecr import events, scan_queue, scan_states
from labs_helpers.sandbox.ecr.scan_states import Job
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.service.worker import Worker

if TYPE_CHECKING:
    from labs_helpers.oci.manifest import Descriptor
    from labs_helpers.sandbox.scanner.snapshot import Snapshot
    from labs_helpers.sandbox.scanner.tree import Layer

log = logging.getLogger(__name__)

COMPLETED = "The scan was completed successfully."
CONTINUOUS = "Continuous scan is selected for image."
UNSUPPORTED = "The operating system and/or package manager are not supported."
"""https://github.com/aws/containers-roadmap/issues/2644"""

_CONFIG_LIMIT = 4 * 1024**2


class _Closing(Exception):
    """The worker closes in the middle of a scan."""


class ScanWorker(Worker[Store]):
    """Scans for one store. ``imports`` is the folder with imported advisories."""

    name = "scans"
    topic = scan_queue.TOPIC
    failure = "a scan's result could not be stored"

    def __init__(
        self, store: Store, imports: Path | None, environ: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(store)
        self._imports = imports
        self._environ = os.environ if environ is None else environ
        self._loaded: tuple[object, Snapshot] | None = None

    def has_work(self) -> bool:
        """Whether a scan is queued."""
        with self.store.read() as db:
            return bool(scan_states.queue(db))

    def work(self) -> None:
        """Do the queued scans, and those again that newer advisories concern."""
        with suppress(_Closing):
            self._work()

    def _work(self) -> None:
        from labs_helpers.sandbox.scanner.snapshot import SnapshotError

        with self.store.read() as db:
            jobs = scan_states.queue(db)
        try:
            snapshot = self._snapshot()
        except SnapshotError as error:
            for job in jobs:
                self._end(job, "FAILED", str(error))
            return
        with self.store.read() as db:
            jobs += scan_states.outdated(db, snapshot.fingerprint)
        for job in jobs:
            self._scan(job, snapshot)

    def _scan(self, job: Job, snapshot: Snapshot) -> None:
        from labs_helpers.sandbox.scanner.limits import Unscannable
        from labs_helpers.sandbox.scanner.report import Unsupported

        enhanced = job.scan.scan_type == "ENHANCED"
        report: dict[str, Any] | None = None
        try:
            report = self._report(job, snapshot, enhanced)
            if report is None:
                return  # the image was deleted
            continuous = job.scan.frequency == "CONTINUOUS_SCAN"
            status, description = (
                ("ACTIVE", CONTINUOUS) if enhanced and continuous else ("COMPLETE", COMPLETED)
            )
        except Unsupported as error:
            log.info("image %d is not supported: %s", job.image_id, error)
            status = "UNSUPPORTED_IMAGE" if enhanced else "FAILED"
            description = UNSUPPORTED if enhanced else f"UnsupportedImageError: {UNSUPPORTED}"
        except Unscannable as error:
            status, description = "FAILED", str(error)
        except _Closing:
            raise
        except Exception:
            # an unforeseen error does not make an image clean either
            log.exception("the scan of image %d failed", job.image_id)
            status, description = "FAILED", "An internal error ended the scan: see sandbox.log."
        self._end(job, status, description, snapshot.fingerprint, report)

    def _end(
        self,
        job: Job,
        status: str,
        description: str,
        fingerprint: str = "",
        report: dict[str, Any] | None = None,
    ) -> None:
        now = self.store.clock.now().timestamp()
        scan = scan_states.finish(job.scan, status, now, description, fingerprint)
        with self.store.write() as db:
            if report is not None:
                scan_states.put_result(db, job.image_id, scan, report)
            else:
                scan_states.put(db, job.image_id, scan)
            events.scan_ended(self.store, db, job.image_id, scan, report)

    def _report(self, job: Job, snapshot: Snapshot, enhanced: bool) -> dict[str, Any] | None:
        from labs_helpers.sandbox.scanner import engines, rootfs

        with self.store.read() as db:
            row = db.execute(
                "select body, media_type from images where id = ?", (job.image_id,)
            ).fetchone()
        if row is None:
            return None
        manifest = manifests.parse(row["body"], row["media_type"])
        layers = [self._layer(layer) for layer in manifest.layers]
        config = self._config(manifest)
        engine = engines.choose(self._environ)
        # whichever engine scans: what a runtime would refuse is not judged
        rootfs.check_layers(config, layers, check=self._check)
        report = engine(layers, snapshot, languages=enhanced, check=self._check)
        found = json.loads(config).get("architecture")
        report["architecture"] = found if isinstance(found, str) else ""
        return report

    def _layer(self, descriptor: Descriptor) -> Layer:
        """A layer of the registry; raises Unscannable for a layer that a runtime cannot take."""
        from labs_helpers.sandbox.scanner.limits import Unscannable
        from labs_helpers.sandbox.scanner.tree import Layer

        if descriptor.media_type in media_types.FOREIGN_LAYERS:
            # https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers
            raise Unscannable(
                f"The layer {descriptor.digest} is a foreign layer ({descriptor.media_type}): "
                "runtimes fetch it from elsewhere, so the registry cannot judge it."
            )
        return Layer(descriptor.digest, self._blob(descriptor, "layer"))

    def _config(self, manifest: manifests.Manifest) -> bytes:
        """The image's configuration; raises Unscannable for one that no runtime reads."""
        from labs_helpers.sandbox.scanner.limits import Unscannable

        assert manifest.config is not None  # an index is not scanned
        path = self._blob(manifest.config, "configuration")
        if path.stat().st_size > _CONFIG_LIMIT:
            raise Unscannable(f"The configuration has more than {_CONFIG_LIMIT} bytes.")
        return path.read_bytes()

    def _blob(self, descriptor: Descriptor, what: str) -> Path:
        """The file of a blob; raises Unscannable when it is lost or has another size."""
        from labs_helpers.sandbox.scanner.limits import Unscannable

        path = self.store.blob_path(descriptor.digest)
        if not path.exists():
            raise Unscannable(f"The {what} {descriptor.digest} is not in the registry.")
        size = path.stat().st_size
        if size != descriptor.size:
            raise Unscannable(
                f"The {what} {descriptor.digest} has {size} bytes, and the manifest says "
                f"{descriptor.size}: container runtimes refuse the image."
            )
        return path

    def _check(self) -> None:
        if self.closing:
            raise _Closing

    def _snapshot(self) -> Snapshot:
        from labs_helpers.sandbox.scanner import snapshot as snapshots

        state: object = None
        if self._imports is not None:
            path = self._imports / snapshots.IMPORTED
            facts = path.stat() if path.exists() else None
            state = facts and (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        if self._loaded is None or self._loaded[0] != state:
            self._loaded = (state, snapshots.load(self._imports))
        return self._loaded[1]
