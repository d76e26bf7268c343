"""A step, and the place it works in."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import docker

from labs_helpers.control_client import Control
from labs_helpers.defaults import registry
from labs_helpers.files import LabsError
from labs_helpers.workspace import Workspace


@dataclass(frozen=True)
class Place:
    """Where a lab is prepared: the learner's files, the account and the region of a mode.

    sandbox: its control API, None on AWS.
    removed: what the steps have removed, emptied or replaced, each in words ("user labs-ci").
    A step adds to ``removed`` whatever it takes away, at the moment it has taken it away.
    kept: what was in the way and stays, because something of the learner's needs it, in words.
    laid: the files that the steps have laid in the lab's work folder, by their path in it.
    """

    workspace: Workspace
    mode: str
    account: str
    region: str
    sandbox: Control | None = None
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    laid: set[str] = field(default_factory=set)

    @property
    def control(self) -> Control:
        """The sandbox's control API, for a step that is not made on AWS."""
        if self.sandbox is None:
            raise LabsError("This step is for the sandbox: there is none on AWS.")
        return self.sandbox

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client that works before the learner has configured anything.

        In the sandbox it uses the key minted for the learner, whatever the profile files say.
        """
        session = self._session if self.mode == "sandbox" else self._own_session
        return session.client(service, region_name=region or self.region)

    @cached_property
    def _session(self) -> boto3.Session:
        """The learner's session in the sandbox. A session reads each service's model once."""
        key = self.learner
        return boto3.Session(key["access_key_id"], key["secret_access_key"])

    @cached_property
    def _own_session(self) -> boto3.Session:
        """The learner's session on AWS: every new one would run the program for credentials."""
        return boto3.Session()

    @cached_property
    def learner(self) -> dict[str, str]:
        """Account, user and access key of the sandbox's learner; OSError before its first start."""
        found: dict[str, str] = json.loads(self.workspace.learner.read_text(encoding="utf-8"))
        return found

    @cached_property
    def docker(self) -> Any:
        """The Docker SDK's client on the engine of this mode."""
        return docker.from_env(timeout=120)

    @property
    def registry(self) -> str:
        return registry(self.account, self.region)

    @property
    def files(self) -> Path:
        """The files that come with the labs; the learner's copies are in the work folders."""
        return self.workspace.notebooks / "files"


@dataclass(frozen=True)
class Step:
    """``ensure`` makes ``fact`` true and may be run any number of times.

    ``fact`` names what holds afterwards ("repository demo-app-repo exists, empty"), never what was
    changed; what ``ensure`` takes away, it adds to ``Place.removed``. ``gone`` tells whether the
    thing itself is missing, so that ``bring_back`` makes the thing again: by ``back``, or by
    ``ensure`` where that then takes nothing away. None for a step that makes no thing. ``lost``
    names what this step made in words, once that is gone; empty while it is there. A step with
    ``lost`` and without ``gone`` makes what nothing brings back alone. A step with ``on_aws`` False
    is left out on AWS, and one with ``in_sandbox`` False in the sandbox. An ``engine`` step works
    on local images only. A ``kernel`` step sets variables of the kernel's environment only, so
    every start runs it. The fact of a ``passing`` step holds until a later step of the lab, and is
    not on the card. An ``over`` step takes away what is in the way of a beginning that is made
    over: a lab that begins with what the learner has leaves it out at the first start. ``costs``
    says in words what the thing costs on AWS; the learner reads this before anything is made.
    ``cleaned_up`` names, in words, what the lesson made where this step found nothing, once that is
    gone again.
    """

    fact: str
    ensure: Callable[[Place], None]
    gone: Callable[[Place], bool] | None = None
    back: Callable[[Place], None] | None = None
    lost: Callable[[Place], str] | None = None
    on_aws: bool = True
    engine: bool = False
    kernel: bool = False
    in_sandbox: bool = True
    passing: bool = False
    over: bool = False
    costs: Callable[[Place], str] | None = None
    cleaned_up: Callable[[Place], str] | None = None


_NAMES = 6
"""The most names in a line of a card."""


def few(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def count(number: int, thing: str) -> str:
    """ "no files", "1 file", "2 files"."""
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"
