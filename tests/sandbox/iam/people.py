"""Who asks in the tests of IAM and STS: clients of users, roles and sessions, and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.iam import credentials, people
from labs_helpers.sandbox.iam.people import People
from labs_helpers.sandbox.moto.records import open_records
from tests.policies import policy
from tests.sandbox.sandbox_process import Running

ACCOUNT = "123456789012"
OTHER = "210987654321"
LEARNER = f"arn:aws:iam::{ACCOUNT}:user/learner"
AWS = "arn:aws:iam::aws:policy/"
ADMINISTRATOR = f"{AWS}AdministratorAccess"


def trust(principal: str = f"arn:aws:iam::{ACCOUNT}:root", **more: Any) -> str:
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions}
    return policy(statement | more)


@contextmanager
def refused(code: str, status: int | None = None) -> Iterator[list[str]]:
    """Expect an error of AWS; the list then holds its message."""
    message: list[str] = []
    with pytest.raises(ClientError) as found:
        yield message
    error = found.value.response
    assert error["Error"]["Code"] == code, error["Error"]
    if status is not None:
        assert error["ResponseMetadata"]["HTTPStatusCode"] == status
    message.append(error["Error"]["Message"])


@contextmanager
def directory_of(sandbox: Running) -> Iterator[People]:
    """The directory as another process finds it on disk, while the sandbox still runs."""
    folder = sandbox.home / "sandbox"
    clock = Clock(folder / "clock.json")
    found = people.build(
        folder / "identity",
        open_records(folder / "identity", credentials.learner(folder / "learner.json")),
        clock,
    )
    try:
        yield found
    finally:
        found.close()
