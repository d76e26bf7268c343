"""AWS Signature Version 4, read from a request and verified.

Both forms, in the Authorization header and in the query string (presigned URLs). Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and,
for Amazon S3, https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from labs_helpers.sandbox import canonical_request

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
WINDOW = timedelta(minutes=15)
LONGEST_PRESIGNED = 604800
"""Seconds; https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""

_STAMP = "%Y%m%dT%H%M%SZ"
_FIELD = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
_HEX = re.compile(r"[0-9a-f]{64}")
_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")


class SignatureError(Exception):
    """A signature that does not hold; the message is AWS's own where AWS has one."""


class Malformed(SignatureError):
    """Not a signature of this version (AWS: IncompleteSignature, AuthorizationHeaderMalformed)."""


class Skewed(SignatureError):
    """Signed at a time too far from now, by real time."""


class Expired(SignatureError):
    """A presigned URL past its own lifetime."""


class Mismatch(SignatureError):
    """The signature is not that of this request with this secret."""


class NotSigned(Mismatch):
    """The signature does not cover a header that AWS requires to be covered."""


@dataclass(frozen=True)
class Request:
    """What a signature covers.

    path and query as on the request line, percent-encoded; headers by lower-case name.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Signature:
    """A parsed signature. lifetime is of a presigned URL, None for the header form."""

    access_key_id: str
    region: str
    service: str
    signed_at: datetime
    signed_headers: tuple[str, ...]
    digest: str
    session_token: str | None
    lifetime: timedelta | None

    @property
    def stamp(self) -> str:
        return self.signed_at.strftime(_STAMP)

    @property
    def scope(self) -> str:
        return f"{self.stamp[:8]}/{self.region}/{self.service}/aws4_request"


def is_signed(request: Request) -> bool:
    """Whether a request carries any signature of this version, well-formed or not."""
    if request.headers.get("authorization", "").lstrip().startswith("AWS4-"):
        return True
    return "X-Amz-Signature=" in request.query or "X-Amz-Algorithm=" in request.query


def parse(request: Request) -> Signature:
    """The signature that a request carries; raises Malformed."""
    if "authorization" in request.headers:
        return _from_header(request)
    return _from_query(request)


def verify(
    request: Request, signature: Signature, payload_hash: str, secret: str, now: datetime
) -> None:
    """Raise Skewed, Expired, NotSigned or Mismatch unless the signature holds.

    payload_hash: hex SHA-256 of the body, or what x-amz-content-sha256 says in its place.
    now: real time, aware.
    """
    _check_time(signature, now)
    _check_covered(request, signature)
    wanted = _sign(request, signature, payload_hash, secret)
    if not hmac.compare_digest(wanted, signature.digest):
        raise Mismatch("the signature does not match")


def is_s3(signature: Signature) -> bool:
    """Whether S3's variant applies: the path encoded once and not normalised."""
    return signature.service in ("s3", "s3-object-lambda", "s3-outposts", "s3express")


def _from_header(request: Request) -> Signature:
    header = request.headers["authorization"].strip()
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise Malformed(f"Unsupported AWS 'algorithm': '{algorithm[:40]}'.")
    fields = dict(_FIELD.findall(rest))
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if name not in fields]
    if missing:
        named = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
        raise Malformed(f"{named} Authorization={ALGORITHM}")
    date = request.headers.get("x-amz-date") or request.headers.get("date")
    if not date:
        raise Malformed(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            f"Authorization={ALGORITHM}"
        )
    return _signature(
        fields["Credential"],
        fields["SignedHeaders"],
        fields["Signature"],
        _instant(date),
        request.headers.get("x-amz-security-token"),
        None,
    )


