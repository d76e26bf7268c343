"""LABS_AWS_DELAYS: what is new is unknown for a while, and requests are throttled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from botocore.exceptions import ClientError

from labs_helpers.files import LabsError
from labs_helpers.sandbox.delays import Delays, wanted
from labs_helpers.sandbox.service.refusal import Protocol, Refusal
from tests.deadline import until
from tests.sandbox import sandbox_process

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
    delays.after("iam", "-", b"Action=CreateAccessKey&UserName=dev", NEW_KEY)
    with pytest.raises(Refusal) as refused:
        delays.before("sts", "-", "AKIANEW", b"Action=GetCallerIdentity")
    assert refused.value.codes[Protocol.QUERY] == "InvalidClientTokenId"
    delays.before("sts", "-", "AKIAOLD", b"Action=GetCallerIdentity")
    now.seconds = 3
    delays.before("sts", "-", "AKIANEW", b"Action=GetCallerIdentity")


def test_a_new_role_cannot_be_assumed_until_the_delay_is_over() -> None:
    now = Time()
    delays = Delays(3, 0, now)
    delays.after("iam", "-", b"Action=CreateRole", f"<Role><Arn>{ROLE}</Arn></Role>".encode())
    assume = f"Action=AssumeRole&RoleArn={ROLE}".encode()
    with pytest.raises(Refusal, match="AssumeRole"):
        delays.before("sts", "-", "AKIA", assume)
    now.seconds = 3
    delays.before("sts", "-", "AKIA", assume)


def test_a_new_repository_is_unknown_on_both_planes_until_the_delay_is_over() -> None:
    now = Time()
    delays = Delays(3, 0, now)
    body = b'{"repositoryName": "team/app"}'
    delays.after("ecr", "CreateRepository", body, b'{"repository": {"repositoryArn": "arn"}}')
    asked: tuple[str, str, str, bytes] = ("ecr", "ListImages", "AKIA", body)
    with pytest.raises(Refusal, match="team/app") as refused:
        delays.before(*asked)
    assert refused.value.code == "RepositoryNotFoundException"
    assert pushed_to(delays, "/v2/team/app/blobs/uploads/") == "404 Not Found"
    assert pushed_to(delays, "/v2/other/blobs/uploads/") == "202 Accepted"
    now.seconds = 3
    delays.before(*asked)
    assert pushed_to(delays, "/v2/team/app/blobs/uploads/") == "202 Accepted"


def pushed_to(delays: Delays, path: str) -> str:
    """The status of a request to a registry that takes everything."""
    statuses: list[str] = []

    def takes(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        start("202 Accepted", [])
        return []

    def start(status: str, headers: object, *rest: object) -> Any:
        statuses.append(status)

    delays.registry(takes)({"PATH_INFO": path}, start)
    return statuses[0]


def test_a_repository_that_could_not_be_made_is_not_hidden() -> None:
    delays = Delays(3, 0, Time())
    body = b'{"repositoryName": "app"}'
    delays.after("ecr", "CreateRepository", body, b'{"__type": "AccessDeniedException"}')
    delays.before("ecr", "ListImages", "AKIA", body)


@pytest.mark.parametrize(
    ("action", "settled"),
    [("AttachUserPolicy", False), ("DeleteRolePolicy", False), ("GetUser", True)],
)
def test_what_changes_in_iam_is_not_seen_at_once(action: str, settled: bool) -> None:
    now = Time()
    delays = Delays(3, 0, now)
    delays.after("iam", "-", f"Action={action}&UserName=dev".encode(), b"<Response/>")
    assert delays.settled is settled
    now.seconds = 3
    assert delays.settled


def test_every_so_many_th_request_is_throttled() -> None:
    delays = Delays(0, 3)
    outcomes = []
    for _ in range(6):
        try:
            delays.before("ecr", "ListImages", "AKIA", b"{}")
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


@pytest.fixture
def there(tmp_path: Path) -> Iterator[sandbox_process.Running]:
    running = sandbox_process.start(tmp_path / "h", LABS_AWS_DELAYS="1")
    yield running
    running.stop()


def outcome(ecr: Any) -> str:
    """The code of a refusal; empty for an answer."""
    try:
        ecr.describe_repositories()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_right_that_was_given_or_taken_is_seen_after_the_delay(
    there: sandbox_process.Running,
) -> None:
    iam = there.client("iam")
    iam.create_user(UserName="dev")
    made = iam.create_access_key(UserName="dev")["AccessKey"]
    dev = there.client("ecr", **sandbox_process.keys_of(made))
    until(lambda: outcome(dev) == "AccessDeniedException")
    policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
    iam.attach_user_policy(UserName="dev", PolicyArn=policy)
    assert outcome(dev) == "AccessDeniedException"
    until(lambda: outcome(dev) == "")
    iam.detach_user_policy(UserName="dev", PolicyArn=policy)
    assert outcome(dev) == ""
    until(lambda: outcome(dev) == "AccessDeniedException")
