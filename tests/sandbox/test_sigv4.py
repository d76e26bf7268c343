"""Signature Version 4: what botocore signs is verified, and nothing else is."""

from __future__ import annotations

import hashlib
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given
from hypothesis import strategies as st

from labs_helpers.sandbox import sigv4
from labs_helpers.sandbox.sigv4 import Request

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HOST = "127.0.0.1:4566"

words = st.text(string.ascii_letters + string.digits + "-_.~ +/%&=ü", max_size=20)
names = st.text(string.ascii_letters + string.digits + "-_.~ +%&=ü", min_size=1, max_size=10)
paths = st.lists(words, max_size=4).map(lambda parts: "/" + "/".join(parts))
queries = st.lists(st.tuples(names, words), max_size=4)
headers = st.dictionaries(
    st.text(string.ascii_lowercase + "-", min_size=1, max_size=8).map(lambda text: f"x-amz-{text}"),
    st.text(string.ascii_letters + string.digits + " ;,=", max_size=20),
    max_size=3,
)
bodies = st.binary(max_size=100)


def signed(
    signer: type,
    service: str,
    method: str = "POST",
    path: str = "/",
    query: list[tuple[str, str]] | None = None,
    extra: dict[str, str] | None = None,
    body: bytes = b"",
    at: datetime = NOW,
    token: str | None = None,
) -> Request:
    """A request that botocore signed at an instant, as it arrives."""
    url = f"http://{HOST}{quote(path, safe='/-_.~')}"
    if query:
        pairs = (f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
        url += "?" + "&".join(pairs)
    asked = AWSRequest(method=method, url=url, data=body, headers={"host": HOST, **(extra or {})})
    with patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=None)):
        signer(Credentials(KEY, SECRET, token), service, "us-west-2").add_auth(asked)
    parts = urlsplit(asked.url)
    arrived = {name.lower(): value for name, value in asked.headers.items()}
    return Request(method, parts.path or "/", parts.query, arrived)


def check(request: Request, body: bytes, secret: str = SECRET, now: datetime = NOW) -> None:
    signature = sigv4.parse(request)
    payload = request.headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest()
    if sigv4.is_s3(signature) and signature.lifetime:
        payload = sigv4.UNSIGNED_PAYLOAD
    sigv4.verify(request, signature, payload, secret, now)


@given(paths, queries, headers, bodies)
def test_a_header_signed_by_botocore_holds(
    path: str, query: list[tuple[str, str]], extra: dict[str, str], body: bytes
) -> None:
    check(signed(SigV4Auth, "ecr", "POST", path, query, extra, body), body)


@given(paths, queries, headers, bodies)
def test_a_header_for_s3_signed_by_botocore_holds(
    path: str, query: list[tuple[str, str]], extra: dict[str, str], body: bytes
) -> None:
    check(signed(S3SigV4Auth, "s3", "PUT", path, query, extra, body), body)


@given(paths, queries)
def test_a_url_presigned_by_botocore_holds(path: str, query: list[tuple[str, str]]) -> None:
    check(signed(SigV4QueryAuth, "sts", "GET", path, query), b"")
    check(signed(S3SigV4QueryAuth, "s3", "GET", path, query), b"")


@given(paths, queries, headers, bodies, st.data())
def test_any_tampering_fails(
    path: str,
    query: list[tuple[str, str]],
    extra: dict[str, str],
    body: bytes,
    data: st.DataObject,
) -> None:
    request = signed(SigV4Auth, "ecr", "POST", path, query, extra, body)
    what = data.draw(st.sampled_from(["method", "path", "query", "header", "added", "body", "key"]))
    if what == "method":
        request = replace(request, method="PUT")
    elif what == "path":
        request = replace(request, path=request.path.rstrip("/") + "/x")
    elif what == "query":
        request = replace(request, query=request.query + "&x=1")
    elif what == "header":
        covered = [name for name in request.headers if name not in ("authorization", "x-amz-date")]
        name = data.draw(st.sampled_from(sorted(covered)))
        request = replace(request, headers={**request.headers, name: request.headers[name] + "x"})
    elif what == "added":
        assume("x-amz-target" not in request.headers)
        request = replace(request, headers={**request.headers, "x-amz-target": "Other"})
    elif what == "body":
        body += b"x"
    with pytest.raises(sigv4.Mismatch):
        check(request, body, SECRET + ("x" if what == "key" else ""))


