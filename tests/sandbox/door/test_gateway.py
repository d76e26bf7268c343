"""The door of the AWS side: who is let in, and what AWS says to those who are not."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.sandbox.assembly import build
from labs_helpers.sandbox.call import HEADERS
from labs_helpers.sandbox.door.gateway import Gateway
from labs_helpers.sandbox.iam.people import People
from labs_helpers.sandbox.iam.sessions import Origin, Session, SessionFacts

HOST = "127.0.0.1:4566"
TARGET = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"
ECR = {"X-Amz-Target": TARGET, "Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"


@dataclass
class Reply:
    """An answer; `code` and `message` of its error, whatever the protocol."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self._find("__type", "Code")

    @property
    def message(self) -> str:
        return self._find("message", "Message")

    def _find(self, key: str, tag: str) -> str:
        if self.body.startswith(b"{"):
            return str(json.loads(self.body)[key])
        found = ElementTree.fromstring(self.body).find(f".//{tag}")
        assert found is not None
        return str(found.text)


@dataclass
class Door:
    """The gateway, and a way to knock at it as botocore does."""

    gateway: Gateway
    who: People

    def ask(
        self,
        service: str,
        body: bytes = b"{}",
        headers: dict[str, str] | None = None,
        key: str | None = None,
        secret: str | None = None,
        token: str | None = None,
        at: datetime | None = None,
        method: str = "POST",
        path: str = "/",
        signer: type = SigV4Auth,
        sent: bytes | None = None,
    ) -> Reply:
        """Sign as the learner unless told otherwise, and send `sent` in place of the body."""
        learner = self.who.records.learner
        asked = AWSRequest(method, f"http://{HOST}{path}", {"Host": HOST, **(headers or {})}, body)
        whose = Credentials(key or learner.principal.access_key_id, secret or learner.secret, token)
        when = (at or datetime.now(UTC)).replace(tzinfo=None)
        with patch("botocore.auth.get_current_datetime", return_value=when):
            signer(whose, service, "us-west-2").add_auth(asked)
        parts = urlsplit(asked.url)
        return self.send(method, parts.path, parts.query, dict(asked.headers), sent or body)

    def send(
        self, method: str, path: str, query: str, headers: dict[str, Any], body: bytes
    ) -> Reply:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "REQUEST_URI": f"{path}?{query}" if query else path,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "4566",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
        }
        plain = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in headers.items()
        }
        environ[HEADERS] = plain
        for name, value in plain.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        started: list[tuple[str, list[tuple[str, str]]]] = []
        answer = self.gateway(environ, lambda *told: started.append(told))  # type: ignore
        ((status, told),) = started
        return Reply(int(status[:3]), dict(told), b"".join(answer))


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder: Path = tmp_path_factory.mktemp("sandbox")
    sandbox = build(folder, 4566, "test")
    application: Any = sandbox.application
    yield Door(application.aws, sandbox.people)
    sandbox.close()


def test_the_learner_is_let_in(door: Door) -> None:
    told = door.ask("ecr", headers=ECR)
    assert (told.status, json.loads(told.body)) == (200, {"repositories": []})


UNKNOWN = [
    ("ecr", ECR, b"{}", (400, "UnrecognizedClientException")),
    ("lambda", {}, b"", (403, "UnrecognizedClientException")),
    ("sts", FORM, IDENTITY, (403, "InvalidClientTokenId")),
    ("iam", FORM, b"Action=ListUsers&Version=2010-05-08", (403, "InvalidClientTokenId")),
    ("ec2", FORM, b"Action=DescribeInstances", (401, "AuthFailure")),
    ("s3", {}, b"", (403, "InvalidAccessKeyId")),
]


@pytest.mark.parametrize(("service", "headers", "body", "error"), UNKNOWN)
def test_an_unknown_key_is_refused_as_each_protocol_of_aws_does(
    door: Door, service: str, headers: dict[str, str], body: bytes, error: tuple[int, str]
) -> None:
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    told = door.ask(service, body, headers, key="AKIAIOSFODNN7EXAMPLE", signer=signer)
    assert told.error == error
    if service in ("ecr", "sts"):
        assert told.message == "The security token included in the request is invalid."


