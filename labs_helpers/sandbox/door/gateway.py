"""The AWS side's door: who calls (Signature V4, really verified), then which service answers."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from labs_helpers.files import is_full
from labs_helpers.sandbox import sigv4
from labs_helpers.sandbox.call import HEADERS, Answer, Application, SignedCall
from labs_helpers.sandbox.delays import Delays
from labs_helpers.sandbox.door.http import CLIENT_GONE
from labs_helpers.sandbox.door.scope import service_of
from labs_helpers.sandbox.iam.credentials import Credential
from labs_helpers.sandbox.request_log import CALLER, OPERATION, REFUSED, id_of
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.refusal import Refusal, protocol_of
from labs_helpers.sandbox.sigv4 import Request, Signature

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of one API call; an ECR layer part of 20 MiB is 27 MiB in its JSON."""

LARGEST_OBJECT = 512 * 1024 * 1024
"""Bytes of one PUT to Amazon S3, which is held in memory."""

LARGEST_UNSIGNED = 64 * 1024
"""Bytes of a call that anybody may make; a web identity token has at most 20 000."""

FORM = "application/x-www-form-urlencoded"

Unsigned = Callable[[WSGIEnvironment, Request, bytes], Answer | None]
"""Answers a call that needs no signature; None for a call that needs one."""

_PIECE = 256 * 1024


def real_time() -> datetime:
    """The time by which signatures are judged: never the sandbox clock."""
    return datetime.now(UTC)


class Gateway:
    """WSGI: verifies each AWS request, and has the service's application answer it."""

    def __init__(
        self,
        find: Callable[[str], Credential | None],
        services: Mapping[str, Application],
        others: Application,
        unsigned: Unsigned,
        now: Callable[[], datetime] = real_time,
        delays: Delays | None = None,
    ) -> None:
        """find: the credential of an access key id, None for an unknown key.

        services: applications by signing name; others: the application of every other service.
        delays: AWS's delays, None where everything is seen at once.
        """
        self._find = find
        self._services = services
        self._others = others
        self._unsigned = unsigned
        self._now = now
        self._delays = delays

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = request_of(environ)
        service = ""
        try:
            _refuse_longer(environ, LARGEST_OBJECT)
            if sigv4.is_signed(request):
                signature = _parsed(request)
                service = service_of(signature.service, signature.region)
                answer = self._signed(environ, request, replace(signature, service=service))
            else:
                answer = self._without_signature(environ, request)
        except Refusal as error:
            refusal = error
        except CLIENT_GONE:
            raise  # the client went away in the middle of its request
        except Exception as error:
            what = f"a call of {service or 'AWS'}"
            log.exception("%s failed", what)
            refusal = aws_errors.no_room() if is_full(error) else aws_errors.internal(what)
        else:
            status, headers, content = answer
            environ[REFUSED] = _code_of(answer)
            start_response(status, headers)
            return [content]
        protocol = protocol_of(request, service)
        environ[REFUSED] = refusal.codes.get(protocol, refusal.code)
        head = request.method == "HEAD"
        return refusal.answer(protocol, id_of(environ), head, start_response)

    def _signed(self, environ: WSGIEnvironment, request: Request, signature: Signature) -> Answer:
        service = signature.service
        environ[OPERATION] = f"{service}:{_named(environ)}"
        credential = self._find(signature.access_key_id)
        if credential is None:
            raise aws_errors.unknown_key()
        body = _body(environ, LARGEST_OBJECT if sigv4.is_s3(signature) else LARGEST_BODY)
        self._verify(request, signature, credential, body)
        environ[CALLER] = credential.principal.arn
        if self._delays:
            self._delays.before(service, _named(environ), signature.access_key_id, body)
        application = self._services.get(service, self._others)
        answer = application(SignedCall(environ, request, body, credential.principal, signature))
        if self._delays:
            self._delays.after(service, _named(environ), body, answer[2])
        return answer

    def _without_signature(self, environ: WSGIEnvironment, request: Request) -> Answer:
        """The answer to a call that needs no signature; raises Refusal for any other call."""
        form = request.headers.get("content-type", "").startswith(FORM)
        body = _body(environ, LARGEST_UNSIGNED) if form and request.method == "POST" else b""
        answer = self._unsigned(environ, request, body) if body else None
        if answer is None:
            raise _refused_unsigned(request)
        return answer

    def _verify(
        self, request: Request, signature: Signature, credential: Credential, body: bytes
    ) -> None:
        now = self._now()
        payload, stated = _payload_hash(request, signature, body)
        try:
            sigv4.verify(request, signature, stated, credential.secret, now)
        except sigv4.Skewed as error:
            raise aws_errors.skewed(str(error)) from error
        except sigv4.Expired as error:
            raise aws_errors.url_expired() from error
        except sigv4.Mismatch as error:
            raise aws_errors.mismatch() from error
        if payload != stated:
            raise aws_errors.wrong_payload()
        given = signature.session_token or ""
        wanted = credential.session_token or ""
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise aws_errors.wrong_token()
        if credential.expires and credential.expires < now:
            raise aws_errors.expired_token()


