"""Health checks of targets, one task of the event loop for each target.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from labs_helpers.runner.balancer.http import on_one_line
from labs_helpers.runner.balancer.routing import matches

FIRST_SECONDS = 0.25
"""Seconds between checks of a new target. AWS waits for the interval of the target group; here
nobody waits longer than the program takes to begin."""


class Found(NamedTuple):
    """state, reason and description as DescribeTargetHealth has them."""

    state: str
    reason: str = ""
    description: str = ""


Tell = Callable[[Found], Awaitable[None]]


async def watch(check: Mapping[str, Any], address: str, port: int, tell: Tell) -> None:
    """Check a target until the task is cancelled; `tell` is called with each change of state.

    A new target is healthy with the first check that passes, and unhealthy once the checks have
    failed for as long as `unhealthy` intervals take.
    """
    loop = asyncio.get_running_loop()
    state, run, begun = "initial", 0, loop.time()
    while True:
        failure = await _check(check, address, port)
        passed = failure is None
        run = max(run, 0) + 1 if passed else min(run, 0) - 1
        before = state
        if state == "initial":
            patience = check["interval"] * check["unhealthy"]
            if passed:
                state = "healthy"
            elif loop.time() - begun >= patience:
                state = "unhealthy"
        elif state == "healthy" and -run >= check["unhealthy"]:
            state = "unhealthy"
        elif state == "unhealthy" and run >= check["healthy"]:
            state = "healthy"
        if state != before:
            await tell(Found("healthy") if failure is None else failure)
        await asyncio.sleep(FIRST_SECONDS if state == "initial" else check["interval"])


async def _check(check: Mapping[str, Any], address: str, port: int) -> Found | None:
    """What is wrong with a target; None for one that answers as it should."""
    try:
        wanted = port if check["port"] == "traffic-port" else int(check["port"])
        status = await asyncio.wait_for(_status(check["path"], address, wanted), check["timeout"])
    except TimeoutError:
        return Found("unhealthy", "Target.Timeout", "Request timed out")
    except (OSError, OverflowError, ValueError, EOFError):
        return Found("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
    if matches(check["codes"], status):
        return None
    said = f"Health checks failed with these codes: [{status}]"
    return Found("unhealthy", "Target.ResponseCodeMismatch", said)


async def _status(path: str, address: str, port: int) -> int:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(
            f"GET {on_one_line(path)} HTTP/1.1\r\nHost: {address}:{port}\r\nConnection: close\r\n"
            "User-Agent: ELB-HealthChecker/2.0\r\n\r\n".encode()
        )
        await writer.drain()
        words = (await reader.readline()).split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/"):
            raise ValueError("no HTTP")
        status = int(words[1])
        while await reader.read(65536):
            pass  # so that the target writes to somebody
        return status
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
