"""Which engine serves: the labs' own, or the front of a real daemon. LABS_ENGINE says.

``auto`` (the default) takes a daemon that answers, ``embedded`` never looks for one, ``docker`` and
``podman`` insist.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from labs_helpers.workspace import LabsError, Workspace

from .front.discovery import NoDaemon, RunningDaemon, candidates, probe

AUTO, EMBEDDED, DOCKER, PODMAN = "auto", "embedded", "docker", "podman"
NAMES = {EMBEDDED: "the labs' own", DOCKER: "Docker", PODMAN: "Podman"}
OWN = "the labs' own: no Docker daemon is needed"


@dataclass(frozen=True)
class Choice:
    """An engine: ``kind`` is "embedded", "docker" or "podman".

    ``address`` (as DOCKER_HOST has it) and ``version`` are the daemon's, empty for our own;
    ``why`` completes "it was chosen because".
    """

    kind: str
    why: str
    address: str = ""
    version: str = ""

    @property
    def silence(self) -> tuple[str, str]:
        """What to say when the daemon does not answer any more, and what to do then."""
        name = NAMES[self.kind]
        return (
            f"{name} does not answer at {self.address}",
            f"start {name} again, or take the labs' own engine: LABS_ENGINE=embedded labs start",
        )

    @property
    def shown(self) -> str:
        """What a lab's card says; without paths, so that it is the same everywhere."""
        if self.kind == EMBEDDED:
            return OWN
        insisted = "LABS_ENGINE" in self.why
        return (
            f"{NAMES[self.kind]} {self.version}, which"
            f" {'LABS_ENGINE asks for' if insisted else 'runs on this machine'}; its pushes to and"
            " pulls from the registry go through the labs"
        )


def wanted(workspace: Workspace, environ: Mapping[str, str] | None = None) -> str:
    """LABS_ENGINE, else what config.json remembers, else auto. Raises LabsError."""
    environ = os.environ if environ is None else environ
    named = environ.get("LABS_ENGINE") or workspace.remembered().get("engine") or AUTO
    if named not in (AUTO, EMBEDDED, DOCKER, PODMAN):
        raise LabsError(
            f"LABS_ENGINE is {named!r}. It can be auto (a Docker or Podman that answers, else the"
            " labs' own), embedded (the labs' own), docker or podman."
        )
    return str(named)


def choose(workspace: Workspace, environ: Mapping[str, str] | None = None) -> Choice:
    """The engine to start. Raises LabsError when LABS_ENGINE asks for one that cannot be had."""
    environ = os.environ if environ is None else environ
    asked = wanted(workspace, environ)
    if asked == EMBEDDED:
        return Choice(EMBEDDED, "LABS_ENGINE=embedded")
    silent: list[NoDaemon] = []
    for place in candidates(environ, workspace.socket):
        found = probe(place)
        if isinstance(found, NoDaemon):
            silent.append(found)
        elif asked in (AUTO, found.about.kind):
            return _chosen(found, asked)
        else:
            other = f"it is {NAMES[found.about.kind]} {found.about.version}"
            silent.append(NoDaemon(str(found.address), other))
    if asked == AUTO:
        return Choice(EMBEDDED, _why_none(silent))
    raise LabsError(_missing(asked, silent))


def _chosen(found: RunningDaemon, asked: str) -> Choice:
    why = f"it answers at {found.address}"
    if asked != AUTO:
        why = f"LABS_ENGINE={asked}, and {why}"
    return Choice(found.about.kind, why, str(found.address), found.about.version)


def _why_none(silent: list[NoDaemon]) -> str:
    if not silent:
        return "no Docker or Podman runs on this machine"
    tried = "; ".join(f"{one.place}: {one.why}" for one in silent)
    return f"no Docker or Podman answers ({tried})"


def _missing(asked: str, silent: list[NoDaemon]) -> str:
    name = NAMES[asked]
    tried = "".join(f"  {one.place}: {one.why}\n" for one in silent)
    start = "podman system service --time=0" if asked == PODMAN else "the Docker daemon"
    return (
        f"LABS_ENGINE is {asked}, and no {name} answers.\n"
        + (f"Tried:\n{tried}" if tried else "None of the usual sockets is there.\n")
        + f"Start it ({start}), or name its socket: export DOCKER_HOST=unix:///path/of/the.sock\n"
        "Or take the labs' own engine, which needs none: export LABS_ENGINE=embedded"
    )
