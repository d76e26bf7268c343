"""The AWS Query protocol: pairs of a form in, structures of parameters, XML out.

Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.iam.constraints import check
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.refusal import Refusal

FORM = "application/x-www-form-urlencoded"

SIGNING = re.compile(r"X-Amz-(Algorithm|Credential|Date|Expires|Security-Token|Signature|Signed.*)")


def pairs(data: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string or form, in order; raises Refusal for what is none."""
    try:
        text = data.decode()
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=10_000)
    except ValueError:
        raise _malformed("The query string is malformed.") from None


def once(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same, when no name comes twice."""
    if len(dict(found)) != len(found):
        raise _malformed("A parameter is given more than once.")
    return found


def nested(flat: Mapping[str, str]) -> dict[str, Any]:
    """`Tags.member.1.Key` as lists and dictionaries; without `member`, as EC2 writes, too.

    Raises Refusal where two names would be one: whoever reads them otherwise reads another thing.
    """
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        steps = _steps(name)
        place = tree
        for step in steps[:-1]:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise _malformed(f"The parameter {name[:80]} is given in two ways.")
        if steps[-1] in place:
            raise _malformed(f"The parameter {name[:80]} is given in two ways.")
        place[steps[-1]] = value
    return {name: _listed(value) for name, value in tree.items()}


def _steps(name: str) -> list[str]:
    """The name's parts, without the words before a number that only say that it is a list."""
    parts = name.split(".")
    return [
        part
        for part, following in zip(parts, [*parts[1:], ""], strict=True)
        if not (part in ("member", "entry") and _is_number(following) and part != parts[0])
    ]


def _listed(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    numbers = [step for step in tree if _is_number(step)]
    if not numbers:
        return {step: _listed(value) for step, value in tree.items()}
    if len(numbers) != len(tree) or len({int(step) for step in numbers}) != len(tree):
        raise _malformed("A list has members that are not numbered.")
    return [_listed(tree[step]) for step in sorted(tree, key=int)]


def _is_number(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) < 7


def _malformed(message: str) -> Refusal:
    return Refusal("MalformedQueryString", message)


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
            raise _not_as_modelled(name)
        return {
            member: _typed(value[member], inner, member)
            for member, inner in shape.members.items()
            if member in value
        }
    if kind == "list":
        if value == "":
            return []
        if not isinstance(value, list):
            raise _not_as_modelled(name)
        return [_typed(one, shape.member, name) for one in value]
    if not isinstance(value, str):
        raise _not_as_modelled(name)
    if kind in ("integer", "long"):
        if not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
            raise Refusal("ValidationError", f"{name} must be a number, not '{value[:80]}'.", 400)
        return int(value)
    return value == "true" if kind == "boolean" else value


def _not_as_modelled(name: str) -> Refusal:
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
