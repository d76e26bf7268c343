"""A registry's refusals in dockerd's words, and challenges and credentials as they come."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.engine.credentials import (
    Challenge,
    Credentials,
    challenges,
    from_config_header,
    from_header,
)
from labs_helpers.engine.errors import BadRequest
from labs_helpers.engine.registry_errors import from_response

JSON = "application/json; charset=utf-8"


def errors(*pairs: tuple[str, str]) -> bytes:
    return json.dumps({"errors": [{"code": c, "message": m} for c, m in pairs]}).encode()


@pytest.mark.parametrize(
    ("status", "kind", "authenticate", "body", "said"),
    [
        (404, JSON, [], errors(("NAME_UNKNOWN", "The repository")), "name unknown: The repository"),
        (400, JSON, [], errors(("TAG_INVALID", "")), "tag invalid"),
        (403, JSON, [], errors(("DENIED", "User: x")), "denied: User: x"),
        (400, JSON, [], errors(("NEW_CODE", "what")), "unknown: what"),
        (
            400,
            JSON,
            [],
            errors(("DENIED", "a"), ("UNSUPPORTED", "b")),
            "errors:\ndenied: a\nunsupported: b\n",
        ),
        (
            401,
            JSON,
            ['Bearer realm="https://a/t",error="insufficient_scope"'],
            errors(("UNAUTHORIZED", "authentication required")),
            "errors:\ndenied: requested access to the resource is denied\nunauthorized\n",
        ),
        (
            404,
            JSON,
            [],
            b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown",'
            b' "detail": {"Tag": "x"}}]}',
            "manifest unknown: manifest unknown",
        ),
        (401, JSON, [], b"{}", "unauthorized: authentication required"),
        (403, "text/plain", [], b"go away\n", "denied: go away"),
        (429, None, [], b"slow down", "toomanyrequests: slow down"),
        (
            404,
            JSON,
            [],
            b"{}",
            "error parsing HTTP 404 response body: no error details found in HTTP response body:"
            ' "{}"',
        ),
        (404, JSON, [], b"<", 'error parsing HTTP 404 response body: invalid JSON: "<"'),
        (503, JSON, [], b"{}", "received unexpected HTTP status: 503 Service Unavailable"),
    ],
)
def test_an_answer_is_told_as_dockerd_tells_it(
    status: int, kind: str | None, authenticate: list[str], body: bytes, said: str
) -> None:
    assert str(from_response(status, kind, authenticate, body)) == said


@given(
    status=st.integers(400, 599), kind=st.sampled_from([None, JSON, "text/html"]), body=st.binary()
)
def test_any_answer_is_an_error_with_words(status: int, kind: str | None, body: bytes) -> None:
    assert str(from_response(status, kind, ["Bearer error", "=", ""], body))


@given(document=st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_any_json_is_an_error_with_words(document: object) -> None:
    body = json.dumps({"errors": document}).encode()
    assert str(from_response(400, JSON, [], body))


def test_challenges_are_read() -> None:
    header = 'Bearer realm="https://auth.docker.io/token",service="registry",scope="a:b:pull,push"'
    parameters = {
        "realm": "https://auth.docker.io/token",
        "service": "registry",
        "scope": "a:b:pull,push",
    }
    assert challenges([header, "Basic realm=x"]) == [
        Challenge("bearer", parameters),
        Challenge("basic", {"realm": "x"}),
    ]


@given(st.lists(st.text()))
def test_any_challenge_is_read_or_left(headers: list[str]) -> None:
    assert len(challenges(headers)) <= len(headers)


def header_of(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


def test_credentials_are_read_from_either_form() -> None:
    pair = base64.b64encode(b"AWS:se:cret").decode()
    assert from_header(header_of({"auth": pair})) == Credentials("AWS", "se:cret")
    assert from_header(header_of({"username": "AWS", "password": "p"})).basic == "Basic QVdTOnA="
    assert from_header(header_of({"username": "AWS"}).rstrip("=")) == Credentials("AWS")
    assert from_header(None) == from_header("") == Credentials()
    assert from_config_header(header_of({"a.b": {"username": "u"}})) == {"a.b": Credentials("u")}


def test_secrets_are_not_in_a_representation() -> None:
    assert "hidden" not in repr(Credentials("AWS", "hidden", "hidden", "hidden"))


@given(st.text())
def test_any_header_is_read_or_refused(value: str) -> None:
    for read in (from_header, from_config_header):
        with contextlib.suppress(BadRequest):
            read(value)
