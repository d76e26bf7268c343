"""Requests of Amazon S3: bucket and key of the path or of the host name, and sub-resources.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlencode, urlsplit

from labs_helpers.sandbox.authorization import models, s3_documents
from labs_helpers.sandbox.authorization.query import FORM, SIGNING, once, pairs
from labs_helpers.sandbox.authorization.s3_copies import BUCKET, HEADER, source
from labs_helpers.sandbox.authorization.terms import ApiRequest, CanonicalRequest
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


def read(request: Request, body: bytes) -> tuple[ApiRequest, CanonicalRequest]:
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
    moved = dict(_moved(given, request.headers))
    given = [(name, value) for name, value in given if name.lower() not in moved]
    query, sent = dict(given), {**request.headers, **moved}
    operation = _operation(request.method, path, query, sent)
    _check_values(query)
    headers = {
        name: value
        for name, value in sent.items()
        if name.startswith("x-amz-") and name not in _OF_SIGNATURE
    }
    params: dict[str, Any] = {**headers, **query, "Bucket": bucket, "Key": key}
    if operation in ("CopyObject", "UploadPartCopy"):
        copied = source(sent[HEADER])
        params |= {"source": copied, HEADER: f"{copied.bucket}/{copied.key}"}
        moved[HEADER] = copied.header
    if operation == "DeleteObjects":
        params["objects"], body = s3_documents.deletions(body)
    elif operation == "PutBucketReplication":
        params["Role"] = s3_documents.roles(body)
    elif request.method not in ("PUT", "POST"):
        body = b""  # moto looks for parameters in a body too
    else:
        s3_documents.check(operation, body)
    if operation == "CreateBucket":
        s3_documents.check_name(bucket)
    kind = request.headers.get("content-type", "")
    if kind.startswith((FORM, "multipart/")):
        kind = "binary/octet-stream"  # a body is the object, never a form
    handed = urlencode(given, quote_via=quote)
    plain = CanonicalRequest(request.method, path, handed, body, host, kind, headers=moved)
    return ApiRequest("s3", "s3", operation, params), plain


_OF_SIGNATURE = ("x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
"""Headers about the signature, which no parameter of a query stands for."""


def _moved(given: list[tuple[str, str]], headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The headers that a presigned URL has in its query, `x-amz-acl` and the like.

    Raises Refusal for a name that is there twice: S3 reads the two as one header.
    """
    names = set()
    for name, value in given:
        lower = name.lower()
        if not lower.startswith("x-amz-") or lower in _OF_SIGNATURE:
            continue
        if lower in names or headers.get(lower, value) != value:
            raise _invalid(f"The parameter {lower[:80]} is given in two ways.")
        if not value.isprintable() or not value.isascii():
            raise _invalid(f"The parameter {lower[:80]} is no value of a header.")
        names.add(lower)
        yield lower, value


def _operation(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The operation; every word of the query that names a sub-resource must be its own."""
    words = {word for word in query if word in models.literals("s3") - {"x-id", "list-type"}}
    words |= {"uploadId"} & set(query)
    if len(words - {"select-type"}) > 1:
        said = f"Conflicting query string parameters: {', '.join(sorted(words)[:4])}"
        raise _invalid(said)
    found = models.match("s3", method, path, query, headers)
    if found is None or words - models.marks("s3", found[0]):
        raise not_implemented(f"the operation s3: {method} {path[:120]}?{'&'.join(sorted(words))}")
    return found[0]


def _check_values(query: Mapping[str, str]) -> None:
    """Refuse an empty value that moto takes for a parameter that is not there."""
    if query.get("versionId") == "":
        raise _invalid("Version id cannot be the empty string")
    if query.get("uploadId") == "":
        raise no_upload()


def no_upload() -> Refusal:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    words = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may "
        "have been aborted or completed."
    )
    return Refusal("NoSuchUpload", words, 404)


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
    if (key or bucket) and not BUCKET.fullmatch(bucket):
        raise Refusal("InvalidBucketName", "The specified bucket is not valid.")
    if bucket == _S3_CONTROL:
        raise not_implemented("Amazon S3 Control")
    return bucket, key, host


def object_of_url(url: str) -> tuple[str, str] | None:
    """(bucket, key) of the URL of an S3 object, as in CloudFormation's TemplateURL; else None."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = parts.netloc.lower()
    named = _VIRTUAL.fullmatch(host)
    place = unquote(parts.path).removeprefix("/")
    if named is not None and named["bucket"]:
        place = f"{named['bucket']}/{place}"
    bucket, _, key = place.partition("/")
    here = named is not None or _LOOPBACK.fullmatch(host)
    web = parts.scheme in ("http", "https") and not parts.query and not parts.fragment
    return (bucket, key) if here and web and key and BUCKET.fullmatch(bucket) else None


def _invalid(words: str) -> Refusal:
    return Refusal("InvalidArgument", words)
