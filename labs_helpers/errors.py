"""What stops a lab, shown to the learner as a message without a traceback."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import botocore.exceptions
import docker.errors
import requests.exceptions

from labs_helpers.curriculum import UnknownPart
from labs_helpers.defaults import ENGINE_DOWN, SANDBOX_DOWN, is_sandbox
from labs_helpers.files import LabsError
from labs_helpers.workspace import Workspace

P = ParamSpec("P")
T = TypeVar("T")


class LabError(LabsError):
    """Something stops a lab; a notebook shows the message alone, and so does the command line."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


class Interrupted(LabError):
    """The learner interrupted the cell."""

    def __init__(self) -> None:
        super().__init__("Interrupted. Run the cell again to go on.")


FOR_THE_LEARNER = (
    LabsError,
    UnknownPart,
    botocore.exceptions.ClientError,
    botocore.exceptions.BotoCoreError,
    docker.errors.DockerException,
)
"""Exceptions whose message says what to do. Any other is ours to fix, and keeps its traceback."""


def said(fault: BaseException) -> str:
    """The message for the learner; for a sandbox or an engine that is down, how to start it."""
    if isinstance(fault, botocore.exceptions.EndpointConnectionError):
        asked = str(fault.kwargs.get("endpoint_url", ""))
        if is_sandbox(asked):
            return _of_an_earlier_port(asked) or SANDBOX_DOWN
    if _found_no_daemon(fault) and _engine_is_down():
        return ENGINE_DOWN
    return str(fault)


def _of_an_earlier_port(asked: str) -> str:
    """What to do with a client that asks another port than the sandbox has; empty for none."""
    now = os.environ.get("AWS_ENDPOINT_URL", "")
    if not is_sandbox(now) or f"{asked}/".startswith(f"{now}/") or not someone_listens(now):
        return ""
    return (
        f"This client asks {asked.rstrip('/')}, and the sandbox is at {now}: the client was made "
        "before the sandbox started again. Run the cell again that makes the client."
    )


def someone_listens(address: str) -> bool:
    """Whether a program has the port of a sandbox's address."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        probe.settimeout(2)
        return port.isdecimal() and probe.connect_ex((host, int(port))) == 0


def _found_no_daemon(fault: BaseException) -> bool:
    """Whether this comes from docker-py's connection to a unix socket.

    docker-py raises DockerException while requests' ConnectionError is handled, or lets the
    ConnectionError pass; its request has a URL of docker-py's own scheme:
    https://github.com/docker/docker-py/blob/7.1.0/docker/api/client.py
    """
    seen: BaseException | None = fault
    while seen is not None:
        if isinstance(seen, requests.exceptions.ConnectionError) and seen.request is not None:
            return str(seen.request.url).startswith("http+docker://")
        seen = seen.__cause__ or seen.__context__
    return False


def _engine_is_down() -> bool:
    """Whether DOCKER_HOST is the labs' socket and nothing answers there."""
    path = Workspace.find().socket
    if os.environ.get("DOCKER_HOST") != f"unix://{path}":
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            return True
    return False


def spoken(function: Callable[P, T]) -> Callable[P, T]:
    """Turn exceptions for the learner, and an interrupt, into :class:`LabError`."""

    @wraps(function)
    def speaking(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except LabError:
            raise  # a LabError has the learner's words already
        except FOR_THE_LEARNER as fault:
            raise LabError(said(fault)) from fault
        except KeyboardInterrupt as fault:
            raise Interrupted from fault

    return speaking
