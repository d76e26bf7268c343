"""A call that was answered and waits to be written, and what is read of it then."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from labs_helpers.sandbox.call import Answer, SignedCall
from labs_helpers.sandbox.cloudtrail.record import Call
from labs_helpers.sandbox.service.refusal import Refusal

log = logging.getLogger(__name__)

_LONGEST = 64 * 1024
"""Bytes of a request or an answer that are read for its record."""


@dataclass(frozen=True)
class Waiting:
    """An answered call, whose request and answer are read by the thread that writes."""

    call: Call
    request: SignedCall | None = None
    answer: Answer | None = None


def bounded(waiting: Waiting) -> Waiting:
    """The same without a body or an answer that is too long: many may wait at once."""
    call, request, answer = waiting.call, waiting.request, waiting.answer
    if request is not None and len(request.body) > _LONGEST:
        call = replace(call, params=_omitted(len(request.body)))
        request = replace(request, body=b"")
    if answer is not None and len(answer[2]) > _LONGEST:
        if not call.code and not call.read_only:
            call = replace(call, answer=_omitted(len(answer[2])))
        answer = None
    return Waiting(call, request, answer)


def whole(waiting: Waiting) -> Call:
    """The call as it is recorded: no call can keep another one out of the history."""
    try:
        return _read(waiting)
    except Exception:
        log.exception("the parameters of %s are not in the history", waiting.call.operation)
        return waiting.call


def _read(waiting: Waiting) -> Call:
    """The call with its parameters and what was answered, as far as both can be read."""
    # not at the start, which nobody should wait for
    from labs_helpers.sandbox.authorization import requests
    from labs_helpers.sandbox.authorization.models import model_of
    from labs_helpers.sandbox.cloudtrail import plain

    call, request = waiting.call, waiting.request
    if request is None:
        return call
    model = model_of(call.service)
    if model is None or call.operation not in model.operation_names:
        return call
    operation = model.operation_model(call.operation)
    params, answer = call.params, call.answer
    if params is None:
        try:
            asked, _ = requests.read(request.request, request.body, call.service)
            params = plain.parameters(asked.params, operation)
        except Refusal:
            params = None
    if waiting.answer is not None and not call.code and not call.read_only:
        status, headers, content = waiting.answer
        answer = plain.answer(operation, int(status[:3]), headers, content)
    return replace(call, params=params, answer=answer)


def _omitted(size: int) -> dict[str, Any]:
    return {"omitted": True, "originalSize": size, "reason": "the field is too large"}
