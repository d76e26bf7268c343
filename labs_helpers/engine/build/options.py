"""The parameters of a build. A file of its own, as the builder and its stages import it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class BuildOptions:
    """The parameters of ``POST /build`` that this builder supports.

    A value of None in ``build_args`` leaves the default of the ARG. ``platform`` is
    ``os/architecture[/variant]`` of the base images, "" for the default. ``scratch`` is the folder
    for temporary files (None: the system's). ``run_seconds`` limits the time of one RUN.
    ``network`` is the value of --network, "none" or "" for the machine's network. ``hosts`` are
    additional lines of /etc/hosts for RUN. ``cache_from`` are the images of --cache-from; without
    any, every image in the store may be the cached result of a step. ``is_gone`` says whether the
    client has gone, which ends the build before its next step. ``of_build`` is the folder of the
    build of CodeBuild that asks: each RUN is a program of that build (runtime/isolated.py).

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
    hosts: Sequence[str] = ()
    cache_from: Sequence[str] = ()
    is_gone: Callable[[], bool] = lambda: False
    of_build: Path | None = None
