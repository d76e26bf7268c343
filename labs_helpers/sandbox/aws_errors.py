"""Refusals of the AWS side, rendered as each protocol of AWS has them.

Codes and words: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html,
https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from wsgiref.types import StartResponse

from labs_helpers.sandbox.sigv4 import Request

_REST_XML = {"s3", "s3-object-lambda", "s3-outposts", "s3express"}
_OTHER_REST_XML = {"cloudfront", "route53"}


class Protocol(Enum):
    """How a service speaks; one kind of error body each."""

    JSON = "application/x-amz-json-1.1"
    REST_JSON = "application/json"
    CBOR = "application/cbor"
    QUERY = "text/xml"
    EC2 = "text/xml;charset=UTF-8"
    S3 = "application/xml"


def protocol_of(request: Request, service: str) -> Protocol:
    """The protocol of a request, from what only that protocol has."""
    if service == "ec2":
        return Protocol.EC2
    if service in _REST_XML:
        return Protocol.S3
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return Protocol.CBOR
    if "x-amz-target" in request.headers:
        return Protocol.JSON
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form or "Action=" in request.query or service in _OTHER_REST_XML:
        return Protocol.QUERY
    if not service and "content-type" not in request.headers:
        return Protocol.S3  # as AWS's own default endpoint does for a plain GET
    return Protocol.REST_JSON


@dataclass(eq=False)  # not frozen: contextlib sets an exception's traceback
class Refusal(Exception):
    """One error for every protocol; `codes` and `statuses` name where a protocol differs."""

    code: str
    message: str
    status: int = 400
    codes: dict[Protocol, str] = field(default_factory=dict)
    statuses: dict[Protocol, int] = field(default_factory=dict)
    messages: dict[Protocol, str] = field(default_factory=dict)

    def answer(
        self, protocol: Protocol, request_id: str, head: bool, start_response: StartResponse
    ) -> list[bytes]:
        """Send it; `head` leaves the body out."""
        code = self.codes.get(protocol, self.code)
        message = self.messages.get(protocol, self.message)
        status = self.statuses.get(protocol, self.status)
        body = b"" if head else _body(protocol, code, message, request_id, status)
        headers = [
            ("Content-Type", protocol.value),
            ("Content-Length", str(len(body))),
            ("x-amz-request-id" if protocol is Protocol.S3 else "x-amzn-RequestId", request_id),
        ]
        if protocol in (Protocol.JSON, Protocol.REST_JSON):
            headers.append(("x-amzn-ErrorType", code))
        if protocol is Protocol.CBOR:
            headers.append(("smithy-protocol", "rpc-v2-cbor"))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body] if body else []


def _body(protocol: Protocol, code: str, message: str, request_id: str, status: int) -> bytes:
    if protocol in (Protocol.JSON, Protocol.REST_JSON):
        return json.dumps({"__type": code, "message": message}).encode()
    if protocol is Protocol.CBOR:
        return b"\xa2" + b"".join(map(_cbor, ("__type", code, "message", message)))
    said = f"<Code>{code}</Code><Message>{_xml(message)}</Message>"
    if protocol is Protocol.S3:
        text = f"<Error>{said}<RequestId>{request_id}</RequestId></Error>"
    elif protocol is Protocol.EC2:
        text = (
            f"<Response><Errors><Error>{said}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        kind = "Sender" if status < 500 else "Receiver"
        text = (
            f"<ErrorResponse><Error><Type>{kind}</Type>{said}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _xml(text: str) -> str:
    """Text as XML 1.0 can hold it: control characters become question marks."""
    printable = "".join(char if char >= " " or char in "\n\t" else "?" for char in text)
    # not xml.sax.saxutils: it imports all of urllib.request, and a start waits for it
    return printable.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cbor(text: str) -> bytes:
    """A CBOR text string, RFC 8949 section 3.1."""
    data = text.encode()
    if len(data) < 24:
        return bytes([0x60 + len(data)]) + data
    return struct.pack(">BH", 0x79, len(data) & 0xFFFF) + data[:0xFFFF]


def unknown_key() -> Refusal:
    """The access key, or the token that belongs to it, is none of this sandbox's."""
    return Refusal(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        400,
        codes={
            Protocol.QUERY: "InvalidClientTokenId",
            Protocol.EC2: "AuthFailure",
            Protocol.S3: "InvalidAccessKeyId",
        },
        statuses={
            Protocol.QUERY: 403,
            Protocol.EC2: 401,
            Protocol.S3: 403,
            Protocol.REST_JSON: 403,
        },
        messages={
            Protocol.EC2: "AWS was not able to validate the provided access credentials",
            Protocol.S3: "The AWS Access Key Id you provided does not exist in our records.",
        },
    )


def wrong_token() -> Refusal:
    """The session token is missing or another key's."""
    known = unknown_key()
    return Refusal(
        known.code,
        known.message,
        known.status,
        known.codes | {Protocol.S3: "InvalidToken"},
        known.statuses | {Protocol.S3: 400},
        known.messages | {Protocol.S3: "The provided token is malformed or otherwise invalid."},
    )


