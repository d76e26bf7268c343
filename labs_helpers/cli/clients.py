"""ECR's client and the clock, for commands that work in the sandbox and on AWS."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from labs_helpers import modes
from labs_helpers.defaults import CLOCK_AHEAD, SANDBOX_DOWN, is_sandbox
from labs_helpers.files import LabsError
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace


class CannotAsk(LabsError):
    """AWS or the sandbox refused, or did not answer."""


@contextmanager
def ecr(workspace: Workspace, region: str | None = None) -> Iterator[Any]:
    """A boto3 client of ECR in the labs' mode, from any terminal.

    Raises CannotAsk with AWS's own message, also for what the ``with`` block asks; in sandbox mode
    with no sandbox running, the message says how to start one, also where AWS_ENDPOINT_URL names a
    sandbox that has stopped since.
    """
    import boto3

    aim(workspace)
    try:
        yield boto3.Session(region_name=region).client("ecr")
    except EndpointConnectionError as error:
        down = is_sandbox(str(error.kwargs.get("endpoint_url", "")))
        raise CannotAsk(SANDBOX_DOWN if down else str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise CannotAsk(str(error)) from error


def aim(workspace: Workspace) -> None:
    """Set this process's environment, so that `aws`, `docker` and boto3 reach the labs' mode.

    Raises CannotAsk in sandbox mode with no sandbox running.
    """
    if modes.mode(workspace) == modes.SANDBOX and "AWS_ENDPOINT_URL" not in os.environ:
        server = process.running(workspace)
        if server is None:
            raise CannotAsk(SANDBOX_DOWN)
        given = modes.environment(workspace, server.port)
        for name in given.unset:
            os.environ.pop(name, None)
        os.environ.update(given.set)


def clock(workspace: Workspace) -> Callable[[], datetime]:
    """A clock, UTC: in sandbox mode one that goes, or stands still, as the sandbox's.

    A command of a build may not ask for the sandbox's clock; the build's environment says how far
    the clock is ahead.
    """
    if told := os.environ.get(CLOCK_AHEAD):
        return lambda: datetime.now(UTC) + timedelta(seconds=float(told))
    found = None
    if modes.mode(workspace) == modes.SANDBOX and (server := process.running(workspace)):
        found = process.control_answer(workspace, server.port, "clock")
    if found is None:
        return lambda: datetime.now(UTC)
    if found["frozen"]:
        instant = datetime.fromisoformat(str(found["now"])).astimezone(UTC)
        return lambda: instant
    ahead = timedelta(seconds=float(found["offset_seconds"]))
    return lambda: datetime.now(UTC) + ahead


def now(workspace: Workspace) -> datetime:
    """The time, UTC, in whole seconds: by the sandbox's clock in sandbox mode."""
    return clock(workspace)().replace(microsecond=0)