WRONG = [
    ("ecr", ECR, b"{}", (400, "InvalidSignatureException")),
    ("lambda", {}, b"", (403, "InvalidSignatureException")),
    ("sts", FORM, IDENTITY, (403, "SignatureDoesNotMatch")),
    ("ec2", FORM, b"Action=DescribeInstances", (401, "AuthFailure")),
    ("s3", {}, b"", (403, "SignatureDoesNotMatch")),
]


@pytest.mark.parametrize(("service", "headers", "body", "error"), WRONG)
def test_a_wrong_secret_is_refused_as_each_protocol_of_aws_does(
    door: Door, service: str, headers: dict[str, str], body: bytes, error: tuple[int, str]
) -> None:
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    told = door.ask(service, body, headers, secret="wrong", signer=signer)
    assert told.error == error
    if service in ("ecr", "sts"):
        assert told.message == (
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details."
        )


OLD = [
    ("ecr", ECR, b"{}", (400, "InvalidSignatureException")),
    ("sts", FORM, IDENTITY, (403, "SignatureDoesNotMatch")),
    ("ec2", FORM, b"Action=DescribeInstances", (400, "RequestExpired")),
    ("s3", {}, b"", (403, "RequestTimeTooSkewed")),
]


@pytest.mark.parametrize(("service", "headers", "body", "error"), OLD)
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_an_hour_off_is_refused_as_each_protocol_of_aws_does(
    door: Door,
    service: str,
    headers: dict[str, str],
    body: bytes,
    error: tuple[int, str],
    hours: int,
) -> None:
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    at = datetime.now(UTC) + timedelta(hours=hours)
    told = door.ask(service, body, headers, at=at, signer=signer)
    assert told.error == error
    if service in ("ecr", "sts"):
        start = "Signature expired: " if hours < 0 else "Signature not yet current: "
        assert told.message.startswith(start)


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        (ECR, b"{}", (400, "MissingAuthenticationTokenException")),
        (FORM, IDENTITY, (403, "MissingAuthenticationToken")),
        (FORM, b"Action=AssumeRole", (403, "MissingAuthenticationToken")),
        ({}, b"", (403, "AccessDenied")),
    ],
)
def test_nobody_is_answered_without_a_signature(
    door: Door, headers: dict[str, str], body: bytes, error: tuple[int, str]
) -> None:
    assert door.send("POST", "/", "", {"Host": HOST, **headers}, body).error == error


def test_a_changed_body_is_refused(door: Door) -> None:
    told = door.ask("ecr", b'{"maxResults": 1}', ECR, sent=b'{"maxResults": 2}')
    assert told.error == (400, "InvalidSignatureException")


def test_a_body_other_than_its_stated_hash_is_refused(door: Door) -> None:
    told = door.ask("s3", b"one", {}, method="PUT", path="/b/k", signer=S3SigV4Auth, sent=b"two")
    assert told.error == (400, "XAmzContentSHA256Mismatch")


def test_a_signature_of_the_old_version_is_named(door: Door) -> None:
    told = door.send("GET", "/b", "", {"Host": HOST, "Authorization": "AWS AKIA:abc"}, b"")
    assert told.error == (400, "InvalidRequest")


def test_a_session_needs_its_own_token_until_it_ends(door: Door) -> None:
    whose = door.who.records.learner.principal

    def made(lifetime: timedelta) -> Session:
        facts = SessionFacts(Origin.USER, whose.arn, whose.user_id)
        return door.who.sessions.issue(whose.account, whose.arn, whose.user_id, facts, lifetime)

    one, other = made(timedelta(hours=1)), made(timedelta(hours=1))
    over = made(timedelta(seconds=-1))

    def ask(session: Session, token: str | None) -> Reply:
        key = session.principal.access_key_id
        return door.ask("ecr", headers=ECR, key=key, secret=session.secret, token=token)

    assert ask(one, one.token).status == 200
    assert ask(one, other.token).error == (400, "UnrecognizedClientException")
    assert ask(one, None).error == (400, "UnrecognizedClientException")
    assert ask(over, over.token).error == (400, "ExpiredTokenException")


