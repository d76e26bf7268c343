"""The AWS side's door: who calls (Signature V4, really verified), then which service answers."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from labs_helpers.sandbox import sigv4
from labs_helpers.sandbox.authorization.authorizer import Authorizer
from labs_helpers.sandbox.authorization.context import of_request
from labs_helpers.sandbox.authorization.scope import service_of
from labs_helpers.sandbox.door.http import CLIENT_GONE, HEADERS
from labs_helpers.sandbox.ecr.service import EcrService
from labs_helpers.sandbox.iam.credentials import Credential
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.moto.services import Answer, MotoServices
from labs_helpers.sandbox.request_log import CALLER, OPERATION, REFUSED, id_of
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.refusal import Refusal, protocol_of
from labs_helpers.sandbox.sigv4 import Request, Signature

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of one API call; an ECR layer part of 20 MiB is 27 MiB in its JSON."""

LARGEST_OBJECT = 512 * 1024 * 1024
"""Bytes of one PUT to S3, which moto holds in memory."""

LARGEST_UNSIGNED = 64 * 1024
"""Bytes of a call that anybody may make; a web identity token has at most 20 000."""

_UNSIGNED = {b"Action=AssumeRoleWithWebIdentity", b"Action=AssumeRoleWithSAML"}
"""The second is not in the sandbox, which moto's place says.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

_PIECE = 256 * 1024


def real_time() -> datetime:
    """The time by which signatures are judged: never the sandbox clock."""
    return datetime.now(UTC)


class Gateway:
    """WSGI: verifies each AWS request, and has ECR or moto answer it."""

    def __init__(
        self,
        find: Callable[[str], Credential | None],
        ecr: EcrService,
        moto: MotoServices,
        authorizer: Authorizer,
        now: Callable[[], datetime] = real_time,
    ) -> None:
        """find: the credential of an access key id, None for an unknown one."""
        self._find = find
        self._ecr = ecr
        self._moto = moto
        self._authorizer = authorizer
        self._now = now

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = request_of(environ)
        request_id = id_of(environ)
        service = ""
        try:
            if not sigv4.is_signed(request):
                return self._unsigned(environ, request, start_response)
            signature = _parsed(request)
            service = service_of(signature.service, signature.region)
            environ[OPERATION] = f"{service}:{_named(environ)}"
            credential = self._find(signature.access_key_id)
            if credential is None:
                raise aws_errors.unknown_key()
            body = _body(environ, LARGEST_OBJECT if sigv4.is_s3(signature) else LARGEST_BODY)
            self._verify(request, signature, credential, body)
            principal = credential.principal
            environ[CALLER] = principal.arn
            answer = self._serve(
                environ,
                request,
                body,
                principal,
                replace(signature, service=service),
                start_response,
            )
        except Refusal as error:
            refusal = error
        except CLIENT_GONE:
            raise  # the client went away in the middle of its request
        except Exception:
            log.exception("a call of %s failed", service or "AWS")
            refusal = aws_errors.internal(f"a call of {service or 'AWS'}")
        else:
            return answer
        protocol = protocol_of(request, service)
        environ[REFUSED] = refusal.codes.get(protocol, refusal.code)
        head = request.method == "HEAD"
        return refusal.answer(protocol, request_id, head, start_response)

    def _unsigned(
        self, environ: WSGIEnvironment, request: Request, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer the calls that need no signature; raises Refusal for any other."""
        from labs_helpers.sandbox.authorization import parameters
        from labs_helpers.sandbox.authorization.pairs import FORM

        form = request.headers.get("content-type", "").startswith(FORM)
        body = _body(environ, LARGEST_UNSIGNED) if form and request.method == "POST" else b""
        if _UNSIGNED.isdisjoint(body.split(b"&")):
            raise _refused_unsigned(request)
        asked, plain = parameters.read(request, body, "sts")
        if f"Action={asked.operation}".encode() not in _UNSIGNED:
            raise _refused_unsigned(request)
        environ[CALLER] = "a web identity"
        what = environ[OPERATION] = f"sts:{asked.operation}"
        status, headers, content = self._moto.call_unsigned(environ, what, plain)
        start_response(status, headers)
        return [content]

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

    def _serve(
        self,
        environ: WSGIEnvironment,
        request: Request,
        body: bytes,
        principal: Principal,
        signature: Signature,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        service, region = signature.service, signature.region
        if service == "ecr":
            endpoint = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}"
            target = environ.get("HTTP_X_AMZ_TARGET", "")
            keys = of_request(environ, region)
            told = self._ecr.handle(target, body, principal, region, endpoint, keys)
            environ[REFUSED] = told.headers.get("x-amzn-ErrorType")
            headers = {**told.headers, "x-amzn-RequestId": id_of(environ)}
            start_response(_status(told.status), list(headers.items()))
            return [told.body]
        answer = self._answer(environ, request, body, principal, signature)
        start_response(answer[0], answer[1])
        return [answer[2]]

    def _answer(
        self,
        environ: WSGIEnvironment,
        request: Request,
        body: bytes,
        principal: Principal,
        signature: Signature,
    ) -> Answer:
        """Of a service other than ECR, by moto; of IAM's simulator by ourselves."""
        # not at the start, which nobody should wait for
        from labs_helpers.sandbox.authorization import simulate
        from labs_helpers.sandbox.authorization.requests import decide
        from labs_helpers.sandbox.moto import table

        service, region = signature.service, signature.region
        asked, plain = decide(self._authorizer, request, body, principal, service, region, environ)
        if service == "iam" and asked.operation in simulate.OPERATIONS:
            document = simulate.answer(self._authorizer.directory, principal, asked)
            headers = [("Content-Type", "text/xml"), ("Content-Length", str(len(document)))]
            return "200 OK", headers, document
        table.check(service, asked.operation, asked.params)
        what = f"{service}:{asked.operation}"
        answer = self._moto.call(environ, what, plain, principal, signature)
        environ[REFUSED] = _code_of(answer)
        return answer


def request_of(environ: WSGIEnvironment) -> Request:
    """What a signature covers, from a request as http.py hands it over."""
    path, _, query = environ["REQUEST_URI"].partition("?")
    return Request(environ["REQUEST_METHOD"], path, query, environ[HEADERS])


def _named(environ: WSGIEnvironment) -> str:
    """The operation that X-Amz-Target names, before the request is read; else "-"."""
    return str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2] or "-"


def _code_of(answer: Answer) -> str | None:
    """The code of an error that moto answers, in XML or JSON; None for a success."""
    status, _, content = answer
    if status < "4":
        return None
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
    stream: Any = environ["wsgi.input"]
    parts = []
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > limit:
            raise aws_errors.too_large(limit)
        parts.append(piece)
    return b"".join(parts)


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"
