"""The source of a copy in Amazon S3, from the header x-amz-copy-source.

The header is read once, here; moto is handed what was understood, spelled in one way. Definition:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_RequestSyntax
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

HEADER = "x-amz-copy-source"
LONGEST_KEY = 1024
"""Bytes of a key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""

BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)
"""The characters of a bucket's name, those of before 2018 in us-east-1 too.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class CopySource:
    """An object to copy; version: its id, None for the current one."""

    bucket: str
    key: str
    version: str | None = None

    @property
    def header(self) -> str:
        """The header's value in its one canonical spelling, all in ASCII."""
        version = "" if self.version is None else f"?versionId={quote(self.version, safe='')}"
        return f"/{quote(self.bucket, safe='')}/{quote(self.key, safe='/')}{version}"


def source(header: str) -> CopySource:
    """What the header names: `bucket/key`, percent-encoded, `?versionId=` after it or not.

    A slash may stand before the bucket, and a plus sign is a space, as in a form
    (https://github.com/aws/aws-sdk-js/issues/1821). Raises Refusal in S3's words.
    """
    path, mark, query = header.encode("latin-1", "replace").partition(b"?")
    place = _decoded(path.replace(b"+", b" ")).removeprefix("/")
    if place.startswith("arn:"):
        raise not_implemented("a copy from an access point of Amazon S3")
    bucket, slash, key = place.partition("/")
    if not slash:
        raise _invalid("Invalid copy source object key")
    if not BUCKET.fullmatch(bucket):
        raise _invalid("Invalid copy source bucket name")
    if not key or len(key.encode()) > LONGEST_KEY:
        raise _invalid("Invalid copy source object key")
    return CopySource(bucket, key, _version(query) if mark else None)


def _decoded(text: bytes) -> str:
    if _ESCAPE.search(text):
        raise _invalid("Invalid copy source encoding")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise _invalid("Invalid copy source encoding") from None


def _version(query: bytes) -> str:
    """The version id, which is all that a source's query may have, and once."""
    pairs = parse_qsl(_decoded(query.replace(b"%", b"%25")), keep_blank_values=True)
    if len(pairs) != 1 or pairs[0][0] != "versionId":
        raise _invalid("Invalid copy source object key")
    if not pairs[0][1]:
        raise _invalid("Version id cannot be the empty string")
    return pairs[0][1]


def _invalid(words: str) -> Refusal:
    return Refusal("InvalidArgument", words)
