"""A request as it came over the wire -> what it asks, by the service's protocol.

What is read here is also all that moto is given (`Plain`): a request that could be read in two
ways, one for the decision and one for the deed, is refused. Protocols:
https://smithy.io/2.0/aws/protocols/index.html, Amazon S3's ways to name a bucket:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

from labs_helpers.sandbox.authorization import routes
from labs_helpers.sandbox.authorization.models import LISTED, model_of, prefix_of
from labs_helpers.sandbox.authorization.needed import Asked, Plain
from labs_helpers.sandbox.aws_errors import Refusal, not_implemented
from labs_helpers.sandbox.sigv4 import Request

FORM = "application/x-www-form-urlencoded"
_SIGNING = re.compile(
    r"X-Amz-(Algorithm|Credential|Date|Expires|Security-Token|Signature|Signed.*)"
)
_VIRTUAL = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9._-]*)\.)?s3(?:[.-]dualstack|-fips)?"
    r"(?:[.-](?P<region>[a-z0-9-]+))?"
    r"\.amazonaws\.com(?::\d+)?",
    re.ASCII,
)
_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?")


def read(request: Request, body: bytes, service: str) -> tuple[Asked, Plain]:
    """What a request to a service (a signing name in lower case) asks.

    Raises Refusal for what names no operation of a listed service, or names it in two ways.
    """
    if service == "s3":
        return _s3(request, body)
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
    model = model_of(service)
    if service in LISTED and (model is None or operation not in model.operation_names):
        raise Refusal("UnknownOperationException", "The requested operation is not known.")
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


def _form(request: Request, body: bytes, service: str) -> tuple[Asked, Plain]:
    """AWS Query and EC2: a form, in the body or (GET, presigned) in the query."""
    pairs = _pairs(request.query.encode("latin-1", "replace"))
    if request.method != "GET" and body:
        pairs += _pairs(body)
    given = [(name, value) for name, value in pairs if not _SIGNING.fullmatch(name)]
    flat = dict(given)
    if len(flat) != len(given):
        raise Refusal("MalformedQueryString", "A parameter is given more than once.")
    operation = flat.get("Action", "")
    model = model_of(service)
    known = operation.isidentifier() and (
        service not in LISTED or (model is not None and operation in model.operation_names)
    )
    if not known:
        said = operation[:80] if operation.isprintable() else ""
        words = f"The action {said} is not valid for this web service."
        raise Refusal("InvalidAction", words)
    asked = Asked(service, prefix_of(service), operation, nested(flat))
    plain = urlencode(given).encode()
    return asked, Plain(
        "POST", "/", "", plain, _host(request), f"{FORM}; charset=utf-8", _foreign(request)
    )


def _rest(request: Request, body: bytes, service: str) -> tuple[Asked, Plain]:
    """REST: method and path name the operation; path, query and a JSON body its parameters."""
    query = dict(_once(_pairs(request.query.encode("latin-1", "replace"))))
    found = routes.match(service, request.method, request.path, query, request.headers)
    host, kind = _host(request), request.headers.get("content-type", "")
    if service not in LISTED:
        operation = found[0] if found else request.method
        asked = Asked(service, prefix_of(service), operation)
        drop = frozenset({"action"})
        plain = Plain(request.method, request.path, request.query, _no_form(body), host, kind, drop)
        return asked, plain
    if found is None:
        said = f"{request.method} {request.path[:120]}"
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


def _s3(request: Request, body: bytes) -> tuple[Asked, Plain]:
    """Amazon S3: bucket and key of the path, or the bucket of the host name."""
    bucket, key, host = _place(request)
    path = (
        "/" + quote(bucket, safe="") + ("/" + quote(key, safe="/~") if key else "")
        if bucket
        else "/"
    )
    pairs = [
        (name, value)
        for name, value in _once(_pairs(request.query.encode("latin-1", "replace")))
        if not _SIGNING.fullmatch(name)
    ]
    query = dict(pairs)
    words = [word for word in query if word in routes.literals("s3") - {"x-id", "list-type"}]
    words += ["uploadId"] if "uploadId" in query else []
    if len(set(words) - {"select-type"}) > 1:
        said = f"Conflicting query string parameters: {', '.join(sorted(words)[:4])}"
        raise Refusal("InvalidArgument", said, messages={})
    found = routes.match("s3", request.method, path, query, request.headers)
    if found is None:
        raise not_implemented(f"the operation s3: {request.method} {path[:120]}")
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.startswith("x-amz-") and name not in ("x-amz-date", "x-amz-security-token")
    }
    params: dict[str, Any] = {**headers, **query, "Bucket": bucket, "Key": key}
    if found[0] == "DeleteObjects":
        params["keys"] = _keys_of(body)
    kind = request.headers.get("content-type", "")
    if kind.startswith((FORM, "multipart/")):
        kind = "binary/octet-stream"  # a body is the object, never a form
    asked = Asked("s3", "s3", found[0], params)
    return asked, Plain(request.method, path, urlencode(pairs, quote_via=quote), body, host, kind)


def _place(request: Request) -> tuple[str, str, str]:
    """(bucket, key, the host to go on with); an empty bucket for the list of them."""
    host = request.headers.get("host", "").lower()
    path = unquote_to_bytes(request.path.encode("latin-1", "replace"))
    try:
        text = path.decode().removeprefix("/")
    except UnicodeDecodeError:
        raise Refusal("InvalidURI", "Couldn't parse the specified URI.") from None
    named = None if _LOOPBACK.fullmatch(host) else _VIRTUAL.fullmatch(host)
    if named is None and not _LOOPBACK.fullmatch(host):
        raise not_implemented(f"the host name {host[:80]} for Amazon S3")
    if named is not None:
        host = "s3.amazonaws.com"
        if named["bucket"]:
            return named["bucket"], text, host
    bucket, _, key = text.partition("/")
    if "/" in bucket or (key and not bucket):
        raise Refusal("InvalidBucketName", "The specified bucket is not valid.")
    return bucket, key, host


def _keys_of(body: bytes) -> list[str]:
    """The keys that DeleteObjects names."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        words = "The XML you provided was not well-formed or did not validate against our schema"
        raise Refusal("MalformedXML", words) from None
    return [text.text or "" for text in root.iter() if text.tag.rpartition("}")[2] == "Key"]


def nested(flat: Mapping[str, str]) -> dict[str, Any]:
    """`Tags.member.1.Key` as lists and dictionaries; without `member`, as EC2 writes, too."""
    tree: dict[str, Any] = {}
    for name, value in sorted(flat.items(), key=lambda item: item[0].count(".")):
        steps = [step for step in name.split(".") if step not in ("member", "entry")]
        place = tree
        for step in steps[:-1]:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = place[step] = {}
            place = inner
        if steps:
            place[steps[-1]] = value
    found = _listed(tree)
    return found if isinstance(found, dict) else {}


def _listed(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree and all(step.isascii() and step.isdigit() for step in tree):
        return [_listed(tree[step]) for step in sorted(tree, key=int)]
    return {step: _listed(value) for step, value in tree.items()}


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


def _pairs(data: bytes) -> list[tuple[str, str]]:
    try:
        text = data.decode()
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=10_000)
    except ValueError:
        raise Refusal("MalformedQueryString", "The query string is malformed.") from None


def _once(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(dict(pairs)) != len(pairs):
        raise Refusal("InvalidArgument", "A query parameter is given more than once.")
    return pairs


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
