"""AWS JSON 1.1, read and written by botocore's model of a service.

Requests: ``POST /`` with ``X-Amz-Target: <target prefix>.<Operation>`` and a JSON object. Answers:
a JSON object with members of the operation's output shape; timestamps are seconds since 1970 as a
number, blobs are base64. An error is status 400 (or 500) with
``{"__type": code, "message": text}``.

Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, NoReturn

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

from labs_helpers.sandbox.service.errors import (
    SerializationError,
    ServiceError,
    UnknownOperation,
)

CONTENT_TYPE = "application/x-amz-json-1.1"

_TYPES: dict[str, Any] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "blob": str,
    "boolean": bool,
}
"""JSON's type of each kind of shape that is no number."""

_AS_THEY_ARE = {"string", "boolean", "integer", "long", "float", "double"}
"""Kinds of shapes whose values JSON holds as Python does."""

_INTEGER_BOUNDS = {"integer": 2**31, "long": 2**63}
"""Inclusive bounds of the model's number types (Java's int and long)."""

_ARTICLE = {
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "double": "a Double",
    "timestamp": "a Date",
    "boolean": "a Boolean",
}


@dataclass(frozen=True)
class Answer:
    """What a service answers: HTTP status, headers and the body's bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


@cache
def description(name: str, kind: str = "service-2") -> dict[str, Any]:
    """botocore's own description of a service (``ecr``), in memory once a process.

    Raises botocore.exceptions.UnknownServiceError.
    """
    found: dict[str, Any] = Loader().load_service_model(name, kind)
    return found


@cache
def service_model(name: str) -> ServiceModel:
    """botocore's model of a service (``ecr``)."""
    return ServiceModel(description(name), name)


def operation_of(target: str, model: ServiceModel) -> OperationModel:
    """The operation that an ``X-Amz-Target`` header names; raises UnknownOperation."""
    prefix, _, name = target.rpartition(".")
    if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
        raise UnknownOperation()
    return model.operation_model(name)


def parse(body: bytes, shape: Shape) -> dict[str, Any]:
    """The request's parameters, with blobs decoded; members that the shape lacks are left out.

    Raises SerializationError for a body that is not JSON, and for a value of another type than its
    member. Required members, bounds and patterns are checked by validation.py.
    """
    try:
        value = json.loads(body or b"{}", parse_constant=_refuse_constant)
        parsed: dict[str, Any] = _read(value, shape)
    except (ValueError, RecursionError):
        raise SerializationError("The request body is not valid JSON") from None
    return parsed


def read(params: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """The parameters of a JSON object in their types, as `parse` has them of a body.

    Raises SerializationError.
    """
    found: dict[str, Any] = _read(params, shape)
    return found


def read_rest(params: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """Like `read`, of names on the wire, where the query has numbers and booleans as texts.

    https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
    """
    named: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        if wire not in params:
            continue
        value = params[wire]
        if member.serialization.get("location") == "querystring":
            value = _of_text(value, member)
        named[name] = value
    return read(named, shape)


def _of_text(text: str, shape: Shape) -> Any:
    match shape.type_name:
        case "integer" | "long":
            return int(text) if text.isdecimal() else text
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case "list":
            return [text]
    return text


def answer(members: Mapping[str, Any], operation: OperationModel) -> Answer:
    """A success: the operation's output, serialised by the model.

    A member that is None is left out; a member that the model lacks is a defect of ours (KeyError).
    """
    shape = operation.output_shape
    body = {} if shape is None else _write(members, shape)
    return Answer(200, {"Content-Type": CONTENT_TYPE}, json.dumps(body).encode())


def error_answer(error: ServiceError) -> Answer:
    """A refusal: the error's code, its message and the members that its model adds."""
    body = {"__type": error.code, **error.members, "message": error.message}
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-ErrorType": error.code}
    return Answer(error.http_status, headers, json.dumps(body).encode())


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read(value: Any, shape: Shape) -> Any:
    kind = shape.type_name
    if kind not in _TYPES:
        return _read_number(value, shape)
    if not isinstance(value, _TYPES[kind]):
        _refuse_type(value, shape)
    if kind == "structure":
        return {
            name: _read(value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [None if item is None else _read(item, shape.member) for item in value]
    if kind == "map":
        return {
            _read_string(key): None if item is None else _read(item, shape.value)
            for key, item in value.items()
        }
    if kind == "blob":
        return _read_blob(value, shape)
    return _read_string(value) if kind == "string" else value


def _read_string(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON can spell half of a surrogate pair, which is no character
        raise SerializationError("The request body is not valid JSON") from None
    return value


def _read_number(value: Any, shape: Shape) -> int | float | datetime:
    kind = shape.type_name
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        _refuse_type(value, shape)
    if kind == "timestamp":
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            _refuse_type(value, shape)
    if kind not in _INTEGER_BOUNDS:
        return float(value)
    bound = _INTEGER_BOUNDS[kind]
    if value != int(value) or not -bound <= value < bound:
        _refuse_type(value, shape)
    return int(value)


def _read_blob(value: str, shape: Shape) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise SerializationError(f"'{shape.name}' is not valid base64") from None


def _refuse_type(value: Any, shape: Shape) -> NoReturn:
    """Raise SerializationError in the words of AWS's Java services."""
    if isinstance(value, dict):
        raise SerializationError("Start of structure or map found where not expected.")
    if isinstance(value, list):
        raise SerializationError("Start of list found where not expected")
    if shape.type_name in ("list", "structure", "map"):
        raise SerializationError("Unexpected field type")
    token = {True: "TRUE_VALUE", False: "FALSE_VALUE"}[value] if isinstance(value, bool) else None
    token = token or ("STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE")
    wanted = _ARTICLE.get(shape.type_name, "a String")
    raise SerializationError(f"{token} can not be converted to {wanted}")


def _write(value: Any, shape: Shape) -> Any:
    kind = shape.type_name
    if kind == "structure":
        members = shape.members
        return {
            name: item if members[name].type_name in _AS_THEY_ARE else _write(item, members[name])
            for name, item in value.items()
            if item is not None
        }
    if kind == "list":
        member = shape.member
        # a list has thousands of items, of which those with plain members are not worth a call
        plain = _plain_members(member)
        return [
            item
            if plain and plain.issuperset(item) and None not in item.values()
            else _write(item, member)
            for item in value
        ]
    if kind == "map":
        return {key: _write(item, shape.value) for key, item in value.items()}
    if kind == "timestamp":
        return round(value.timestamp(), 3)  # to the millisecond, as ECR prints times
    if kind == "blob":
        return base64.b64encode(value).decode()
    return value


def _plain_members(shape: Shape) -> frozenset[str]:
    """The members of a structure whose values JSON holds as Python does."""
    if shape.type_name != "structure":
        return frozenset()
    named = shape.members.items()
    return frozenset(name for name, member in named if member.type_name in _AS_THEY_ARE)
