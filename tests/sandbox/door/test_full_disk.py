"""A full disk has one sentence on every plane, in the form of each protocol."""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth

from labs_helpers.files import NO_ROOM, is_full
from labs_helpers.sandbox.assembly import Sandbox, build
from labs_helpers.sandbox.control_api import ControlApp, ControlRefused
from labs_helpers.sandbox.hub.app import HubApp
from tests.sandbox.door.test_gateway import ECR, FORM, Door

FULL = OSError(errno.ENOSPC, "No space left on device")
HEADERS = {"S3": {}, "form": FORM, "ECR": ECR, "REST": {"Content-Type": "application/json"}}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = build(tmp_path_factory.mktemp("sandbox"), 4566, "test")
    yield made
    made.close()


@pytest.fixture
def door(sandbox: Sandbox) -> Door:
    application: Any = sandbox.application
    return Door(application.aws, sandbox.people)


@pytest.mark.parametrize(
    ("service", "headers", "code"),
    [
        ("s3", "S3", "InternalError"),
        ("ec2", "form", "InternalError"),
        ("sts", "form", "InternalFailure"),
        ("logs", "ECR", "ServerException"),
        ("eks", "REST", "ServerException"),
    ],
)
def test_every_protocol_says_the_sentence(
    door: Door, monkeypatch: pytest.MonkeyPatch, service: str, headers: str, code: str
) -> None:
    """Reported as D13."""

    def full(*_: Any) -> None:
        try:
            raise FULL
        except OSError as error:
            raise RuntimeError("a library's own") from error

    monkeypatch.setattr(door.gateway, "_services", {service: full})
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    answer = door.ask(service, b"{}", HEADERS[headers], signer=signer)
    assert answer.error == (507, code)
    assert answer.message == NO_ROOM


def test_iam_says_the_sentence_and_keeps_what_was_there(door: Door) -> None:
    def users() -> set[str]:
        listed = door.ask("iam", b"Action=ListUsers&Version=2010-05-08", FORM)
        return {part.partition(b"<")[0].decode() for part in listed.body.split(b"<UserName>")[1:]}

    def create(name: str) -> tuple[int, bytes]:
        body = f"Action=CreateUser&UserName={name}&Version=2010-05-08".encode()
        answer = door.ask("iam", body, FORM)
        return answer.status, answer.body

    assert create("first")[0] == 200
    with door.who.records.identity.state.database.read() as connection:  # type: ignore[attr-defined]
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count = {pages}")
    made = {"first", "learner"}
    for number in range(200):
        before, (status, body) = len(made), create(f"user-{number:050}")
        if status != 200:
            break
        made.add(f"user-{number:050}")
        assert len(made) == before + 1
    else:
        raise AssertionError("the disk never became full")
    assert (status, NO_ROOM.encode() in body) == (507, True)
    assert users() == made


def test_the_registry_says_the_sentence(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise FULL

    monkeypatch.setattr("labs_helpers.sandbox.registry.app.authenticate", full)
    status, body = ask(sandbox.application, "/v2/", "123456789012.dkr.ecr.us-west-2.amazonaws.com")
    assert status == 507
    assert json.loads(body)["errors"][0]["message"] == NO_ROOM


def test_the_stand_in_hub_says_the_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise FULL

    hub = HubApp(tmp_path, None)  # type: ignore[arg-type]
    monkeypatch.setattr(hub, "_answer", full)
    status, body = ask(hub, "/v2/", "registry-1.docker.io")
    assert status == 507
    assert json.loads(body)["errors"][0]["message"] == NO_ROOM


def test_the_control_api_says_the_sentence() -> None:
    def full(sent: dict[str, Any]) -> dict[str, Any]:
        try:
            raise FULL
        except OSError as error:
            raise ControlRefused(507, "in other words") from error

    nothing: Any = None
    routes = {("GET", "/_labs/full"): full}
    app = ControlApp("i", "token", nothing, nothing, dict, routes)
    status, body = ask(app, "/_labs/full", "localhost", HTTP_AUTHORIZATION="Bearer token")
    assert (status, json.loads(body)) == (507, {"error": NO_ROOM})


def test_what_the_door_itself_meets_is_said_too(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise FULL

    monkeypatch.setattr("labs_helpers.sandbox.door.dispatch.site_of", full)
    status, body = ask(sandbox.application, "/", "localhost")
    assert (status, json.loads(body)) == (507, {"error": NO_ROOM})


def test_other_errors_are_no_full_disk() -> None:
    assert not is_full(OSError(errno.EIO, "Input/output error"))
    assert not is_full(sqlite3.OperationalError("database is locked"))


def ask(application: Any, path: str, host: str, **more: str) -> tuple[int, bytes]:
    environ = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": path,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "HTTP_HOST": host,
        "labs.headers": {},
        "wsgi.input": open("/dev/null", "rb"),  # noqa: SIM115, PTH123
        **more,
    }
    started: list[str] = []
    answer = application(environ, lambda status, headers, *_: started.append(status))
    return int(started[0][:3]), b"".join(answer)