def expired_token() -> Refusal:
    """The session of temporary credentials is over."""
    return Refusal(
        "ExpiredTokenException",
        "The security token included in the request is expired",
        400,
        codes={
            Protocol.QUERY: "ExpiredToken",
            Protocol.EC2: "RequestExpired",
            Protocol.S3: "ExpiredToken",
        },
        statuses={Protocol.QUERY: 403, Protocol.REST_JSON: 403},
        messages={
            Protocol.EC2: "Request has expired.",
            Protocol.S3: "The provided token has expired.",
        },
    )


def unsigned() -> Refusal:
    """No signature at all."""
    return Refusal(
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
        400,
        codes={
            Protocol.QUERY: "MissingAuthenticationToken",
            Protocol.EC2: "MissingAuthenticationToken",
            Protocol.S3: "AccessDenied",
        },
        statuses={Protocol.QUERY: 403, Protocol.REST_JSON: 403, Protocol.S3: 403},
        messages={
            Protocol.QUERY: "Request is missing Authentication Token",
            Protocol.S3: "Access Denied",
        },
    )


def malformed(message: str) -> Refusal:
    """A signature that cannot be read."""
    return Refusal(
        "IncompleteSignatureException",
        message,
        400,
        codes={
            Protocol.QUERY: "IncompleteSignature",
            Protocol.EC2: "IncompleteSignature",
            Protocol.S3: "AuthorizationHeaderMalformed",
        },
    )


def skewed(message: str) -> Refusal:
    """Signed too long ago, or ahead of time."""
    return Refusal(
        "InvalidSignatureException",
        message,
        400,
        codes={
            Protocol.QUERY: "SignatureDoesNotMatch",
            Protocol.EC2: "RequestExpired",
            Protocol.S3: "RequestTimeTooSkewed",
        },
        statuses={Protocol.QUERY: 403, Protocol.S3: 403, Protocol.REST_JSON: 403},
        messages={
            Protocol.EC2: "Request has expired.",
            Protocol.S3: "The difference between the request time and the current time is too "
            "large.",
        },
    )


def url_expired() -> Refusal:
    """A presigned URL past its lifetime."""
    return Refusal(
        "InvalidSignatureException",
        "Request has expired",
        403,
        codes={
            Protocol.QUERY: "SignatureDoesNotMatch",
            Protocol.EC2: "RequestExpired",
            Protocol.S3: "AccessDenied",
        },
    )


def mismatch() -> Refusal:
    """The signature is not that of this request with this key's secret."""
    words = (
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        "details."
    )
    return Refusal(
        "InvalidSignatureException",
        words,
        400,
        codes={
            Protocol.QUERY: "SignatureDoesNotMatch",
            Protocol.EC2: "AuthFailure",
            Protocol.S3: "SignatureDoesNotMatch",
        },
        statuses={
            Protocol.QUERY: 403,
            Protocol.EC2: 401,
            Protocol.S3: 403,
            Protocol.REST_JSON: 403,
        },
        messages={
            Protocol.EC2: "AWS was not able to validate the provided access credentials",
            Protocol.S3: "The request signature we calculated does not match the signature you "
            "provided. Check your key and signing method.",
        },
    )


def wrong_payload() -> Refusal:
    """The body does not hash to what x-amz-content-sha256 says."""
    words = "The provided 'x-amz-content-sha256' header does not match what was computed."
    return Refusal(
        "InvalidSignatureException",
        words,
        400,
        codes={
            Protocol.QUERY: "SignatureDoesNotMatch",
            Protocol.EC2: "AuthFailure",
            Protocol.S3: "XAmzContentSHA256Mismatch",
        },
        statuses={Protocol.QUERY: 403, Protocol.EC2: 401},
    )


def denied(sentence: str) -> Refusal:
    """No policy allows it, or one denies it; the sentence is IAM's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    return Refusal(
        "AccessDeniedException",
        sentence,
        400,
        codes={
            Protocol.QUERY: "AccessDenied",
            Protocol.EC2: "UnauthorizedOperation",
            Protocol.S3: "AccessDenied",
        },
        statuses={
            Protocol.QUERY: 403,
            Protocol.EC2: 403,
            Protocol.S3: 403,
            Protocol.REST_JSON: 403,
        },
        messages={
            Protocol.EC2: f"You are not authorized to perform this operation. {sentence}",
        },
    )


def too_large(limit: int) -> Refusal:
    """A body of more bytes than the sandbox takes."""
    words = f"The sandbox takes request bodies of up to {limit} bytes."
    return Refusal("RequestEntityTooLarge", words, 413, codes={Protocol.S3: "EntityTooLarge"})


def not_implemented(what: str) -> Refusal:
    """An operation or service that the sandbox does not have; no SDK tries a 501 again."""
    return Refusal("NotInSandbox", f"The sandbox does not have {what}; it exists on AWS.", 501)


def internal(what: str) -> Refusal:
    """A fault of the sandbox; 501 too, because every SDK would repeat a 500 for ten seconds."""
    words = f"The sandbox failed at {what}; sandbox.log says where."
    return Refusal("InternalFailure", words, 501)
