"""Requests: a request as it came over the wire -> the operation and its parameters -> a decision.

What is read here is also all that moto is given (`CanonicalRequest`): a request that could be read
in two ways, once for the decision and once for the effect, is refused. Protocols:
https://smithy.io/2.0/aws/protocols/index.html, Amazon S3's ways to name a bucket:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html

Why moto's own parser (moto/core/parse.py, moto 5.2.5) does not decide: it was tried on 2026-11-28
for Query and EC2 forms. The parser drops in silence what it cannot place (a parameter given twice,
a list that begins at 3), so that a request with two readings would pass. It names parameters as
botocore does (InstanceIds), so that every row of forms.py would change. To import it took 1.2 to
2.3 seconds. It would save `nested` of query.py and `_members` below.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn
from urllib.parse import urlencode

from labs_helpers.sandbox.authorization import (
    actions,
    context,
    models,
    places,
    s3_requests,
)
from labs_helpers.sandbox.authorization.authorizer import Authorizer, Denied
from labs_helpers.sandbox.authorization.models import LISTED, model_of, prefix_of
from labs_helpers.sandbox.authorization.query import FORM, SIGNING, nested, once, pairs
from labs_helpers.sandbox.authorization.terms import ApiRequest, CanonicalRequest
from labs_helpers.sandbox.call import SignedCall
from labs_helpers.sandbox.iam import sts
from labs_helpers.sandbox.request_log import OPERATION
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Protocol, Refusal
from labs_helpers.sandbox.sigv4 import Request


def read(request: Request, body: bytes, service: str) -> tuple[ApiRequest, CanonicalRequest]:
    """What a request to a service (a signing name in lower case) asks.

    Raises Refusal for what names no operation of a listed service, or names it in two ways.
    """
    if service == "s3":
        return s3_requests.read(request, body)
    if request.headers.get("smithy-protocol") or request.path.startswith("/service/"):
        raise not_implemented(f"the protocol of this call of {service}")
    speak = _protocol(request, service)
    return speak(request, body, service)


def _protocol(request: Request, service: str) -> Callable[..., tuple[ApiRequest, CanonicalRequest]]:
    """How to read a request, as the service's model says."""
    model = model_of(service)
    if model is None:
        raise not_implemented(f"the service '{service}'")
    protocols = {*model.metadata.get("protocols", ()), model.metadata.get("protocol", "")}
    if "json" in protocols and "x-amz-target" in request.headers:
        return _json
    # Amazon SQS spoke Query before JSON, and older clients do so still
    if protocols & {"query", "ec2"} or "awsQueryCompatible" in model.metadata:
        return _form
    return _json if "json" in protocols else _rest


def _json(request: Request, body: bytes, service: str) -> tuple[ApiRequest, CanonicalRequest]:
    """AWS JSON: the operation is in X-Amz-Target, its parameters are the body."""
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if not _is_known(service, operation):
        raise _unknown(service, operation)
    params = _object(body)
    # another operation's parameter must not decide what this one is on, nor reach moto
    own = _members(service, operation)["body"]
    params = {name: value for name, value in params.items() if name in own}
    # as JSON, an ampersand can be written so that nobody mistakes the body for a form
    plain = json.dumps(params).replace("&", "\\u0026").encode()
    kind = request.headers.get("content-type", "")
    kind = kind if kind.startswith("application/x-amz-json-1.") else "application/x-amz-json-1.1"
    asked = ApiRequest(service, prefix_of(service), operation, params)
    drop = _foreign(request) - {"x-amz-target"}
    return asked, CanonicalRequest("POST", "/", "", plain, _host(request), kind, drop)


def _is_known(service: str, operation: str) -> bool:
    """Whether the model has the operation, so that the operation has one name only."""
    model = model_of(service)
    return model is not None and operation in model.operation_names


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


def _form(request: Request, body: bytes, service: str) -> tuple[ApiRequest, CanonicalRequest]:
    """AWS Query and EC2: a form, in the body or (GET, presigned) in the query."""
    listed = pairs(request.query.encode("latin-1", "replace"))
    if request.method != "GET" and body:
        listed += pairs(body)
    given = once([(name, value) for name, value in listed if not SIGNING.fullmatch(name)])
    flat = dict(given)
    operation = flat.get("Action", "")
    if not _is_known(service, operation):
        raise _unknown(service, operation)
    is_own = _form_names(service, operation)
    given = [(name, value) for name, value in given if is_own(name.partition(".")[0])]
    asked = ApiRequest(service, prefix_of(service), operation, nested(dict(given)))
    plain = urlencode(given).encode()
    return asked, CanonicalRequest(
        "POST", "/", "", plain, _host(request), f"{FORM}; charset=utf-8", _foreign(request)
    )