def _from_query(request: Request) -> Signature:
    values = {
        name.decode("latin-1"): value for name, value in canonical_request.pairs(request.query)
    }

    def value(name: str) -> str:
        if name not in values:
            raise Malformed(f"AWS query-string parameters must include '{name}'.")
        return values[name].decode("latin-1")

    if value("X-Amz-Algorithm") != ALGORITHM:
        raise Malformed(f"Unsupported AWS 'algorithm': '{value('X-Amz-Algorithm')[:40]}'.")
    # a presigned URL of a service other than S3 may leave it out
    seconds = value("X-Amz-Expires") if "X-Amz-Expires" in values else "900"
    if not re.fullmatch(r"[0-9]{1,6}", seconds) or int(seconds) > LONGEST_PRESIGNED:
        raise Malformed("X-Amz-Expires must be a number of seconds from 0 to 604800.")
    token = values.get("X-Amz-Security-Token")
    return _signature(
        value("X-Amz-Credential"),
        value("X-Amz-SignedHeaders"),
        value("X-Amz-Signature"),
        _instant(value("X-Amz-Date")),
        token.decode("latin-1") if token else request.headers.get("x-amz-security-token"),
        timedelta(seconds=int(seconds)),
    )


def _signature(
    credential: str,
    signed_headers: str,
    digest: str,
    signed_at: datetime,
    session_token: str | None,
    lifetime: timedelta | None,
) -> Signature:
    parts = credential.split("/")
    if len(parts) < 5:
        raise Malformed(
            "Credential must have at least 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{credential[:100]}'."
        )
    key, (date, region, service, term) = "/".join(parts[:-4]), parts[-4:]
    if term != "aws4_request" or not key.isascii() or not region.isascii() or not service.isascii():
        raise Malformed("Credential should be scoped with a valid terminator: 'aws4_request'.")
    if date != signed_at.strftime("%Y%m%d"):
        raise Malformed(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{date[:20]}' != '{signed_at:%Y%m%d}', from '{signed_at.strftime(_STAMP)}'."
        )
    headers = tuple(signed_headers.split(";"))
    if list(headers) != sorted(set(headers)) or not all(map(_TOKEN.fullmatch, headers)):
        raise Malformed("SignedHeaders must be lower-case names in order, separated by ';'.")
    if not _HEX.fullmatch(digest):
        raise Malformed("Signature must be 64 hexadecimal digits.")
    return Signature(
        key, region, service, signed_at, headers, digest, session_token or None, lifetime
    )


def _instant(text: str) -> datetime:
    text = text.strip()
    try:
        if re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", text, re.ASCII):
            return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise Malformed(
            f"Date must be in ISO-8601 'basic format'. Got '{text[:40]}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        ) from error


def _check_time(signature: Signature, now: datetime) -> None:
    if signature.signed_at - now > WINDOW:
        raise Skewed(
            f"Signature not yet current: {signature.stamp} is still later than "
            f"{(now + WINDOW).strftime(_STAMP)} ({now.strftime(_STAMP)} + 15 min.)"
        )
    if signature.lifetime is not None:
        if now - signature.signed_at > signature.lifetime:
            raise Expired("Request has expired")
        return
    if now - signature.signed_at > WINDOW:
        raise Skewed(
            f"Signature expired: {signature.stamp} is now earlier than "
            f"{(now - WINDOW).strftime(_STAMP)} ({now.strftime(_STAMP)} - 15 min.)"
        )


def _check_covered(request: Request, signature: Signature) -> None:
    must = {name for name in request.headers if name.startswith("x-amz-")} | {"host"}
    # the payload's hash is in the signature by itself, and a presigned token in the query
    must -= {"x-amz-content-sha256", "x-amz-security-token"}
    if left := sorted(must - set(signature.signed_headers)):
        raise NotSigned(", ".join(left))


def _sign(request: Request, signature: Signature, payload_hash: str, secret: str) -> str:
    canonical = b"\n".join(
        [
            request.method.encode("latin-1", "replace"),
            canonical_request.path_of(request.path, once=is_s3(signature)).encode(),
            canonical_request.query_of(request.query).encode(),
            canonical_request.headers_of(request.headers, signature.signed_headers),
            ";".join(signature.signed_headers).encode(),
            payload_hash.encode("latin-1", "replace"),
        ]
    )
    return signed(canonical, signature.stamp, signature.scope, secret)


def signed(canonical: bytes, stamp: str, scope: str, secret: str) -> str:
    """The signature of a canonical request, as 64 hexadecimal digits.

    stamp: the time, as the request spells it; scope: date/region/service/aws4_request.
    """
    to_sign = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256(canonical).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()