def test_a_long_lived_key_has_no_token(door: Door) -> None:
    told = door.ask("ecr", headers=ECR, token="anything")
    assert told.error == (400, "UnrecognizedClientException")


def test_a_presigned_call_is_answered(door: Door) -> None:
    path = "/?Action=GetCallerIdentity&Version=2011-06-15"
    told = door.ask("sts", b"", method="GET", path=path, signer=SigV4QueryAuth)
    assert told.status == 200
    assert door.who.records.learner.principal.arn.encode() in told.body


def test_the_account_is_the_callers_whatever_a_header_says(door: Door) -> None:
    headers = {**FORM, "X-Moto-Account-Id": "210987654321"}
    told = door.ask("sts", IDENTITY, headers)
    assert b"<Account>123456789012</Account>" in told.body


@pytest.mark.parametrize("service", ["ecr-public", "access-analyzer", "nonsense", "../iam", "é"])
def test_a_service_that_is_not_there_is_named_at_once(door: Door, service: str) -> None:
    told = door.ask(service, b"{}", {"X-Amz-Target": "Some.Thing"})
    assert told.error in [(501, "NotInSandbox"), (400, "IncompleteSignatureException")]


def test_a_body_beyond_the_limit_is_refused(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs_helpers.sandbox.door.gateway.LARGEST_BODY", 10)
    told = door.ask("ecr", b'{"maxResults": 100}', ECR)
    assert told.error == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize("fault", [RuntimeError("inside"), OSError(5, "inside")])
def test_a_fault_of_ours_is_an_error_of_the_protocol(
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
) -> None:
    def broken(*_: Any) -> None:
        raise fault

    monkeypatch.setattr(door.gateway, "_services", {"sts": broken})
    told = door.ask("sts", IDENTITY, FORM)
    assert told.error == (501, "InternalFailure")
    assert "inside" not in told.body.decode()
    assert "inside" in caplog.text


def test_a_key_made_in_iam_is_let_in_while_it_is_active(door: Door) -> None:
    query = "&UserName=dev&Version=2010-05-08"
    assert door.ask("iam", f"Action=CreateUser{query}".encode(), FORM).status == 200
    made = door.ask("iam", f"Action=CreateAccessKey{query}".encode(), FORM)
    root = ElementTree.fromstring(made.body)
    key, secret = (
        root.findtext(f".//{{*}}{name}") or "" for name in ("AccessKeyId", "SecretAccessKey")
    )
    told = door.ask("sts", IDENTITY, FORM, key=key, secret=secret)
    assert b"arn:aws:iam::123456789012:user/dev" in told.body
    off = f"Action=UpdateAccessKey{query}&Status=Inactive&AccessKeyId={key}"
    assert door.ask("iam", off.encode(), FORM).status == 200
    assert door.ask("sts", IDENTITY, FORM, key=key, secret=secret).error == (
        403,
        "InvalidClientTokenId",
    )


@given(
    st.sampled_from(["GET", "POST", "PUT", "HEAD", "DELETE"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#")),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#")),
    st.dictionaries(
        st.sampled_from(["Authorization", "X-Amz-Date", "X-Amz-Target", "Content-Type"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
        | st.just("AWS4-HMAC-SHA256 Credential=a/20261102/r/s/aws4_request, SignedHeaders=host, ")
        | st.just("20261102T090000Z"),
    ),
    st.binary(max_size=40),
)
def test_no_request_of_a_stranger_gets_more_than_a_4xx(
    door: Door, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    told = door.send(method, "/" + path, query, {"Host": HOST, **headers}, body)
    assert 400 <= told.status < 500
