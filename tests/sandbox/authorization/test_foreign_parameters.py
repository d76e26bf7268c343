"""A parameter of another operation decides nothing, and every own parameter arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.model import Shape
from botocore.serialize import create_serializer

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.authorization.requests import read
from labs_helpers.sandbox.moto.table import services
from labs_helpers.sandbox.sigv4 import Request
from tests.policies import allow
from tests.sandbox.authorization.crook import Crook
from tests.sandbox.authorization.people_here import ACCOUNT, People
from tests.sandbox.sandbox_process import REGION, Running

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = "application/x-amz-json-1.1"
OWN = f"arn:aws:iam::{ACCOUNT}:user/narrow"


@pytest.fixture(scope="module")
def narrow(people: People) -> Crook:
    """May do everything to itself and to what is called dev, and nothing else."""
    made = people.make(
        "narrow",
        allow("iam:*", on=OWN),
        allow("logs:*", on=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:dev*"),
        allow("codebuild:*", on=f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/dev*"),
    )
    return Crook(made)


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("CreateAccessKey", {"Arn": OWN}),
        ("CreateAccessKey", {"PolicySourceArn": OWN}),
        ("DeleteUser", {"Arn": OWN}),
        ("PutUserPolicy", {"Arn": OWN, "PolicyName": "p", "PolicyDocument": "{}"}),
    ],
)
def test_in_a_form(narrow: Crook, sandbox: Running, action: str, more: dict[str, str]) -> None:
    sent = {"Action": action, "UserName": "learner", "Version": "2010-05-08", **more}
    reply = narrow.send("iam", body=urlencode(sent).encode(), headers=FORM)
    assert (reply.status, "AccessDenied" in reply.body) == (403, True)


@pytest.mark.parametrize(
    ("service", "target", "sent"),
    [
        ("logs", "Logs_20140328.PutRetentionPolicy", {"resourceArn": "dev", "retentionInDays": 1}),
        ("codebuild", "CodeBuild_20161006.DeleteProject", {"projectName": "dev"}),
    ],
)
def test_in_json(narrow: Crook, service: str, target: str, sent: dict[str, Any]) -> None:
    if "resourceArn" in sent:
        sent["resourceArn"] = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:dev"
    body = json.dumps({"name": "prod", "logGroupName": "prod", **sent}).encode()
    reply = narrow.send(service, body=body, headers={"X-Amz-Target": target, "Content-Type": JSON})
    assert (reply.status, "AccessDenied" in reply.body) == (400, True)


def open_operations() -> Iterator[tuple[str, str, str]]:
    """(service, protocol, operation) of what is open and speaks a form or JSON."""
    for service, row in services().items():
        model = model_of(service)
        metadata = model.metadata if model else {}
        for protocol in {*metadata.get("protocols", ()), metadata.get("protocol")}:
            if protocol in ("query", "ec2", "json"):
                yield from ((service, protocol, name) for name in sorted(row.moto | row.ours))


def some(shape: Shape, depth: int = 0) -> Any:
    """A value with every member, four levels deep."""
    if shape.type_name == "structure":
        members = shape.members.items() if depth < 4 else ()
        return {name: some(member, depth + 1) for name, member in members}
    if shape.type_name == "list":
        return [some(shape.member, depth + 1)]
    if shape.type_name == "map":
        return {"key": some(shape.value, depth + 1)}
    plain = {"boolean": True, "blob": b"x", "string": "x", "float": 1.5, "double": 1.5}
    return plain.get(shape.type_name, 1)


@pytest.mark.parametrize("protocol", ["query", "ec2", "json"])
def test_every_parameter_that_an_sdk_sends_is_handed_on(protocol: str) -> None:
    operations = [(name, one) for name, spoken, one in open_operations() if spoken == protocol]
    assert operations
    lost = []
    for service, name in operations:
        model = model_of(service)
        assert model is not None
        operation = model.operation_model(name)
        if operation.input_shape is None:
            continue
        sent = create_serializer(protocol, False).serialize_to_request(
            some(operation.input_shape), operation
        )
        body = sent["body"]
        text = urlencode(body).encode() if isinstance(body, dict) else body
        headers = {key.lower(): value for key, value in sent["headers"].items()}
        _, plain = read(Request("POST", "/", "", {"host": "x", **headers}), text, service)
        same = len(plain.body.split(b"&")) == len(text.split(b"&"))
        if protocol == "json":
            same = set(json.loads(plain.body)) == set(json.loads(text))
        if not same:
            lost.append(f"{service}:{name}")
    assert lost == []
