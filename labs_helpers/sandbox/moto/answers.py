"""moto's answer to a request, or words: no failure of moto reaches a client as moto's own.

What moto raises is an error of the model where the error can be told from the request; everything
else is refused in words, and sandbox.log has the details.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

from labs_helpers.sandbox import confinement
from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.call import Answer
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.refusal import Protocol, Refusal, protocol_of
from labs_helpers.sandbox.sigv4 import Request

log = logging.getLogger(__name__)

_XML = {Protocol.QUERY, Protocol.EC2, Protocol.S3}
_ABSENT = re.compile(r"NotFound|DoesNotExist|NoSuch|NonExistent|UnknownResource")
"""What the names of errors about something that is not there have."""


def of_moto(application: Any, environ: WSGIEnvironment, asked: ApiRequest, sent: Request) -> Answer:
    """moto's answer in the protocol of the request; raises Refusal for every failure.

    application: moto as WSGI; environ: the request for moto; sent: the request of the client.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    what = f"{asked.service}:{asked.operation}"

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        started.append((status, headers))
        return lambda data: None

    try:
        content = _joined(application(environ, start))
    except Refusal:
        raise
    except NotImplementedError as error:
        raise aws_errors.not_implemented(f"the operation {what}") from error
    except Exception as error:
        raise _told(error, asked, what) from error
    status, headers = started[-1]
    _require_the_protocol(status, headers, content, asked, sent)
    return status, headers, content


def _told(error: Exception, asked: ApiRequest, what: str) -> Refusal:
    """What to say of an exception of moto."""
    if confined := confinement.cause_of(error):
        reason = f"Doing it here would {confined}, which the sandbox never does."
        return aws_errors.not_implemented(f"the operation {what}", reason)
    if refusal := _missing(error, asked) or _wrong_token(error, asked):
        return refusal
    log.exception("moto failed at %s", what, exc_info=error)
    reason = "Check the parameters first; sandbox.log has the details."
    return aws_errors.not_implemented(f"the operation {what} with these parameters", reason)


def _missing(error: Exception, asked: ApiRequest) -> Refusal | None:
    """The model's error of what is not there: moto looked for a name of the request in vain."""
    if not isinstance(error, KeyError) or not error.args:
        return None
    name = error.args[0]
    if not isinstance(name, str) or name not in set(_texts(asked.params)):
        return None
    model: Any = model_of(asked.service)
    shapes = model.operation_model(asked.operation).error_shapes
    found = next((shape for shape in shapes if _ABSENT.search(shape.name)), None)
    if found is None:
        return None
    details = found.metadata.get("error", {})
    code, status = details.get("code", found.name), details.get("httpStatusCode", 400)
    return Refusal(str(code), f"{name[:200]} does not exist.", int(status))


_PAGE = frozenset(("Marker", "NextMarker", "NextToken", "PaginationToken", "nextToken"))
"""Parameters that an earlier answer gave, to go on with a list."""


def _wrong_token(error: Exception, asked: ApiRequest) -> Refusal | None:
    """The model's error of a page that there is none of: moto took the text for its own token."""
    given = _PAGE & set(asked.params)
    if not given or not isinstance(error, ValueError | LookupError | TypeError):
        return None
    model: Any = model_of(asked.service)
    shapes = model.operation_model(asked.operation).error_shapes
    found = next((shape.name for shape in shapes if "Token" in shape.name), None)
    return Refusal(
        found or "ValidationException",
        f"The value of {min(given)} is none that an earlier answer gave.",
        codes={Protocol.QUERY: "ValidationError", Protocol.EC2: "InvalidParameterValue"},
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _require_the_protocol(
    status: str,
    headers: list[tuple[str, str]],
    content: bytes,
    asked: ApiRequest,
    sent: Request,
) -> None:
    """Raise Refusal for an error that no client of the protocol can read.

    moto's web framework answers an unknown path with a page, and some errors of moto are JSON in a
    service of XML, or XML in a service of JSON.
    """
    if status < "4":
        return
    what = f"the operation {asked.service}:{asked.operation}"
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    is_json = content.lstrip()[:1] in (b"{", b"[")
    if kind.startswith("text/html") and not is_json and b"<Code>" not in content:
        if status[:3] in ("404", "405"):
            raise aws_errors.not_implemented(what)
        log.error("moto answered %s with %s: %.300r", asked.operation, status, content)
        reason = "Check the parameters first; sandbox.log has the details."
        raise aws_errors.not_implemented(f"{what} with these parameters", reason)
    if not content:
        return
    speaks_xml = protocol_of(sent, asked.service) in _XML
    if speaks_xml == is_json:
        code, words = _json(content) if is_json else _xml(content)
        found = int(status[:3])
        raise Refusal(code, words, found if found < 500 else 501)


def _json(content: bytes) -> tuple[str, str]:
    try:
        document = json.loads(content)
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    code = str(document.get("__type") or document.get("code") or "ValidationError")
    words = document.get("message") or document.get("Message") or ""
    return code.rpartition("#")[2], str(words)


def _xml(content: bytes) -> tuple[str, str]:
    code = re.search(rb"<Code>([^<]+)</Code>", content)
    words = re.search(rb"<Message>([^<]*)</Message>", content)
    return (
        code[1].decode(errors="replace") if code else "ValidationException",
        words[1].decode(errors="replace") if words else "",
    )


def _joined(parts: Iterable[bytes]) -> bytes:
    try:
        return b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
