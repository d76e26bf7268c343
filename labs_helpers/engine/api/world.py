"""What the operations work on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..hosts import HostMap
from ..store import ImageStore


@dataclass(frozen=True)
class World:
    """The images, the way to registries, and a folder for what is being received."""

    store: ImageStore
    hosts: HostMap
    scratch: Path
