"""AWS JSON 1.1 as ECR speaks it, read from botocore's own model of the service.

Requests: ``POST /`` with ``X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.<Operation>`` and a
JSON object. Answers: a JSON object whose members are those of the operation's output shape;
timestamps are seconds since 1970 as a number, blobs are base64. An error is status 400 (or 500)
with ``{"__type": code, "message": text}``.

Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NoReturn

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

from labs_helpers.sandbox.ecr.errors import EcrError

CONTENT_TYPE = "application/x-amz-json-1.1"

#: Inclusive bounds of the model's number types (Java's int and long).
_INTEGER_BOUNDS = {"integer": 2**31, "long": 2**63}
_ARTICLE = {"integer": "an Integer", "long": "a Long", "string": "a String", "boolean": "a Boolean"}


@dataclass(frozen=True)
class Answer:
    """What the service says: HTTP status, headers and the body's bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


class UnknownOperation(EcrError):
    """The request's target names no operation of ECR."""

    code = "UnknownOperationException"

    def __init__(self) -> None:
        super().__init__("The requested operation is not known.")


class NotInSandbox(EcrError):
    """AWS has the operation and the sandbox does not.

    The code is not one of AWS's, so that nobody mistakes it for an answer of ECR, and the status
    is 400, so that botocore gives up at once instead of trying again.
    """

    code = "NotInSandbox"

    def __init__(self, operation: str, reason: str = "") -> None:
        detail = f" {reason}" if reason else ""
        super().__init__(
            f"The sandbox does not have the operation ecr:{operation}; it exists on AWS.{detail}",
        )


class SerializationError(EcrError):
    """The body is not JSON, or a value has a type that its member cannot take."""

    code = "SerializationException"


@cache
def service_model() -> ServiceModel:
    """botocore's model of ECR, loaded once a process."""
    return ServiceModel(Loader().load_service_model("ecr", "service-2"), "ecr")


def operation_of(target: str) -> OperationModel:
    """The operation that an ``X-Amz-Target`` value names; UnknownOperation when there is none."""
    model = service_model()
    prefix, _, name = target.rpartition(".")
    if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
        raise UnknownOperation()
    return model.operation_model(name)


def parse(body: bytes, shape: Shape) -> dict[str, Any]:
    """The request's members, with blobs decoded; members the shape does not have are left out.

    Raises SerializationError for what is not JSON or not of the shape's types. Bounds, patterns
    and required members are validation's affair.
    """
    try:
        value = json.loads(body or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise SerializationError("The request body is not valid JSON") from None
    if not isinstance(value, dict):
        _refuse_type(value, shape)
    parsed: dict[str, Any] = _read(value, shape)
    return parsed


def serialise(value: Mapping[str, Any], shape: Shape | None) -> bytes:
    """The answer's JSON; a member that the shape does not have is a KeyError (a defect of ours)."""
    return json.dumps({} if shape is None else _write(value, shape)).encode()


def answer(value: Mapping[str, Any], operation: OperationModel) -> Answer:
    """A success: the operation's output, serialised by its model."""
    body = serialise(value, operation.output_shape)
    return Answer(200, {"Content-Type": CONTENT_TYPE}, body)


def error_answer(error: EcrError) -> Answer:
    """An error of the service: its code, its message and the members its model adds."""
    body = {"__type": error.code, **error.members, "message": error.message}
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-ErrorType": error.code}
    return Answer(error.http_status, headers, json.dumps(body).encode())


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read(value: Any, shape: Shape) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            _refuse_type(value, shape)
        return {
            name: _read(value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        if not isinstance(value, list):
            _refuse_type(value, shape)
        return [None if item is None else _read(item, shape.member) for item in value]
    if kind == "blob":
        return _read_blob(value, shape)
    if kind == "string":
        return _read_string(value, shape)
    if kind == "boolean":
        if not isinstance(value, bool):
            _refuse_type(value, shape)
        return value
    if kind in _INTEGER_BOUNDS:
        return _read_integer(value, shape)
    raise NotImplementedError(f"ECR's requests have no {kind} members")


def _read_string(value: Any, shape: Shape) -> str:
    if not isinstance(value, str):
        _refuse_type(value, shape)
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON can spell half of a surrogate pair, which is no character
        raise SerializationError("The request body is not valid JSON") from None
    return str(value)


def _read_integer(value: Any, shape: Shape) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        _refuse_type(value, shape)
    bound = _INTEGER_BOUNDS[shape.type_name]
    if value != int(value) or not -bound <= value < bound:
        _refuse_type(value, shape)
    return int(value)


def _read_blob(value: Any, shape: Shape) -> bytes:
    if not isinstance(value, str):
        _refuse_type(value, shape)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise SerializationError(f"'{shape.name}' is not valid base64") from None


def _refuse_type(value: Any, shape: Shape) -> NoReturn:
    """AWS's words for a value of the wrong type, as its Java services say them."""
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
        return {
            name: _write(item, shape.members[name])
            for name, item in value.items()
            if item is not None
        }
    if kind == "list":
        return [_write(item, shape.member) for item in value]
    if kind == "map":
        return {key: _write(item, shape.value) for key, item in value.items()}
    if kind == "timestamp":
        return _epoch(value)
    if kind == "blob":
        return base64.b64encode(value).decode()
    return value


def _epoch(moment: datetime) -> float:
    """Seconds since 1970 in milliseconds' precision, which is what ECR prints."""
    return round(moment.timestamp(), 3)
