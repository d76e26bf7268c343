"""Each open operation has one reading: what is decided on is all that moto is handed.

A request is sent as an SDK would send it, with each string "dev"; then somebody spells "prod" into
it a second time. The request is refused, or moto is handed exactly the parameters that were decided
on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import pytest

from labs_helpers.sandbox.authorization import actions
from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.authorization.query import nested
from labs_helpers.sandbox.authorization.requests import read
from labs_helpers.sandbox.authorization.terms import ApiRequest, CanonicalRequest
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.refusal import Refusal
from labs_helpers.sandbox.sigv4 import Request
from tests.sandbox.authorization.open_calls import open_operations, request_of
from tests.sandbox.authorization.people_here import ACCOUNT, Nobody

DEV = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/dev", "AIDADEV", "AKIADEV")

Sent = tuple[Request, bytes]

OPEN = [(service, name) for service, name in open_operations() if service != "s3"]
"""Amazon S3 has no parameters in its body: test_s3_requests.py is about its ways to name things."""


def is_form(sent: Sent) -> bool:
    return "x-www-form-urlencoded" in sent[0].headers.get("content-type", "")


def is_json(sent: Sent) -> bool:
    return "x-amz-target" in sent[0].headers


def as_it_is(sent: Sent) -> Sent:
    return sent


def twice_in_the_body(sent: Sent) -> Sent:
    """Each parameter of a form a second time; each key of JSON a second time, after the first."""
    request, body = sent
    if is_form(sent):
        return request, body + b"&" + body.replace(b"dev", b"prod")
    if body.startswith(b"{") and len(body) > 2:
        return request, body[:-1] + b"," + body.replace(b"dev", b"prod")[1:]
    return sent


def in_the_query_too(sent: Sent) -> Sent:
    request, body = sent
    more = body.decode() if is_form(sent) else "&".join(
        f"{name}=prod" for name in (json.loads(body) if body.startswith(b"{") else {})
    )  # fmt: skip
    query = "&".join(filter(None, [request.query, more.replace("dev", "prod")]))
    return replace(request, query=query), body


def in_another_case(sent: Sent) -> Sent:
    """Each parameter again, in small letters and in capitals."""
    request, body = sent
    if is_form(sent):
        pairs = [pair.partition(b"=") for pair in body.split(b"&")]
        more = [name.swapcase() + b"=prod" for name, _, value in pairs if value == b"dev"]
        return request, b"&".join([body, *more])
    if not body.startswith(b"{"):
        return sent
    given = json.loads(body)
    more_of = {name.swapcase(): "prod" for name, value in given.items() if value == "dev"}
    return request, json.dumps({**given, **more_of}).encode()


def as_a_list_of_one(sent: Sent) -> Sent:
    """Each parameter of a form again as a member of a list, and as a structure."""
    request, body = sent
    if not is_form(sent):
        return sent
    pairs = [pair.partition(b"=") for pair in body.split(b"&")]
    more = [
        name + end + b"=prod"
        for name, _, value in pairs
        if value == b"dev"
        for end in (b".1", b".member.1", b".Value")
    ]
    return request, b"&".join([body, *more])


def with_odd_headers(sent: Sent) -> Sent:
    request, body = sent
    odd = {
        "x-http-method-override": "DELETE",
        "x-moto-account-id": "210987654321",
        "x-forwarded-host": "prod",
        "x-original-url": "/prod",
        "x-rewrite-url": "/prod",
        "content-encoding": "identity",
        "transfer-encoding": "identity",
        "x-amz-content-sha256": "prod",
    }
    return replace(request, headers={**odd, **request.headers}), body


def under_another_target(sent: Sent) -> Sent:
    """The target of JSON on a form; a form's type on JSON."""
    request, body = sent
    if is_json(sent):
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return replace(request, headers={**request.headers, **kind}), body
    target = {"x-amz-target": "Other_20200101.DeleteEverything"}
    return replace(request, headers={**request.headers, **target}), body


def with_an_encoded_path(sent: Sent) -> Sent:
    request, body = sent
    return replace(request, path=request.path.replace("dev", "%64ev")), body


