"""What a build gets from whoever runs the build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labs_helpers.buildspec import artifacts, leftovers
from labs_helpers.buildspec.model import Artifacts
from labs_helpers.buildspec.processes import Processes
from labs_helpers.buildspec.result import PhaseEnded
from labs_helpers.buildspec.variables import Identity, user

Deliver = Callable[
    [str, Artifacts, Mapping[str, artifacts.BuiltFile], Mapping[str, str]], list[Path]
]
"""Takes the files of an output to where they go: (identifier of a secondary output or "", the
output as in the buildspec, paths within the output -> files, the variables of the build) -> what
was written. Raises NoArtifacts."""


def _unheard(what: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Settings:
    """What a build gets.

    source: the folder of the source; the build works on a copy. scratch: an empty folder of the
    build's own. destination: where artifacts go; those of secondary-artifacts go into folders of
    their names. environment: the variables of the machine, which env/variables replace.
    overrides: the project's and StartBuild's variables, which replace the buildspec's. client: a
    boto3 client by the name of a service, with the rights of the build. secondary: folders of
    further sources, by identifier; the build works on copies. leave_out: files and
    folders below the source that are no part of the source. keep: which programs, by their command
    line, go on after the build although a command started them. deliver: instead of copying to the
    destination; report: takes reports. begins and ends: told of each phase as it happens.
    processes: makes what runs the commands, from the function that takes their output. user: who
    runs them.
    """

    source: Path
    scratch: Path
    destination: Path
    environment: Mapping[str, str]
    client: Callable[[str], Any]
    overrides: Mapping[str, str] = field(default_factory=dict)
    identity: Identity = field(default_factory=Identity)
    secondary: Mapping[str, Path] = field(default_factory=dict)
    leave_out: tuple[Path, ...] = ()
    keep: leftovers.Keep = leftovers.nothing
    buildspec: str = "buildspec.yml"
    deliver: Deliver | None = None
    report: Deliver | None = None
    begins: Callable[[str], None] = _unheard
    ends: Callable[[PhaseEnded], None] = _unheard
    processes: Callable[[Callable[[bytes], None]], Processes] = Processes
    user: str = field(default_factory=user)
