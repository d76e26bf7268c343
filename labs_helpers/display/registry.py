"""What a lab shows of a registry: the login token, and the requests that the registry answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from labs_helpers.display.rendering import (
    CALM,
    Rendering,
    columns,
    framed,
    paragraph,
    relative,
    rows_html,
    table,
)

_HEX = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_UPLOAD = re.compile(r"(/blobs/uploads/)[0-9A-Za-z_.=-]+")


@dataclass(frozen=True)
class Token:
    """An ECR authorization token without its password.

    ``owner`` is the ARN of the principal that requested it; ``remaining`` is measured on the lab's
    clock. A token opens registries of one region only, ``region``:
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
    """

    user: str
    owner: str
    remaining: timedelta
    registry: str
    region: str


def token(data: Token) -> Rendering:
    """Who owns the token, when it expires, and which registry accepts it."""
    rows = [
        ("user name", f"{data.user}  (always this word, whoever you are)"),
        ("password", "secret: docker login reads it from standard input"),
        ("whose", data.owner),
        ("may do", "what that user's policies allow, and no more"),
        ("ends", relative(data.remaining)),
        ("opens", f"{data.registry} and any other registry of {data.region} that the user may use"),
    ]
    head = "An ECR authorization token"
    return Rendering(head + "\n" + columns(rows, 2), framed(CALM, head, rows_html(rows)))


def trace(requests: Sequence[Mapping[str, Any]]) -> Rendering:
    """A table of requests, each with the keys ``method``, ``path`` and ``status``."""
    if not requests:
        return paragraph("no request yet")
    body = [
        (str(number), str(seen["method"]), readable(str(seen["path"])), str(seen["status"]))
        for number, seen in enumerate(requests, 1)
    ]
    return table(("", "method", "path", "answer"), body, right=(0, 3))


def readable(path: str) -> str:
    """A registry path with digests cut to twelve digits and without what differs from run to run.

    An upload id, which is random, becomes ``<upload>``; the query parameter ``_state`` goes.
    """
    plain, mark, query = path.partition("?")
    query = re.sub(r"_state=[^&]*&?", "", mark + query).rstrip("?&")
    return _HEX.sub(r"\1", _UPLOAD.sub(r"\1<upload>", plain) + query.replace("%3A", ":"))
