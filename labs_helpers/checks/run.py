"""The table of checks, and what becomes of one that cannot look."""

from __future__ import annotations

from collections.abc import Callable

import botocore.exceptions as aws

from labs_helpers import curriculum
from labs_helpers.checks.outcome import CheckError, Outcome
from labs_helpers.checks.world import UnreadableDockerConfig, World

Check = Callable[[World], Outcome]
_CHECKS: dict[str, Check] = {}


class UnknownCheck(Exception):
    """No check has this id; the message lists those there are."""

    @classmethod
    def among(cls, check_id: str, known: list[str]) -> UnknownCheck:
        listed = ", ".join(known) or "none"
        return cls(f"There is no check {check_id!r}. This lab has: {listed}.")


def check(check_id: str) -> Callable[[Check], Check]:
    """Give the function below an id, ``@check("05.1")``; the lab's number comes before the dot."""

    def enter(function: Check) -> Check:
        if check_id in _CHECKS and _CHECKS[check_id].__module__ != function.__module__:
            raise ValueError(f"two checks are called {check_id}")
        _CHECKS[check_id] = function
        return function

    return enter


def known(lab: str) -> list[str]:
    """The ids of a lab's checks, in order; loads the lab's module."""
    curriculum.module(lab, "checks")
    return sorted(check_id for check_id in _CHECKS if check_id.split(".")[0] == lab)


def run(check_id: str, world: World) -> Outcome:
    """Look at the world with one check.

    What stops a check from looking (no credentials, nothing answering, a refusal) is an outcome
    too, :class:`CheckError`, with what to do. Raises :class:`UnknownCheck`.
    """
    lab = check_id.split(".")[0]
    ids = known(lab)
    if check_id not in ids:
        raise UnknownCheck.among(check_id, ids)
    try:
        return _CHECKS[check_id](world)
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.ProfileNotFound) as fault:
        return CheckError(
            "your AWS credentials", str(fault), "run aws configure (lab 01), or labs configure"
        )
    except (aws.EndpointConnectionError, aws.ConnectionError, OSError) as fault:
        return CheckError(
            "AWS, over the network",
            str(fault),
            f'is the sandbox running? labs status says; start("{lab}") starts it',
        )
    except aws.ClientError as fault:
        return CheckError(
            f"the answer to {fault.operation_name}", *_refused(fault.response.get("Error", {}))
        )
    except UnreadableDockerConfig as fault:
        return CheckError(
            "Docker's logins", str(fault), "mend the file, or delete it and log in again"
        )


_BAD_KEYS = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "InvalidAccessKeyId",
}


def _refused(error: dict[str, str]) -> tuple[str, str]:
    code, message = error.get("Code", "unknown"), error.get("Message", "")
    if code in _BAD_KEYS:
        advice = "the access key or its secret is not the one AWS knows: labs configure"
    elif code.startswith("AccessDenied"):
        advice = "the check uses your own credentials: they need this permission to be looked at"
    else:
        advice = "read the message: it is AWS's own"
    return f"{code}: {message}", advice