def request_of(environ: WSGIEnvironment) -> Request:
    """What a signature covers, from a request as http.py hands it over."""
    path, _, query = environ["REQUEST_URI"].partition("?")
    return Request(environ["REQUEST_METHOD"], path, query, environ[HEADERS])


def _named(environ: WSGIEnvironment) -> str:
    """The operation that X-Amz-Target names, before the request is read; else "-"."""
    return str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2] or "-"


def _code_of(answer: Answer) -> str | None:
    """The code of an error, of its header or of its XML or JSON; None for a success."""
    status, headers, content = answer
    if status < "4":
        return None
    for name, value in headers:
        if name.lower() == "x-amzn-errortype":
            return value
    found = re.search(rb"""<Code>([^<]+)</Code>|"__type": ?"(?:[^"]*#)?([^"]+)\"""", content)
    return (found[1] or found[2]).decode(errors="replace") if found else None


def _parsed(request: Request) -> Signature:
    try:
        return sigv4.parse(request)
    except sigv4.Malformed as error:
        raise aws_errors.malformed(str(error)) from error


def _refused_unsigned(request: Request) -> Refusal:
    version_2 = request.headers.get("authorization", "").startswith("AWS ")
    if version_2 or "AWSAccessKeyId=" in request.query:
        return Refusal(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. "
            "Please use AWS4-HMAC-SHA256.",
        )
    return aws_errors.unsigned()


def _payload_hash(request: Request, signature: Signature, body: bytes) -> tuple[str, str]:
    """(hash of the body, hash as signed): equal when the body is what the client signed.

    S3 lets a client leave the body out of the signature, or sign it piece by piece within;
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    """
    stated = request.headers.get("x-amz-content-sha256")
    if sigv4.is_s3(signature):
        if stated is None:
            stated = sigv4.UNSIGNED_PAYLOAD
        if stated == sigv4.UNSIGNED_PAYLOAD or stated.startswith("STREAMING-"):
            return stated, stated
    found = hashlib.sha256(body).hexdigest()
    return found, stated if stated is not None else found


def _body(environ: WSGIEnvironment, limit: int) -> bytes:
    """The whole body; raises Refusal when it is longer than `limit` bytes."""
    _refuse_longer(environ, limit)
    stream: Any = environ["wsgi.input"]
    parts = []
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > limit:
            raise aws_errors.too_large(limit)
        parts.append(piece)
    return b"".join(parts)


def _refuse_longer(environ: WSGIEnvironment, limit: int) -> None:
    """Raise Refusal when the request announces more than `limit` bytes: nobody waits for them."""
    if int(environ.get("CONTENT_LENGTH") or 0) > limit:
        raise aws_errors.too_large(limit)