@given(st.integers(min_value=0, max_value=63))
def test_another_digest_fails(place: int) -> None:
    request = signed(SigV4Auth, "ecr")
    start, digest = request.headers["authorization"].split("Signature=")
    other = "0" if digest[place] != "0" else "1"
    changed = f"{start}Signature={digest[:place]}{other}{digest[place + 1 :]}"
    with pytest.raises(sigv4.Mismatch):
        check(replace(request, headers={**request.headers, "authorization": changed}), b"")


@given(
    st.text(max_size=200)
    | st.builds(
        "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}".format,
        st.text(max_size=60) | st.just(f"{KEY}/20261102/us-west-2/ecr/aws4_request"),
        st.text(max_size=30) | st.just("host;x-amz-date"),
        st.text(max_size=70) | st.just("0" * 64),
    ),
    st.text(max_size=20) | st.just("20261102T090000Z"),
    st.text(max_size=60),
)
def test_no_header_crashes_the_parser(authorization: str, date: str, query: str) -> None:
    request = Request(
        "POST", "/", query, {"authorization": authorization, "x-amz-date": date, "host": HOST}
    )
    with pytest.raises(sigv4.SignatureError):
        check(request, b"")


@given(st.dictionaries(st.sampled_from(["Algorithm", "Credential", "Date", "Expires"]), words))
def test_no_query_crashes_the_parser(values: dict[str, str]) -> None:
    query = "&".join(f"X-Amz-{name}={quote(value)}" for name, value in values.items())
    with pytest.raises(sigv4.Malformed):
        sigv4.parse(Request("GET", "/", query + "&X-Amz-Signature=0", {"host": HOST}))


@pytest.mark.parametrize("minutes", [-15, 0, 15])
def test_a_clock_a_quarter_of_an_hour_off_is_accepted(minutes: int) -> None:
    check(signed(SigV4Auth, "ecr", at=NOW + timedelta(minutes=minutes)), b"")


def test_a_signature_of_an_hour_ago_has_expired_in_aws_words() -> None:
    with pytest.raises(sigv4.Skewed) as refused:
        check(signed(SigV4Auth, "ecr", at=NOW - timedelta(hours=1)), b"")
    assert str(refused.value) == (
        "Signature expired: 20261102T080000Z is now earlier than 20261102T084500Z "
        "(20261102T090000Z - 15 min.)"
    )


def test_a_signature_of_the_future_is_not_yet_current_in_aws_words() -> None:
    with pytest.raises(sigv4.Skewed) as refused:
        check(signed(SigV4Auth, "ecr", at=NOW + timedelta(hours=1)), b"")
    assert str(refused.value) == (
        "Signature not yet current: 20261102T100000Z is still later than 20261102T091500Z "
        "(20261102T090000Z + 15 min.)"
    )


def test_a_presigned_url_lives_as_long_as_it_says() -> None:
    request = signed(SigV4QueryAuth, "sts", "GET")
    check(request, b"", now=NOW + timedelta(minutes=59))
    with pytest.raises(sigv4.Expired):
        check(request, b"", now=NOW + timedelta(minutes=61))


def test_a_session_token_is_read_from_header_and_query() -> None:
    assert sigv4.parse(signed(SigV4Auth, "sts", token="tok/en+=")).session_token == "tok/en+="
    asked = signed(SigV4QueryAuth, "sts", "GET", token="tok/en+=")
    assert sigv4.parse(asked).session_token == "tok/en+="


def test_who_and_what_for_are_read() -> None:
    found = sigv4.parse(signed(SigV4Auth, "ecr"))
    assert (found.access_key_id, found.region, found.service) == (KEY, "us-west-2", "ecr")
    assert found.signed_at == NOW
