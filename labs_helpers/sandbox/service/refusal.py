"""An error of the AWS side, rendered as each protocol of AWS has it.

Bodies: https://smithy.io/2.0/aws/protocols/index.html,
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
