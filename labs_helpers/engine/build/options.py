"""What a client asks for with a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class BuildOptions:
    """The parameters of ``POST /build`` that this builder heeds.

    ``build_args`` has None for an argument given without a value (which leaves the default).
    ``platform`` is ``os/architecture[/variant]`` of the base images, "" for the default.
    ``scratch`` is the folder for temporary files, the system's when None. ``run_seconds`` is
    how long one RUN may take; ``network`` is what it asks for, "none" among others.

    Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageBuild
    """

    dockerfile: str = "Dockerfile"
    tags: Sequence[str] = ()
    build_args: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    platform: str = ""
    no_cache: bool = False
    quiet: bool = False
    pull: bool = False
    scratch: Path | None = None
    run_seconds: float = 3600
    network: str = ""
