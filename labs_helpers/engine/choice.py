"""The choice between the labs' own engine and the front of a real daemon, by LABS_ENGINE.

``auto`` (the default) chooses a daemon that answers, else the labs' own engine. ``embedded`` (the
default on a hub, whose learners would share one daemon's names) always means the labs' own engine;
``docker`` and ``podman`` require such a daemon.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from labs_helpers.files import LabsError
from labs_helpers.workspace import HUB_USER, Workspace

from .front.discovery import (
    PATIENT_SECONDS,
    SECONDS,
    NoDaemon,
    RunningDaemon,
    candidates,
    probe,
)

AUTO, EMBEDDED, DOCKER, PODMAN = "auto", "embedded", "docker", "podman"
NAMES = {EMBEDDED: "the labs' own", DOCKER: "Docker", PODMAN: "Podman"}
OWN = "the labs' own: no Docker daemon is needed"


@dataclass(frozen=True)
class Choice:
    """The chosen engine; ``kind`` is "embedded", "docker" or "podman".

    ``address`` (in the form of DOCKER_HOST) and ``version`` describe the daemon, and are empty for
    the labs' own engine. ``why`` completes the sentence "it was chosen because".
    """

    kind: str
    why: str
    address: str = ""
    version: str = ""

    @property
    def no_answer(self) -> tuple[str, str]:
        """What to say when the daemon no longer answers, and the advice for it."""
        name = NAMES[self.kind]
        return (
            f"{name} does not answer at {self.address}",
            f"start {name} again, or take the labs' own engine: LABS_ENGINE=embedded labs start",
        )

    @property
    def description(self) -> str:
        """The text on a lab's card; without paths, so that every machine shows the same."""
        if self.kind == EMBEDDED:
            return OWN
        reason = "LABS_ENGINE asks for" if "LABS_ENGINE" in self.why else "runs on this machine"
        return (
            f"{NAMES[self.kind]} {self.version}, which {reason}; its pushes to and"
            " pulls from the registry go through the labs"
        )


def requested_kind(workspace: Workspace, environ: Mapping[str, str] | None = None) -> str:
    """The value of LABS_ENGINE, else of config.json, else auto; on a hub embedded.

    Raises LabsError.
    """
    environ = os.environ if environ is None else environ
    usual = EMBEDDED if HUB_USER in environ else AUTO
    name = environ.get("LABS_ENGINE") or workspace.remembered().get("engine") or usual
    if name not in (AUTO, EMBEDDED, DOCKER, PODMAN):
        raise LabsError(
            f"LABS_ENGINE is {name!r}. It can be auto (a Docker or Podman that answers, else the"
            " labs' own), embedded (the labs' own), docker or podman."
        )
    return str(name)


def choose(workspace: Workspace, environ: Mapping[str, str] | None = None) -> Choice:
    """The engine to start. Raises LabsError when LABS_ENGINE requires one that is not there."""
    environ = os.environ if environ is None else environ
    name = requested_kind(workspace, environ)
    if name == EMBEDDED:
        named = environ.get("LABS_ENGINE") or workspace.remembered().get("engine")
        return Choice(
            EMBEDDED, "LABS_ENGINE=embedded" if named else "on a hub each learner has one"
        )
    silent: list[NoDaemon] = []
    for place in candidates(environ, workspace.socket):
        found = probe(place, SECONDS if name == AUTO else PATIENT_SECONDS)
        if isinstance(found, NoDaemon):
            silent.append(found)
        elif name in (AUTO, found.about.kind):
            return _choice_of(found, name)
        else:
            other = f"it is {NAMES[found.about.kind]} {found.about.version}"
            silent.append(NoDaemon(str(found.address), other))
    if name == AUTO:
        return Choice(EMBEDDED, _why_embedded(silent))
    raise LabsError(_missing_message(name, silent))


def _choice_of(found: RunningDaemon, name: str) -> Choice:
    why = f"it answers at {found.address}"
    if name != AUTO:
        why = f"LABS_ENGINE={name}, and {why}"
    return Choice(found.about.kind, why, str(found.address), found.about.version)


def _why_embedded(silent: list[NoDaemon]) -> str:
    if not silent:
        return "no Docker or Podman runs on this machine"
    tried = "; ".join(f"{one.place}: {one.why}" for one in silent)
    return f"no Docker or Podman answers ({tried})"


def _missing_message(kind: str, silent: list[NoDaemon]) -> str:
    name = NAMES[kind]
    tried = "".join(f"  {one.place}: {one.why}\n" for one in silent)
    start = "podman system service --time=0" if kind == PODMAN else "the Docker daemon"
    return (
        f"LABS_ENGINE is {kind}, and no {name} answers.\n"
        + (f"Tried:\n{tried}" if tried else "None of the usual sockets is there.\n")
        + f"Start it ({start}), or name its socket: export DOCKER_HOST=unix:///path/of/the.sock\n"
        "Or take the labs' own engine, which needs none: export LABS_ENGINE=embedded"
    )
