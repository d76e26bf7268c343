"""The log of requests: one line for each, with the same fields whatever answers the request.

    <time> INFO <caller> <what> <status> <code of a refusal> <milliseconds> ms <request id>

``what`` is ``service:Operation`` of a call to AWS, and method and path of any other request. A
field that is not known is ``-``. A query may hold secrets and is never logged.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from typing import Any

log = logging.getLogger("labs_helpers.sandbox.requests")

CALLER = "labs.caller"
OPERATION = "labs.operation"
REFUSED = "labs.refused"
"""Keys of the environ under which an application leaves the ARN of the caller, the operation, and
the code of the refusal."""

REQUEST_ID = "labs.request_id"

_LONGEST = 300


def begin(environ: dict[str, Any]) -> None:
    """Forget what the environ holds of an earlier request."""
    for key in (CALLER, OPERATION, REFUSED, REQUEST_ID):
        environ.pop(key, None)


def id_of(environ: dict[str, Any]) -> str:
    """The id of the request, which the answer carries as x-amzn-RequestId."""
    return str(environ.setdefault(REQUEST_ID, str(uuid.uuid4())))


def write(
    environ: dict[str, Any], status: str, headers: Iterable[tuple[str, str]], seconds: float
) -> None:
    """Log one request that is being answered with `status` ("200 OK") after `seconds`."""
    sent = {name.lower(): value for name, value in headers}
    found = sent.get("x-amzn-requestid") or sent.get("x-amz-request-id") or id_of(environ)
    log.info(
        "%s %s %s %s %.0f ms %s",
        _field(environ.get(CALLER)),
        _field(environ.get(OPERATION) or f"{environ['REQUEST_METHOD']} {_path(environ)}"),
        status[:3],
        _field(environ.get(REFUSED)),
        seconds * 1000,
        _field(found),
    )


def _path(environ: dict[str, Any]) -> str:
    """The path as it was sent, percent-encoded, without the query."""
    return str(environ["REQUEST_URI"]).partition("?")[0]


def _field(text: object) -> str:
    """A field on one line; a client chooses some of the text."""
    field = str(text or "-")[:_LONGEST]
    if field.isprintable():
        return field
    return "".join(char if char.isprintable() else "?" for char in field)
