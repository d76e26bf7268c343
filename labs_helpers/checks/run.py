"""The table of all checks, and running one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import botocore.exceptions as aws
import docker.errors

from labs_helpers import curriculum
from labs_helpers.checks.goal import Fact
from labs_helpers.checks.outcome import CheckError, Outcome
from labs_helpers.checks.world import UnreadableDockerConfig, World

Check = Callable[[World], Outcome]
_CHECKS: dict[str, Check] = {}
_GOALS: dict[str, tuple[str, ...]] = {}

_BAD_KEYS = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "InvalidAccessKeyId",
}
"""Error codes with which services of AWS refuse an access key or a signature."""


def check(check_id: str, facts: Sequence[Fact[Any]] = ()) -> Callable[[Check], Check]:
    """Give the function below an id: ``@check("05.1", FACTS)``, with the lab before the dot.

    ``facts`` are the facts that the function looks for.
    """

    def enter(function: Check) -> Check:
        if check_id in _CHECKS and _CHECKS[check_id].__module__ != function.__module__:
            raise ValueError(f"two checks are called {check_id}")
        _CHECKS[check_id] = function
        _GOALS[check_id] = tuple(fact.says for fact in facts)
        return function

    return enter


def known(lab: str) -> list[str]:
    """The ids of a lab's checks, sorted. Imports the lab's module ``checks.py``."""
    curriculum.module(lab, "checks")
    return sorted(check_id for check_id in _CHECKS if check_id.split(".")[0] == lab)


def goal(check_id: str) -> tuple[str, ...]:
    """The facts of a check, in the exercise's words. Raises UnknownPart."""
    return _GOALS[_require(check_id)]


def run(check_id: str, world: World) -> Outcome:
    """Look at the world with one check.

    When credentials are missing, nothing answers, or AWS refuses, the outcome is a
    :class:`CheckError` that says what to do. Raises UnknownPart for an id that is no check's.
    """
    lab = check_id.split(".")[0]
    try:
        return _CHECKS[_require(check_id)](world)
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.ProfileNotFound) as fault:
        return CheckError(
            "your AWS credentials", str(fault), "run aws configure (lab 01), or labs configure"
        )
    except (aws.EndpointConnectionError, aws.ConnectionError, OSError) as fault:
        return CheckError(
            _unanswered(fault, world),
            str(fault),
            f'is the sandbox running? labs status says; start("{lab}") starts it',
        )
    except docker.errors.DockerException as fault:
        return CheckError(
            "the images on this machine, by Docker's engine",
            str(fault).splitlines()[0],
            f'does the engine run? labs status says; labs start, or start("{lab}"), starts it',
        )
    except aws.ClientError as fault:
        return CheckError(
            f"the answer to {fault.operation_name}", *_refusal(fault.response.get("Error", {}))
        )
    except UnreadableDockerConfig as fault:
        return CheckError(
            "Docker's logins", str(fault), "correct the file, or delete it and log in again"
        )


def _unanswered(fault: Exception, world: World) -> str:
    """What did not answer: a file by its name, or else what this world asks over HTTP."""
    if isinstance(fault, OSError) and fault.filename is not None:
        return f"the file {fault.filename}"
    if world.address is None:
        return "AWS, over the network"
    return f"the sandbox, at {world.address}"


def _require(check_id: str) -> str:
    ids = known(check_id.split(".")[0])
    if check_id not in ids:
        raise curriculum.UnknownPart.among("check", check_id, ids)
    return check_id


def _refusal(error: dict[str, str]) -> tuple[str, str]:
    """AWS's code and message in one line, and what to do about them."""
    code, message = error.get("Code", "unknown"), error.get("Message", "")
    if code in _BAD_KEYS:
        advice = "the access key or its secret is not the one AWS knows: labs configure"
    elif code.startswith("AccessDenied"):
        advice = "the check looks with your own credentials: give them this permission"
    else:
        advice = "read the message: it is AWS's own"
    return f"{code}: {message}", advice
