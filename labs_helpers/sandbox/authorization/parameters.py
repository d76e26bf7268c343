"""A request as it came over the wire -> what it asks, by the service's protocol.

What is read here is also all that moto is given (`Plain`): a request that could be read in two
ways, one for the decision and one for the deed, is refused. Protocols:
https://smithy.io/2.0/aws/protocols/index.html, Amazon S3's ways to name a bucket:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from labs_helpers.sandbox.authorization import routes, s3_requests
from labs_helpers.sandbox.authorization.models import LISTED, model_of, prefix_of
from labs_helpers.sandbox.authorization.needed import Asked, Plain
from labs_helpers.sandbox.authorization.pairs import FORM, SIGNING, nested, once, pairs
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Protocol, Refusal
from labs_helpers.sandbox.sigv4 import Request

_SEVERAL = ("elasticloadbalancing",)
"""Signing names under which botocore has more than one service."""


def read(request: Request, body: bytes, service: str) -> tuple[Asked, Plain]:
    """What a request to a service (a signing name in lower case) asks.

    Raises Refusal for what names no operation of a listed service, or names it in two ways.
    """
    if service == "s3":
        return s3_requests.read(request, body)
    if request.headers.get("smithy-protocol") or request.path.startswith("/service/"):
        raise not_implemented(f"the protocol of this call of {service}")
    speak = _protocol(request, service)
    return speak(request, body, service)


def _protocol(request: Request, service: str) -> Callable[..., tuple[Asked, Plain]]:
    """How to read a request: of a listed service as its model says, else as it looks."""
    if service in LISTED:
        model = model_of(service)
        metadata = model.metadata if model else {}
        protocols = {*metadata.get("protocols", ()), metadata.get("protocol", "")}
        if protocols & {"query", "ec2"}:
            return _form
        return _json if "json" in protocols else _rest
    if "x-amz-target" in request.headers:
        return _json
    form = request.headers.get("content-type", "").startswith(FORM)
    return _form if form or "Action=" in request.query else _rest


def _json(request: Request, body: bytes, service: str) -> tuple[Asked, Plain]:
    """AWS JSON: the operation is in X-Amz-Target, its parameters are the body."""
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if not _is_known(service, operation):
        raise _unknown(service, operation)
    try:
        params = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise Refusal("SerializationException", "The request body is not valid JSON")
    # as JSON, an ampersand can be written so that nobody mistakes the body for a form
    plain = json.dumps(params).replace("&", "\\u0026").encode()
    kind = request.headers.get("content-type", "")
    kind = kind if kind.startswith("application/x-amz-json-1.") else "application/x-amz-json-1.1"
    asked = Asked(service, prefix_of(service), operation, params)
    drop = _foreign(request) - {"x-amz-target"}
    return asked, Plain("POST", "/", "", plain, _host(request), kind, drop)


def _is_known(service: str, operation: str) -> bool:
    """Whether the model has the operation, so that it has one name only; moto knows more."""
    model = model_of(service)
    if model is None or service in _SEVERAL:
        return operation.isalnum() and operation.isascii()
    return operation in model.operation_names


def _unknown(service: str, operation: str) -> Refusal:
    said = operation[:80] if operation.isprintable() else ""
    if service not in LISTED:
        return not_implemented(f"the operation {service}:{said}")
    form = f"The action {said} is not valid for this web service."
    return Refusal(
        "UnknownOperationException",
        "The requested operation is not known.",
        codes={Protocol.QUERY: "InvalidAction", Protocol.EC2: "InvalidAction"},
        messages={Protocol.QUERY: form, Protocol.EC2: form},
    )


def _form(request: Request, body: bytes, service: str) -> tuple[Asked, Plain]:
    """AWS Query and EC2: a form, in the body or (GET, presigned) in the query."""
    listed = pairs(request.query.encode("latin-1", "replace"))
    if request.method != "GET" and body:
        listed += pairs(body)
    given = once([(name, value) for name, value in listed if not SIGNING.fullmatch(name)])
    flat = dict(given)
    operation = flat.get("Action", "")
    if not _is_known(service, operation):
        raise _unknown(service, operation)
    # of a service that is not listed the names stay as they are, for sandbox/moto/table.py
    params = nested(flat) if service in LISTED else flat
    asked = Asked(service, prefix_of(service), operation, params)
    plain = urlencode(given).encode()
    return asked, Plain(
        "POST", "/", "", plain, _host(request), f"{FORM}; charset=utf-8", _foreign(request)
    )


def _rest(request: Request, body: bytes, service: str) -> tuple[Asked, Plain]:
    """REST: method and path name the operation; path, query and a JSON body its parameters."""
    query = dict(once(pairs(request.query.encode("latin-1", "replace"))))
    found = routes.match(service, request.method, request.path, query, request.headers)
    host, kind = _host(request), request.headers.get("content-type", "")
    said = f"{request.method} {request.path[:120]}"
    if service not in LISTED:
        operation = found[0] if found else request.method
        if service == "apigateway":
            operation = request.method  # its actions are the methods of HTTP
        elif found is None and model_of(service) is not None:
            raise not_implemented(f"the operation {service}: {said}")
        asked = Asked(service, prefix_of(service), operation)
        drop = frozenset({"action"})
        plain = Plain(request.method, request.path, request.query, _no_form(body), host, kind, drop)
        return asked, plain
    if found is None:
        raise not_implemented(f"the operation {service}: {said}")
    operation, labels = found
    members = _members(service, operation)
    document = _object(body)
    inside = {name: document[name] for name in members["body"] if name in document}
    asked_for = {name: query[name] for name in members["querystring"] if name in query}
    params = {**inside, **asked_for, **labels}
    # a parameter of the path must not come again in the query or body, where moto looks first
    plain = Plain(
        request.method,
        request.path,
        urlencode(asked_for),
        json.dumps(inside).replace("&", "\\u0026").encode() if inside or body else b"",
        host,
        "application/json" if body else kind,
        _foreign(request),
    )
    return Asked(service, prefix_of(service), operation, params), plain


def _members(service: str, operation: str) -> dict[str, list[str]]:
    """Names on the wire of an operation's members, by where they go."""
    places: dict[str, list[str]] = {"body": [], "querystring": [], "uri": [], "header": []}
    model = model_of(service)
    shape = model.operation_model(operation).input_shape if model else None
    for name, member in (shape.members if shape else {}).items():
        place = member.serialization.get("location", "body")
        places.setdefault(place, []).append(member.serialization.get("name", name))
    return places


def _no_form(body: bytes) -> bytes:
    """A JSON body in which nobody can find a form; any other as it is."""
    try:
        return json.dumps(json.loads(body)).replace("&", "\\u0026").encode()
    except (ValueError, RecursionError):
        return body


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Refusal("SerializationException", "The request body is not valid JSON")
    return document


_PASSED = {
    "host",
    "authorization",
    "user-agent",
    "content-type",
    "content-length",
    "accept",
    "accept-encoding",
    "date",
    "referer",
}


def _foreign(request: Request) -> frozenset[str]:
    """Headers that mean nothing in the protocols without parameters in headers."""
    return frozenset(
        name
        for name in request.headers
        if name not in _PASSED and (not name.startswith("x-amz-") or name == "x-amz-target")
    )


def _host(request: Request) -> str:
    return request.headers.get("host", "")
