"""A call of AWS from inside the sandbox, on behalf of whoever is calling.

The call is written, decided and answered as a call from outside; only the port is left out.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlencode

from botocore.model import OperationModel, Shape

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.call import HEADERS, Answer, Application, SignedCall
from labs_helpers.sandbox.service.refusal import Refusal, protocol_of
from labs_helpers.sandbox.sigv4 import Request

_GLOBAL = {"iam": "us-east-1"}
"""Services with one endpoint, and the region that signs for the endpoint.

https://docs.aws.amazon.com/general/latest/gr/iam-service.html
"""

_OF_OUTSIDE = ("HTTP_", "CONTENT_", "labs.", "wsgi.input")
"""How the keys of an environ begin that belong to the call from outside alone."""

_outer: ContextVar[SignedCall | None] = ContextVar("the call from outside", default=None)


@contextmanager
def serving(call: SignedCall) -> Iterator[None]:
    """While a call from outside is answered, calls from inside are on behalf of its caller."""
    token = _outer.set(call)
    try:
        yield
    finally:
        _outer.reset(token)


def caller_outside() -> SignedCall | None:
    """The call from outside that is being answered; None outside of `serving`."""
    return _outer.get()


class CallFailed(Exception):
    """The error answer to an inner call; str() is the message."""

    def __init__(self, service: str, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.service = service
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Calls:
    """Calls of AWS on behalf of the caller of `outer`; answer: the application that answers."""

    outer: SignedCall
    answer: Application
    stack_tags: tuple[tuple[str, str], ...] = ()

    @property
    def account(self) -> str:
        return self.outer.principal.account

    @property
    def region(self) -> str:
        return self.outer.region

    def __call__(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """The answer's members, by botocore's model; raises CallFailed.

        A parameter that is None is left out. Texts become numbers and truth values where the model
        wants them, because a template may spell them so.
        """
        from botocore.parsers import create_parser
        from botocore.serialize import create_serializer
        from botocore.validate import ParamValidator

        model: Any = model_of(service)
        found: OperationModel = model.operation_model(operation)
        given = {name: value for name, value in params.items() if value is not None}
        given = _fitted(given, found.input_shape)
        report = ParamValidator().validate(given, found.input_shape)
        if report.has_errors():
            raise CallFailed(service, "ValidationError", report.generate_report())
        protocol = model.metadata["protocol"]
        written = create_serializer(protocol, False).serialize_to_request(given, found)
        status, headers, body = self._answered(service, _wired(written))
        answer = {"status_code": int(status[:3]), "headers": dict(headers), "body": body}
        parsed: dict[str, Any] = create_parser(protocol).parse(answer, found.output_shape)
        if int(status[:3]) >= 300:
            error = parsed.get("Error", {})
            code, message = str(error.get("Code")), str(error.get("Message"))
            raise CallFailed(service, code, message, int(status[:3]))
        return parsed

    def _answered(self, service: str, wired: _Wired) -> Answer:
        region = _GLOBAL.get(service, self.region)
        host = f"{service}.{region}.amazonaws.com"
        headers = {**wired.headers, "host": host, "content-length": str(len(wired.body))}
        agent = self.outer.request.headers.get("user-agent")
        headers |= {"user-agent": agent} if agent else {}
        request = Request(wired.method, wired.path, wired.query, headers)
        signature = replace(self.outer.signature, service=service, region=region)
        environ = {
            name: value
            for name, value in self.outer.environ.items()
            if not name.startswith(_OF_OUTSIDE)
        }
        environ |= {
            f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()
        }
        environ |= {
            HEADERS: headers,
            "REQUEST_METHOD": wired.method,
            "REQUEST_URI": f"{wired.path}?{wired.query}" if wired.query else wired.path,
            "PATH_INFO": unquote(wired.path),
            "QUERY_STRING": wired.query,
            "CONTENT_LENGTH": str(len(wired.body)),
            "CONTENT_TYPE": headers.get("content-type", ""),
            "wsgi.input": io.BytesIO(wired.body),
        }
        call = SignedCall(environ, request, wired.body, self.outer.principal, signature)
        try:
            return self.answer(call)
        except Refusal as refusal:
            protocol = protocol_of(request, service)
            raise CallFailed(
                service,
                refusal.codes.get(protocol, refusal.code),
                refusal.messages.get(protocol, refusal.message),
                refusal.statuses.get(protocol, refusal.status),
            ) from refusal


def current(answer: Application) -> Calls:
    """Calls on behalf of whoever is being served; raises LookupError outside `serving`."""
    outer = _outer.get()
    if outer is None:
        raise LookupError("nobody is being served")
    return Calls(outer, answer)


@dataclass(frozen=True)
class _Wired:
    """A call as botocore's serializer writes the call."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


def _wired(written: Mapping[str, Any]) -> _Wired:
    path, _, query = str(written["url_path"]).partition("?")
    asked = written["query_string"]
    more = urlencode(asked) if isinstance(asked, Mapping) else str(asked)
    body = written["body"]
    headers = {str(name).lower(): str(value) for name, value in written["headers"].items()}
    if isinstance(body, Mapping):
        body = urlencode(body)
        headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
    sent = body if isinstance(body, bytes) else str(body).encode()
    return _Wired(
        str(written["method"]), path, "&".join(filter(None, (query, more))), headers, sent
    )


def _fitted(value: Any, shape: Shape | None) -> Any:
    """A value of a template, converted to the type of its shape where that is possible."""
    if shape is None:
        return value
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        return {name: _fitted(each, shape.members.get(name)) for name, each in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_fitted(each, shape.member) for each in value]
    if kind == "map" and isinstance(value, Mapping):
        return {str(name): _fitted(each, shape.value) for name, each in value.items()}
    if kind == "boolean" and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if kind in ("integer", "long") and isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    if kind == "string" and isinstance(value, int | float):
        return str(value)
    return value
