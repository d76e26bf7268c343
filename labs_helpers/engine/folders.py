"""Folders of one process of the engine."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from . import owners

log = logging.getLogger(__name__)


def fresh_folder(parent: Path, name: str) -> Path:
    """Create a private folder ``name-...`` for one process; remove those of earlier processes.

    What cannot be removed stays, and the log says so: a leftover must not stop a start.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in sorted(parent.glob(f"{name}*")):
        try:
            owners.remove(left)
        except OSError as error:
            log.warning("%s, from an earlier process, cannot be removed: %s", left, error)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
