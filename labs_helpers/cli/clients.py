"""boto3 clients for commands: as the notebooks' cells have them, from any terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers import modes
from labs_helpers.sandbox import process
from labs_helpers.workspace import LabsError, Workspace


class CannotAsk(LabsError):
    """AWS, or the sandbox, refused or could not be asked."""


@contextmanager
def ecr(workspace: Workspace, region: str | None = None) -> Iterator[Any]:
    """ECR's client in the labs' mode; raises CannotAsk with AWS's own message.

    In sandbox mode with nothing running, it says how to start.
    """
    import boto3

    if modes.mode(workspace) == modes.SANDBOX and "AWS_ENDPOINT_URL" not in os.environ:
        server = process.running(workspace)
        if server is None:
            raise CannotAsk("The sandbox does not run. Start it with: labs start")
        given = modes.environment(workspace, server.port)
        for name in given.unset:
            os.environ.pop(name, None)
        os.environ.update(given.set)
    try:
        yield boto3.Session(region_name=region).client("ecr")
    except (ClientError, BotoCoreError) as error:
        raise CannotAsk(str(error)) from error


def now(workspace: Workspace) -> datetime:
    """The time by the clock that counts, whole seconds: the sandbox's own in its mode."""
    if modes.mode(workspace) == modes.SANDBOX and (server := process.running(workspace)):
        told = process.told(workspace, server.port, "clock")
        if told is not None:
            found = datetime.fromisoformat(str(told["now"])).astimezone(UTC)
            return found.replace(microsecond=0)
    return datetime.now(UTC).replace(microsecond=0)
