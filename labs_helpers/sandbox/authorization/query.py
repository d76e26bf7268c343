"""Operations of ours in the AWS Query protocol: parameters of a form in, XML out.

Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.iam.constraints import check
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.refusal import Refusal

Params = Mapping[str, Any]

Operation = Callable[[Principal, Params, str], dict[str, Any]]
"""(caller, parameters, the caller's IP address) -> the output by the names of the API."""


def answer(
    service: str,
    operation: str,
    function: Operation,
    caller: Principal,
    params: Params,
    source_ip: str,
) -> bytes:
    """The answer as XML; raises Refusal for parameters that the model does not allow.

    params: as `pairs.nested` reads a form, every value a text.
    """
    model = model_of(service)
    assert model is not None, service
    shape = model.operation_model(operation).input_shape
    typed = _typed(params, shape, "") if shape is not None else {}
    if shape is not None:
        check(typed, shape)
    result = function(caller, typed, source_ip)
    return xml(operation, result, model.metadata["xmlNamespace"], str(uuid.uuid4()))


def _typed(value: Any, shape: Any, name: str) -> Any:
    """A value of a form as its shape says; members that the shape does not have are dropped."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, Mapping):
            raise _malformed(name)
        return {
            member: _typed(value[member], inner, member)
            for member, inner in shape.members.items()
            if member in value
        }
    if kind == "list":
        if value == "":
            return []
        if not isinstance(value, list):
            raise _malformed(name)
        return [_typed(one, shape.member, name) for one in value]
    if not isinstance(value, str):
        raise _malformed(name)
    if kind in ("integer", "long"):
        if not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
            raise Refusal("ValidationError", f"{name} must be a number, not '{value[:80]}'.", 400)
        return int(value)
    return value == "true" if kind == "boolean" else value


def _malformed(name: str) -> Refusal:
    return Refusal("MalformedInput", f"The parameter {name[:80]} has another form.", 400)


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Entries(dict[str, str]):
    """A map, which is written as entries with a key and a value."""


def xml(operation: str, result: Mapping[str, Any], namespace: str, request_id: str) -> bytes:
    """The whole document of an answer; members that are None are left out."""
    return (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{_inner(result)}'
        f"</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId>"
        f"</ResponseMetadata></{operation}Response>"
    ).encode()


def _inner(value: Any) -> str:
    if isinstance(value, Entries):
        return "".join(
            f"<entry><key>{escape(key)}</key><value>{escape(item)}</value></entry>"
            for key, item in value.items()
        )
    if isinstance(value, Mapping):
        return "".join(
            f"<{name}>{_inner(item)}</{name}>" for name, item in value.items() if item is not None
        )
    if isinstance(value, list):
        return "".join(f"<member>{_inner(item)}</member>" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return escape(str(value))