def with_a_longer_path(sent: Sent) -> Sent:
    request, body = sent
    return replace(request, path=request.path.rstrip("/") + "/..%2fprod"), body


SPELLINGS: list[Callable[[Sent], Sent]] = [
    as_it_is,
    twice_in_the_body,
    in_the_query_too,
    in_another_case,
    as_a_list_of_one,
    with_odd_headers,
    under_another_target,
    with_an_encoded_path,
    with_a_longer_path,
]


@pytest.mark.parametrize("spelled", SPELLINGS, ids=[each.__name__ for each in SPELLINGS])
def test_what_is_decided_on_is_what_moto_is_handed(spelled: Callable[[Sent], Sent]) -> None:
    """Reported as D2."""
    differ = []
    for service, name in OPEN:
        request, body = spelled(request_of(service, name, text="dev"))
        try:
            asked, plain = read(request, body, service)
        except Refusal:
            assert spelled is not as_it_is, f"{service}:{name} is refused as an SDK sends it"
            continue
        # a path with one part more is the path of another operation
        same = asked.operation == name or spelled is with_a_longer_path
        if same and dict(asked.params) == handed(asked, plain):
            continue
        differ.append(f"{service}:{asked.operation} for {name}")
    assert differ == []


@pytest.mark.parametrize("spelled", SPELLINGS[1:], ids=[each.__name__ for each in SPELLINGS[1:]])
def test_no_header_that_was_not_read_reaches_moto(spelled: Callable[[Sent], Sent]) -> None:
    left = []
    for service, name in OPEN:
        request, body = spelled(request_of(service, name, text="dev"))
        try:
            _, plain = read(request, body, service)
        except Refusal:
            continue
        kept = {*request.headers} - plain.drop
        left += [(service, name, each) for each in sorted(kept & UNREAD)]
    assert left == []


UNREAD = {
    "x-http-method-override",
    "x-moto-account-id",
    "x-forwarded-host",
    "x-original-url",
    "x-rewrite-url",
}


def handed(asked: ApiRequest, plain: CanonicalRequest) -> dict[str, Any]:
    """The parameters that moto is handed; an AssertionError where a name is there twice."""
    query = once(parse_qsl(plain.query, keep_blank_values=True))
    if "x-www-form-urlencoded" in plain.content_type:
        assert not query, plain.query
        return nested(once(parse_qsl(plain.body.decode(), keep_blank_values=True)))
    inside = json.loads(plain.body or b"{}", object_pairs_hook=once)
    labels = dict(labels_of(asked, plain.path))
    assert not {*labels} & ({*inside} | {*query}), asked
    return {**inside, **query, **labels}


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), pairs
    return dict(pairs)


def labels_of(asked: ApiRequest, path: str) -> Iterator[tuple[str, str]]:
    """The values that a path has where the model has a label."""
    model = model_of(asked.service)
    assert model is not None
    form = model.operation_model(asked.operation).http.get("requestUri", "/").partition("?")[0]
    for part, said in zip(form.strip("/").split("/"), path.strip("/").split("/"), strict=False):
        if part.startswith("{"):
            yield part.strip("{}+"), unquote(said)


def test_a_segment_of_a_path_is_decoded_once() -> None:
    request, body = request_of("eks", "DescribeCluster", {"name": "dev"})
    double = replace(request, path=request.path.replace("dev", quote("%64ev", safe="")))
    asked, plain = read(double, body, "eks")
    assert (asked.params["name"], plain.path) == ("%64ev", double.path)


def test_a_name_with_a_slash_is_no_name_in_a_path() -> None:
    """moto takes the path apart after decoding, and would find another operation."""
    request, body = request_of("eks", "DescribeCluster", {"name": "dev"})
    longer = replace(request, path=request.path.replace("dev", "dev%2Fnode-groups%2Fprod"))
    asked, _ = read(longer, body, "eks")
    with pytest.raises(Refusal, match="is no name of a resource of eks"):
        actions.needed(asked, DEV, "us-west-2", Nobody())
