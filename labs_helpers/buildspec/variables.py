"""The variables that a build finds.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

from __future__ import annotations

import getpass
import os
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """Which build this is. The defaults are those of CodeBuild's local agent, but for the id."""

    project: str = "local"
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    account: str = "000000000000"
    region: str = "us-east-1"
    number: int | None = None
    initiator: str = ""
    local: bool = True

    @property
    def id(self) -> str:
        return f"{self.project}:{self.uuid}"

    @property
    def arn(self) -> str:
        return f"arn:aws:codebuild:{self.region}:{self.account}:build/{self.id}"


def user() -> str:
    """Who runs the build; the number of a user who has no name, as on some JupyterHubs."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def codebuild_variables(build: Identity, source: Path, started: datetime) -> dict[str, str]:
    """The variables that CodeBuild sets and that stay the same all through a build."""
    found = {
        "AWS_DEFAULT_REGION": build.region,
        "AWS_REGION": build.region,
        "CODEBUILD_BUILD_ARN": build.arn,
        "CODEBUILD_BUILD_ID": build.id,
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": build.initiator,
        "CODEBUILD_SRC_DIR": str(source),
        "CODEBUILD_START_TIME": str(int(started.timestamp() * 1000)),
    }
    if build.number is not None:
        found["CODEBUILD_BUILD_NUMBER"] = str(build.number)
    if build.local:
        found["CODEBUILD_LOCAL_BUILD"] = "true"
    return found


def succeeding(yes: bool) -> dict[str, str]:
    return {"CODEBUILD_BUILD_SUCCEEDING": "1" if yes else "0"}
