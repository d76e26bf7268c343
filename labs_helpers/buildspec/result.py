"""How a build ended: the fields that BatchGetBuilds reports of a build.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

Status = Literal["SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT"]


@dataclass(frozen=True)
class Context:
    """A PhaseContext: CodeBuild's code for a failure, and the message. Both are empty otherwise."""

    status_code: str = ""
    message: str = ""


@dataclass(frozen=True)
class PhaseEnded:
    """One phase that ran: its type ("PRE_BUILD"), its status and its times, UTC."""

    type: str
    status: Status
    context: Context
    started: datetime
    ended: datetime


@dataclass(frozen=True)
class Result:
    """A build that ended. artifacts: the files that were copied, below the destination.

    exported: the values of env/exported-variables that are set at the end.
    """

    status: Status
    phases: tuple[PhaseEnded, ...]
    artifacts: tuple[Path, ...] = ()
    exported: Mapping[str, str] = field(default_factory=dict)
