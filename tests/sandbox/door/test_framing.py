"""Where a request begins and ends: bad lengths, too much content, absolute targets."""

from __future__ import annotations

import http.client
import socket
from typing import Any

import pytest

from tests.sandbox.sandbox_process import Running

REGISTRY = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
PLANES = {
    "registry": f"PATCH /v2/demo/blobs/uploads/1 HTTP/1.1\r\nHost: {REGISTRY}",
    "manifest": f"PUT /v2/demo/manifests/v1 HTTP/1.1\r\nHost: {REGISTRY}",
    "aws": "POST / HTTP/1.1\r\nHost: ecr.us-west-2.amazonaws.com",
    "s3": "PUT /bucket/key HTTP/1.1\r\nHost: s3.us-west-2.amazonaws.com",
    "hub": "GET /v2/ HTTP/1.1\r\nHost: registry-1.docker.io",
    "control": "POST /_labs/clock HTTP/1.1\r\nHost: localhost",
    "layers": "GET /_labs/layers/1/us-west-2/demo/sha256:1 HTTP/1.1\r\nHost: localhost",
}


def answer_to(sandbox: Running, head: str, *lines: str) -> int:
    """The status of a request that sends its head and keeps the connection open."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=30) as client:
        client.sendall("\r\n".join([head, *lines, "", ""]).encode())
        response = http.client.HTTPResponse(client)
        response.begin()
        return response.status


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 100000000000000000000"],
        ["Content-Length: 9223372036854775808"],
        ["Content-Length: -5"],
        ["Content-Length: +5"],
        ["Content-Length: 0x5"],
        ["Content-Length: 5_0"],
        ["Content-Length: 5 5"],
        ["Content-Length: 5, 5"],
        ["Content-Length:"],
        ["Content-Length: \x0b5"],
        ["Transfer-Encoding: \x0bchunked"],
        ["X-Bell: \x07"],
        ["Content-Length: 5", "Content-Length: 5"],
        ["Content-Length: 5", "content-length: 6"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Content-Length : 5"],
        ["X-Folded: a", " b"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Host: localhost"],
    ],
    ids=lambda lines: repr(" | ".join(lines)),
)
def test_a_length_that_is_none_is_refused_at_once(
    sandbox: Running, plane: str, lines: list[str]
) -> None:
    assert answer_to(sandbox, PLANES[plane], *lines) == 400


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("length", [2**63 - 1, 10**15])
def test_more_bytes_than_anybody_takes_are_refused_at_once(
    sandbox: Running, plane: str, length: int
) -> None:
    assert answer_to(sandbox, PLANES[plane], f"Content-Length: {length}") == 413


@pytest.mark.parametrize("plane", ["aws", "s3", "hub", "control", "layers"])
def test_each_plane_refuses_at_once_what_is_more_than_it_takes(
    sandbox: Running, plane: str
) -> None:
    assert answer_to(sandbox, PLANES[plane], f"Content-Length: {2 * 1024**3}") == 413


@pytest.mark.parametrize("letter", ["\x00", "\x0b", "\x1f", "\x7f"], ids=repr)
def test_a_target_has_no_byte_that_controls(sandbox: Running, letter: str) -> None:
    assert answer_to(sandbox, f"GET /v2/{letter} HTTP/1.1\r\nHost: localhost") == 400


def test_http_1_0_has_no_chunks(sandbox: Running) -> None:
    head = "POST / HTTP/1.0\r\nHost: localhost"
    assert answer_to(sandbox, head, "Transfer-Encoding: chunked") == 400


def test_the_absolute_form_of_a_target_is_taken(sandbox: Running) -> None:
    """As a proxy is sent; the host of the target counts, and the Host header does not.
    Reported as S8.
    """
    health = f"http://127.0.0.1:{sandbox.port}/_labs/health"
    assert answer_to(sandbox, f"GET {health} HTTP/1.1", "Host: example.com") == 200
    assert answer_to(sandbox, f"GET http://{REGISTRY}/v2/ HTTP/1.1", "Host: localhost") == 401
    assert answer_to(sandbox, f"GET http://{REGISTRY} HTTP/1.1", "Host: localhost") == 403
    assert answer_to(sandbox, "GET http://example.com/ HTTP/1.1", "Host: localhost") == 421


def test_a_signed_call_in_absolute_form_is_verified(sandbox: Running) -> None:
    client = sandbox.client("sts")
    sent: list[Any] = []
    client.meta.events.register("before-send.sts", lambda request, **_: sent.append(request))
    client.get_caller_identity()
    headers = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in sent[0].headers.items()
    }
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=30)
    connection.request("POST", f"{sandbox.url}/", sent[0].body, headers)
    answer = connection.getresponse()
    assert (answer.status, b"GetCallerIdentityResult" in answer.read()) == (200, True)
    connection.close()


@pytest.mark.parametrize(
    "target",
    [
        *("//evil/v2/", "ftp://localhost/", "http:///v2/", "v2/", "http://a/#b", "http:"),
        *("http://[::1/v2/", "http://[nowhere]/v2/", "http://]/v2/"),
    ],
)
def test_a_target_of_no_form_is_refused(sandbox: Running, target: str) -> None:
    """Members of D5: each was a 500 once. Reported as D5."""
    assert answer_to(sandbox, f"GET {target} HTTP/1.1", "Host: localhost") == 400


def test_connect_is_refused(sandbox: Running) -> None:
    assert answer_to(sandbox, "CONNECT localhost:1 HTTP/1.1", "Host: localhost") == 405
