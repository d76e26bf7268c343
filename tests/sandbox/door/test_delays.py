"""LABS_AWS_DELAYS: new keys and roles are unknown for a while, and requests are throttled."""

from __future__ import annotations

import pytest

from labs_helpers.files import LabsError
from labs_helpers.sandbox.door.delays import Delays, wanted
from labs_helpers.sandbox.service.refusal import Protocol, Refusal

NEW_KEY = b"<AccessKey><AccessKeyId>AKIANEW</AccessKeyId></AccessKey>"
ROLE = "arn:aws:iam::123456789012:role/labs-deployer"


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_new_key_is_unknown_until_the_delay_is_over() -> None:
    now = Time()
    delays = Delays(3, 0, now)
    delays.after("iam", b"Action=CreateAccessKey&UserName=dev", NEW_KEY)
    with pytest.raises(Refusal) as refused:
        delays.before("sts", "AKIANEW", b"Action=GetCallerIdentity")
    assert refused.value.codes[Protocol.QUERY] == "InvalidClientTokenId"
    delays.before("sts", "AKIAOLD", b"Action=GetCallerIdentity")
    now.seconds = 3
    delays.before("sts", "AKIANEW", b"Action=GetCallerIdentity")


def test_a_new_role_cannot_be_assumed_until_the_delay_is_over() -> None:
    now = Time()
    delays = Delays(3, 0, now)
    delays.after("iam", b"Action=CreateRole", f"<Role><Arn>{ROLE}</Arn></Role>".encode())
    assume = f"Action=AssumeRole&RoleArn={ROLE}".encode()
    with pytest.raises(Refusal, match="AssumeRole"):
        delays.before("sts", "AKIA", assume)
    now.seconds = 3
    delays.before("sts", "AKIA", assume)


def test_every_so_many_th_request_is_throttled() -> None:
    delays = Delays(0, 3)
    outcomes = []
    for _ in range(6):
        try:
            delays.before("ecr", "AKIA", b"{}")
            outcomes.append("")
        except Refusal as refused:
            outcomes.append(refused.code)
    assert outcomes == ["", "", "ThrottlingException"] * 2


def test_it_is_off_by_default_and_says_how_it_is_written() -> None:
    assert wanted({}) is None
    assert wanted({"LABS_AWS_DELAYS": "3"}) is not None
    for wrong in ("soon", "3,often", "-1"):
        with pytest.raises(LabsError, match="must be like 3"):
            wanted({"LABS_AWS_DELAYS": wrong})
