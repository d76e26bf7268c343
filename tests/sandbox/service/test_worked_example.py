"""The example in CONTRIBUTING is a service of one operation, and a function adds a second one."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

import labs_helpers.sandbox
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.identity import NO_KEYS, Keys, Principal
from labs_helpers.sandbox.service.errors import AccessDenied
from labs_helpers.sandbox.service.protocol import Answer

PROJECT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
DEV = Principal("123456789012", "arn:aws:iam::123456789012:user/dev", "AIDADEV", "AKIADEV")

SECOND = """

class ApplicationDoesNotExist(ServiceError):
    code = "ApplicationDoesNotExistException"


def get_application(call: Call[Store], params: Members) -> Members:
    with call.store.read() as db:
        row = db.execute(
            "select id, name, created_at from applications where account = ? and region = ?"
            " and name = ?",
            (call.account, call.region, params["applicationName"]),
        ).fetchone()
    if row is None:
        raise ApplicationDoesNotExist("The application does not exist.")
    created = datetime.fromtimestamp(row["created_at"], UTC)
    application = {"applicationId": row["id"], "applicationName": row["name"]}
    return {"application": {**application, "createTime": created}}
"""


def files_of_the_example() -> dict[str, str]:
    """The example's files, by name."""
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n# labs_helpers/sandbox/smallest/(\S+)\n(.*?)```", text, re.S)
    return dict(blocks)


class PermissionLog(list[tuple[str, str]]):
    """The permissions that the service requires; with `refuse`, none is granted."""

    refuse = False

    def __call__(
        self,
        principal: Principal,
        action: str,
        resource: str,
        keys: Keys = NO_KEYS,
        tentative: bool = False,
    ) -> None:
        self.append((action, resource))
        if self.refuse:
            raise AccessDenied(f"User: {principal.arn} is not authorized to perform: {action}")


class Client:
    """boto3's CodeDeploy client, whose requests the service answers."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self.boto3 = boto3.client(
            "codedeploy",
            region_name="us-west-2",
            aws_access_key_id="AKIADEV",
            aws_secret_access_key="secret",
        )
        self.boto3.meta.events.register("before-send", self._answer)

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        target, body = request.headers["X-Amz-Target"].decode(), bytes(request.body)
        answer: Answer = self._service.handle(target, body, DEV, "us-west-2")
        response = AWSResponse(request.url, answer.status, answer.headers, None)
        response._content = answer.body
        return response

    def error(self, operation: str, **params: Any) -> dict[str, Any]:
        """Code and message of the refusal, which there must be."""
        with pytest.raises(ClientError) as raised:
            getattr(self.boto3, operation)(**params)
        return dict(raised.value.response["Error"])


@pytest.fixture
def permissions() -> PermissionLog:
    return PermissionLog()


@pytest.fixture
def client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, permissions: PermissionLog
) -> Iterator[Client]:
    """The example with a second operation, written to a folder and imported from there."""
    files = files_of_the_example()
    files["operations.py"] += SECOND
    folder = tmp_path / "smallest"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    places = [*labs_helpers.sandbox.__path__, str(tmp_path)]
    monkeypatch.setattr(labs_helpers.sandbox, "__path__", places)
    module = importlib.import_module("labs_helpers.sandbox.smallest.service")
    service = module.codedeploy(tmp_path / "state", Clock(frozen_at=NOW), permissions)
    yield Client(service)
    for name in [name for name in sys.modules if name.startswith("labs_helpers.sandbox.smallest")]:
        del sys.modules[name]


def test_two_operations_take_under_60_lines() -> None:
    files = files_of_the_example()
    assert set(files) == {"__init__.py", "operations.py", "service.py"}
    assert len("".join([*files.values(), SECOND]).splitlines()) < 60


def test_what_one_operation_makes_the_other_finds(client: Client) -> None:
    made = client.boto3.create_application(applicationName="demo")["applicationId"]
    found = client.boto3.get_application(applicationName="demo")["application"]
    assert (found["applicationId"], found["createTime"]) == (made, NOW)


def test_an_error_has_awss_code(client: Client) -> None:
    client.boto3.create_application(applicationName="demo")
    code = "ApplicationAlreadyExistsException"
    assert client.error("create_application", applicationName="demo")["Code"] == code
    absent = client.error("get_application", applicationName="other")
    assert absent["Code"] == "ApplicationDoesNotExistException"


def test_the_model_refuses_a_name_that_is_too_long(client: Client) -> None:
    assert client.error("create_application", applicationName="a" * 101) == {
        "Code": "ValidationException",
        "Message": f"1 validation error detected: Value '{'a' * 101}' at 'applicationName' failed "
        "to satisfy constraint: Member must have length less than or equal to 100",
    }


def test_the_caller_needs_the_permission_first(client: Client, permissions: PermissionLog) -> None:
    permissions.refuse = True
    assert client.error("create_application", applicationName="demo")["Code"] == (
        "AccessDeniedException"
    )
    permissions.refuse = False
    assert client.error("get_application", applicationName="demo")["Code"] == (
        "ApplicationDoesNotExistException"
    )
    assert permissions == [
        ("codedeploy:CreateApplication", "*"),
        ("codedeploy:GetApplication", "*"),
    ]


def test_an_operation_that_is_absent_says_so(client: Client) -> None:
    refusal = client.error("list_applications")
    assert refusal["Code"] == "NotInSandbox"
    assert "codedeploy:ListApplications" in refusal["Message"]


def test_a_function_that_is_no_operation_is_found_at_the_first_call(
    client: Client, tmp_path: Path
) -> None:
    operations = importlib.import_module("labs_helpers.sandbox.smallest.operations")
    helper = "def create_aplication(call, params): return {}"
    exec(helper, vars(operations))
    module = importlib.import_module("labs_helpers.sandbox.smallest.service")
    service = module.codedeploy(tmp_path / "again", Clock(), PermissionLog())
    target = "CodeDeploy_20141006.GetApplication"
    with pytest.raises(ValueError, match=r"smallest\.operations\.create_aplication is no opera"):
        service.handle(target, b'{"applicationName": "demo"}', DEV, "us-west-2")


def test_the_answer_is_json_1_1(client: Client) -> None:
    body = json.dumps({"applicationName": "demo"}).encode()
    target = "CodeDeploy_20141006.CreateApplication"
    answer = client._service.handle(target, body, DEV, "us-west-2")
    assert answer.headers == {"Content-Type": "application/x-amz-json-1.1"}