def _rest(request: Request, body: bytes, service: str) -> tuple[ApiRequest, CanonicalRequest]:
    """REST: method and path name the operation; path, query and a JSON body its parameters."""
    query = dict(once(pairs(request.query.encode("latin-1", "replace"))))
    found = models.match(service, request.method, request.path, query, request.headers)
    host, kind = _host(request), request.headers.get("content-type", "")
    said = f"{request.method} {request.path[:120]}"
    if found is None:
        raise not_implemented(f"the operation {service}: {said}")
    operation, labels = found
    members = _members(service, operation)
    document = _object(body)
    inside = {name: document[name] for name in members["body"] if name in document}
    asked_for = {name: query[name] for name in members["querystring"] if name in query}
    params = {**inside, **asked_for, **labels}
    # a parameter of the path must not come again in the query or body, where moto looks first
    plain = CanonicalRequest(
        request.method,
        request.path,
        urlencode(asked_for),
        json.dumps(inside).replace("&", "\\u0026").encode() if inside or body else b"",
        host,
        "application/json" if body else kind,
        _foreign(request),
    )
    return ApiRequest(service, prefix_of(service), operation, params), plain


def _form_names(service: str, operation: str) -> Callable[[str], bool]:
    """Whether a name begins one of the operation's own parameters; AWS ignores any other.

    EC2 writes a capital first letter, and a flattened list has the name of its members:
    https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html. Amazon SQS's model is of AWS
    JSON and does not have the names of the older form, so there every name counts.
    """
    model = model_of(service)
    if model is None or "awsQueryCompatible" in model.metadata:
        return lambda name: True
    shape = model.operation_model(operation).input_shape
    names = {"Action", "Version"}
    for name, member in (shape.members if shape else {}).items():
        own = member.serialization.get("name", name)
        names |= {own, own[:1].upper() + own[1:], member.serialization.get("queryName", own)}
        if member.type_name == "list" and member.serialization.get("flattened"):
            names.add(member.member.serialization.get("name", own))
    return names.__contains__


def _members(service: str, operation: str) -> dict[str, list[str]]:
    """Names on the wire of an operation's members, by where they go."""
    places: dict[str, list[str]] = {"body": [], "querystring": [], "uri": [], "header": []}
    model = model_of(service)
    shape = model.operation_model(operation).input_shape if model else None
    for name, member in (shape.members if shape else {}).items():
        place = member.serialization.get("location", "body")
        places.setdefault(place, []).append(member.serialization.get("name", name))
    return places


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises Refusal, also for NaN and for half of a surrogate pair.

    Python takes both, and no database, no other program and no client of AWS does.
    """
    try:
        document = json.loads(body or b"{}", parse_constant=_refuse_constant)
        if b"\\u" in body:
            json.dumps(document, ensure_ascii=False).encode()
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


def decide(authorizer: Authorizer, call: SignedCall) -> tuple[ApiRequest, CanonicalRequest]:
    """What is asked, and the request to hand on; raises Refusal when it may not be."""
    principal, service, region = call.principal, call.service, call.region
    asked, plain = read(call.request, call.body, service)
    directory = authorizer.directory
    call.environ[OPERATION] = f"{service}:{asked.operation}"
    action = f"{asked.prefix}:{asked.operation}"
    if asked.service in ("iam", "sts") and (no := directory.refusal(principal, action)):
        raise no
    role = asked.params.get("RoleArn")
    if (asked.service, asked.operation) == ("sts", "AssumeRole") and role:
        sts.check_role_arn(str(role))
    needed = actions.needed(asked, principal, region, directory, authorizer.known)
    places.check_regions(needed, region)
    try:
        authorizer.check(principal, needed, context.of_request(call.environ, region))
    except Denied as denied:
        raise aws_errors.denied(str(denied)) from denied
    if asked.service == "s3" and (upload := asked.params.get("uploadId")):
        # moto finds an upload by its id, whatever key the request has
        key = authorizer.known.key_of_upload(asked.params["Bucket"], str(upload))
        if key not in (None, asked.params["Key"]):
            raise s3_requests.no_upload()
    return asked, replace(plain, account=places.account(asked, needed, principal.account))
