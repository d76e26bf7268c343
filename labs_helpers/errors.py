"""What stops a lab, shown to the learner as a message without a traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import botocore.exceptions
import docker.errors

from labs_helpers.curriculum import UnknownPart
from labs_helpers.defaults import SANDBOX_DOWN
from labs_helpers.workspace import LabsError

P = ParamSpec("P")
T = TypeVar("T")


class LabError(Exception):
    """Something stops a lab; a notebook shows the message alone."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


FOR_THE_LEARNER = (
    LabsError,
    UnknownPart,
    botocore.exceptions.ClientError,
    botocore.exceptions.BotoCoreError,
    docker.errors.DockerException,
)
"""Exceptions whose message says what to do. Any other is ours to fix, and keeps its traceback."""


def said(fault: BaseException) -> str:
    """The message for the learner. Of a sandbox that is not there it says how to start one."""
    if isinstance(fault, botocore.exceptions.EndpointConnectionError):
        endpoint = str(fault.kwargs.get("endpoint_url", ""))
        if endpoint.startswith("http://127.0.0.1:"):
            return SANDBOX_DOWN
    return str(fault)


def spoken(function: Callable[P, T]) -> Callable[P, T]:
    """Turn exceptions for the learner that ``function`` raises into :class:`LabError`."""

    @wraps(function)
    def speaking(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except FOR_THE_LEARNER as fault:
            raise LabError(said(fault)) from fault

    return speaking
