"""What the front works on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..hosts import HostMap
from .daemon import FrontDaemon
from .memory import Memory


@dataclass(frozen=True)
class FrontWorld:
    """The daemon, what is remembered of its images, the way to registries, a folder for passing.

    ``libpod``: the daemon is Podman, and has its own API beside Docker's.
    """

    daemon: FrontDaemon
    memory: Memory
    hosts: HostMap
    scratch: Path
    libpod: bool = False
