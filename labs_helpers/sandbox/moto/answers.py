"""moto's answer to a request; every failure of moto becomes an error of AWS, or words.

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
from xml.parsers.expat import ExpatError

from labs_helpers.files import is_full
from labs_helpers.sandbox import confinement
from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.call import Answer
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.refusal import Protocol, Refusal, protocol_of
from labs_helpers.sandbox.service.validation import Problem
from labs_helpers.sandbox.sigv4 import Request

log = logging.getLogger(__name__)

_XML = {Protocol.QUERY, Protocol.EC2, Protocol.S3}
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ABSENT = re.compile(r"NotFound|DoesNotExist|NoSuch|NonExistent|UnknownResource")
"""Parts of the names of errors that say that something does not exist."""


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
    if protocol_of(sent, asked.service) in (Protocol.QUERY, Protocol.EC2):
        # no parser of XML takes control characters, which moto hands back as they came
        content = _CONTROL.sub(b"?", content)
        headers = [each for each in headers if each[0].lower() != "content-length"]
        headers.append(("Content-Length", str(len(content))))
    _require_the_protocol(status, headers, content, asked, sent)
    return status, headers, content


def _told(error: Exception, asked: ApiRequest, what: str) -> Refusal:
    """The refusal for an exception of moto."""
    if confined := confinement.cause_of(error):
        reason = f"Doing it here would {confined}, which the sandbox never does."
        return aws_errors.not_implemented(f"the operation {what}", reason)
    for understood in (_missing, _wrong_token, _not_given, _unreadable):
        if refusal := understood(error, asked):
            log.info("moto cannot read a request of %s: %s: %s", what, type(error).__name__, error)
            return refusal
    log.exception("moto failed at %s", what, exc_info=error)
    if is_full(error):
        return aws_errors.no_room()
    reason = "Check the parameters first; sandbox.log has the details."
    return aws_errors.not_implemented(f"the operation {what} with these parameters", reason)


def _missing(error: Exception, asked: ApiRequest) -> Refusal | None:
    """The error for something that the request names and moto did not find."""
    name = ""
    if isinstance(error, KeyError) and error.args:
        name = str(error.args[0])
        # "default" is the cluster of a call of Amazon ECS that names none
        if name not in {*_texts(asked.params), "default"}:
            return None
    elif not isinstance(error, StopIteration):
        return None
    words = f"{name[:200]} does not exist." if name else "A name of this request is nobody's."
    model: Any = model_of(asked.service)
    shapes = model.operation_model(asked.operation).error_shapes
    found = next((shape for shape in shapes if _ABSENT.search(shape.name)), None)
    if found is None:
        return _invalid(words)
    details = found.metadata.get("error", {})
    code, status = details.get("code", found.name), details.get("httpStatusCode", 400)
    return Refusal(str(code), words, int(status))


def _not_given(error: Exception, asked: ApiRequest) -> Refusal | None:
    """The error for a member that the model does not require and moto needs."""
    model: Any = model_of(asked.service)
    shape = model.operation_model(asked.operation).input_shape
    if shape is None:
        return None
    if isinstance(error, KeyError) and error.args and error.args[0] in _members(shape):
        return _invalid(str(Problem(_small(str(error.args[0])), None, "Member must not be null")))
    absent = sorted(set(shape.members) - set(asked.params))
    if isinstance(error, AttributeError | TypeError) and "NoneType" in str(error) and absent:
        return _invalid(f"Nothing can be done here without one of: {', '.join(absent[:8])}.")
    return None


def _unreadable(error: Exception, asked: ApiRequest) -> Refusal | None:
    """The error for a value that moto cannot read."""
    if isinstance(error, ExpatError):
        words = (
            "The XML you provided was not well-formed or did not validate against our published "
            "schema"
        )
        return Refusal("MalformedXML", words)
    for name, value in asked.params.items():
        parts = str(value).count(":") + 1
        if name.lower().endswith("arn") and isinstance(value, str) and parts < 6:
            words = f"Invalid parameter: {name} Reason: An ARN must have at least 6 elements, not "
            return _invalid(f"{words}{parts}")
    said = str(error)
    # whatever else goes wrong may be moto's own fault
    if isinstance(error, ValueError) and any(repr(text) in said for text in _texts(asked.params)):
        return _invalid(f"{asked.operation} does not take a value of this form: {said[:200]}")
    if asked.service == "dynamodb" and isinstance(error, IndexError | ValueError | TypeError):
        return _invalid("One or more parameter values were invalid: an expression or a key.")
    return None


def _invalid(words: str) -> Refusal:
    return Refusal(
        "ValidationException",
        words,
        codes={
            Protocol.QUERY: "ValidationError",
            Protocol.EC2: "InvalidParameterValue",
            Protocol.S3: "InvalidArgument",
        },
    )


def _members(shape: Any) -> set[str]:
    """The names of all members of a shape and of what is in it."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [shape]
    while waiting:
        each = waiting.pop()
        if each.name in seen:
            continue
        seen.add(each.name)
        if each.type_name == "structure":
            found |= set(each.members)
            waiting += each.members.values()
        elif each.type_name == "list":
            waiting.append(each.member)
        elif each.type_name == "map":
            waiting.append(each.value)
    return found


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]


_PAGE = frozenset(("Marker", "NextMarker", "NextToken", "PaginationToken", "nextToken"))
"""Parameters that continue a list: tokens from an earlier answer."""


def _wrong_token(error: Exception, asked: ApiRequest) -> Refusal | None:
    """The model's error for a page token that moto did not give."""
    given = _PAGE & set(asked.params)
    if not given or not isinstance(error, ValueError | LookupError | TypeError):
        return None
    model: Any = model_of(asked.service)
    shapes = model.operation_model(asked.operation).error_shapes
    found = next((shape.name for shape in shapes if "Token" in shape.name), None)
    words = f"The value of {min(given)} is none that an earlier answer gave."
    return Refusal(found, words) if found else _invalid(words)


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
    if status < "4" or sent.method == "HEAD":
        return  # the answer to HEAD is its status: 404 is an object that is not there
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
