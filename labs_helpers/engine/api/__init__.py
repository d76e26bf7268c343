"""The Docker Engine API, as far as images need it.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..hosts import HostMap
from ..store import ImageStore


@dataclass(frozen=True)
class Backend:
    """What the operations of the API work on.

    ``hosts`` leads to registries; ``scratch`` is a folder for temporary files.
    """

    store: ImageStore
    hosts: HostMap
    scratch: Path
