"""Requests of Amazon S3: bucket and key of the path or of the host name, and sub-resources.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlencode, urlsplit

from labs_helpers.sandbox.authorization import routes
from labs_helpers.sandbox.authorization.needed import Asked, Plain
from labs_helpers.sandbox.authorization.pairs import FORM, SIGNING, once, pairs
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal
from labs_helpers.sandbox.sigv4 import Request

_VIRTUAL = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9._-]*)\.)?s3(?:[.-]dualstack|-fips)?"
    r"(?:[.-](?P<region>[a-z0-9-]+))?"
    r"\.amazonaws\.com(?::\d+)?",
    re.ASCII,
)
_S3_CONTROL = "v20180820"
"""How the paths of another service begin, which is signed as S3."""

_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?")


def read(request: Request, body: bytes) -> tuple[Asked, Plain]:
    """Amazon S3: bucket and key of the path, or the bucket of the host name."""
    bucket, key, host = _place(request)
    path = "/" + quote(bucket, safe="")
    if key:
        path += "/" + quote(key, safe="/~")
    given = [
        (name, value)
        for name, value in once(pairs(request.query.encode("latin-1", "replace")))
        if not SIGNING.fullmatch(name)
    ]
    query = dict(given)
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
    return asked, Plain(request.method, path, urlencode(given, quote_via=quote), body, host, kind)


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
        if named["bucket"] and named["bucket"] != _S3_CONTROL:
            return named["bucket"], text, host
    bucket, _, key = text.partition("/")
    if key and not bucket:
        raise Refusal("InvalidBucketName", "The specified bucket is not valid.")
    if bucket == _S3_CONTROL:
        raise not_implemented("Amazon S3 Control")
    return bucket, key, host


def object_of_url(url: str) -> tuple[str, str]:
    """(bucket, key) of an S3 object's URL, as CloudFormation's TemplateURL has it.

    Raises Refusal (ValidationError) for any other URL.
    """
    parts = urlsplit(url)
    host = parts.netloc.lower()
    named = _VIRTUAL.fullmatch(host)
    place = unquote(parts.path, errors="strict").removeprefix("/")
    if named is not None and named["bucket"]:
        place = f"{named['bucket']}/{place}"
    bucket, _, key = place.partition("/")
    here = named is not None or _LOOPBACK.fullmatch(host)
    web = parts.scheme in ("http", "https") and not parts.query and not parts.fragment
    if not (here and web and bucket and key):
        words = "TemplateURL must reference a valid S3 object to which you have access."
        raise Refusal("ValidationError", words)
    return bucket, key


def _keys_of(body: bytes) -> list[str]:
    """The keys that DeleteObjects names."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        words = "The XML you provided was not well-formed or did not validate against our schema"
        raise Refusal("MalformedXML", words) from None
    return [text.text or "" for text in root.iter() if text.tag.rpartition("}")[2] == "Key"]
