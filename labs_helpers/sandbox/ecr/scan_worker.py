"""The thread that scans: takes what waits in the store, one image at a time, and keeps the result.

It is started by the first scan asked for (or found waiting from an earlier run), and only then
is the scanner imported. `kill -9` at any moment leaves the scan waiting.
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
from labs_helpers.sandbox.background import Background
from labs_helpers.sandbox.ecr import scan_events, scan_states
from labs_helpers.sandbox.ecr.scan_states import Job
from labs_helpers.sandbox.ecr.store import Store

if TYPE_CHECKING:
    from labs_helpers.sandbox.scanner.snapshot import Snapshot
    from labs_helpers.sandbox.scanner.tree import Layer

log = logging.getLogger(__name__)

COMPLETED = "The scan was completed successfully."
CONTINUOUS = "Continuous scan is selected for image."
UNSUPPORTED = "The operating system and/or package manager are not supported."
"""https://github.com/aws/containers-roadmap/issues/2644"""

_CONFIG_LIMIT = 4 * 1024**2


class _Stopped(Exception):
    pass


class ScanWorker:
    """Scans for one store. ``imports`` is the folder with imported advisories."""

    def __init__(
        self, store: Store, imports: Path | None, environ: Mapping[str, str] | None = None
    ) -> None:
        self._store = store
        self._imports = imports
        self._environ = os.environ if environ is None else environ
        self._thread = Background("scans", self._until_stopped, "a scan could not be kept")
        self._loaded: tuple[object, Snapshot] | None = None
        store.scan_queued = self.wake
        store.before_close.append(self.stop)
        with store.read() as db:
            if scan_states.waiting(db):
                self.wake()

    def wake(self) -> None:
        """There is something to scan, or there may be."""
        self._thread.wake()

    def stop(self) -> None:
        """End the thread; a scan under way is left waiting."""
        self._thread.stop()

    def run_waiting(self) -> None:
        """Do every scan that waits now, and judge again what newer advisories concern."""
        from labs_helpers.sandbox.scanner.snapshot import SnapshotError

        with self._store.read() as db:
            jobs = scan_states.waiting(db)
        try:
            snapshot = self._snapshot()
        except SnapshotError as error:
            for job in jobs:
                self._end(job, "FAILED", str(error))
            return
        with self._store.read() as db:
            jobs += scan_states.outdated(db, snapshot.fingerprint)
        for job in jobs:
            self._scan(job, snapshot)

    def _until_stopped(self) -> None:
        with suppress(_Stopped):
            self.run_waiting()

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
        except _Stopped:
            raise
        except Exception:
            # what nobody foresaw is no clean image either
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
        now = self._store.clock.now().timestamp()
        scan = scan_states.ended(job.scan, status, now, description, fingerprint)
        with self._store.write() as db:
            if report is not None:
                scan_states.put_result(db, job.image_id, scan, report)
            else:
                scan_states.put(db, job.image_id, scan)
            scan_events.scanned(db, job.image_id, scan, report)
        self._store.event_kept()

    def _report(self, job: Job, snapshot: Snapshot, enhanced: bool) -> dict[str, Any] | None:
        from labs_helpers.sandbox.scanner import engines
        from labs_helpers.sandbox.scanner.limits import Unscannable
        from labs_helpers.sandbox.scanner.tree import Layer

        with self._store.read() as db:
            row = db.execute(
                "select body, media_type from images where id = ?", (job.image_id,)
            ).fetchone()
        if row is None:
            return None
        manifest = manifests.parse(row["body"], row["media_type"])
        layers: list[Layer] = []
        for layer in manifest.layers:
            path = self._store.blob_path(layer.digest)
            if not path.exists():
                raise Unscannable(f"The layer {layer.digest} is not in the registry.")
            layers.append(Layer(layer.digest, path))
        engine = engines.choose(self._environ)
        report = engine(layers, snapshot, languages=enhanced, check=self._check)
        report["architecture"] = self._architecture(manifest)
        return report

    def _architecture(self, manifest: manifests.Manifest) -> str:
        if manifest.config is None:
            return ""
        try:
            with self._store.blob_path(manifest.config.digest).open("rb") as file:
                document = json.loads(file.read(_CONFIG_LIMIT))
        except (OSError, ValueError, RecursionError):
            return ""
        found = document.get("architecture") if isinstance(document, dict) else None
        return found if isinstance(found, str) else ""

    def _check(self) -> None:
        if self._thread.stopping:
            raise _Stopped

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
