"""A request's parameters against botocore's model, before moto sees them.

moto looks at few of them, and stumbles over the others. AWS answers with each service's own code
and the sentence that all of AWS's services use (service/validation.py). Codes:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html and the same page of
each service; EC2: https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.service import protocol
from labs_helpers.sandbox.service.errors import SerializationError
from labs_helpers.sandbox.service.refusal import Protocol, Refusal
from labs_helpers.sandbox.service.validation import Invalid, validate

OWN = frozenset(("iam", "s3"))
"""Checked elsewhere: by iam_operations.py and authorization/s3_requests.py."""

_CODES = {
    "codebuild": "InvalidInputException",
    "ecs": "InvalidParameterException",
    "eks": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "organizations": "InvalidInputException",
    "tagging": "InvalidParameterException",
}
"""Services whose code is not ValidationException."""

_BASE_64 = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)


def check(asked: ApiRequest, is_form: bool) -> None:
    """Raise Refusal for a parameter that the operation's model does not allow.

    is_form: whether the request came as a form, whose values are texts.
    """
    model: Any = model_of(asked.service)
    if model is None or asked.service in OWN:
        return
    shape = model.operation_model(asked.operation).input_shape
    if shape is None:
        return
    speaks = {*model.metadata.get("protocols", ()), model.metadata.get("protocol", "")}
    try:
        if is_form and "awsQueryCompatible" in model.metadata:
            return  # the older form of Amazon SQS, whose names the model does not have
        if is_form:
            params = _of_form(asked.params, shape, "", asked.service == "ec2")
        elif "json" in speaks:
            params = protocol.read(dict(asked.params), shape)
        else:
            params = dict(asked.params)
        validate(params, shape)
    except SerializationError as error:
        raise Refusal("SerializationException", error.message) from error
    except Invalid as error:
        raise _refused(asked.service, error) from error


def _refused(service: str, error: Invalid) -> Refusal:
    problem = error.problems[0]
    missing = problem.value is None
    name = problem.path[:1].upper() + problem.path[1:]
    needed = f"The request must contain the parameter {name}"
    if service == "sqs" and missing:
        return Refusal("MissingParameter", f"{needed}.")
    unfit = f"Value ({problem.value}) for parameter {problem.path} is invalid. {problem.constraint}"
    return Refusal(
        _CODES.get(service, "ValidationException"),
        str(error),
        codes={
            Protocol.QUERY: "ValidationError",
            Protocol.EC2: "MissingParameter" if missing else "InvalidParameterValue",
        },
        messages={Protocol.EC2: needed if missing else unfit},
    )


def _of_form(value: Any, shape: Any, name: str, ec2: bool) -> Any:
    """A form's texts in the types of their shapes; raises Refusal for what has another form."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, Mapping):
            _unfit(name, value, "a structure")
        found = {}
        for member, inner in shape.members.items():
            spelled = next((each for each in _names(member, inner) if each in value), None)
            if spelled is not None:
                found[member] = _of_form(value[spelled], inner, spelled, ec2)
        return found
    if kind == "list":
        if value == "":
            return []
        if not isinstance(value, list):
            _unfit(name, value, "a list")
        return [_of_form(each, shape.member, name, ec2) for each in value]
    if kind == "map":
        return value
    if not isinstance(value, str):
        _unfit(name, value, f"a {kind}")
    if kind in ("integer", "long"):
        if not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
            _unfit(name, value, f"a {kind}")
        return int(value)
    if kind in ("float", "double"):
        try:
            return float(value)
        except ValueError:
            _unfit(name, value, f"a {kind}")
    if kind == "boolean":
        if value.lower() not in ("true", "false"):
            _unfit(name, value, "a boolean")
        return value.lower() == "true"
    if kind == "timestamp":
        if not re.fullmatch(r"[0-9T:.Z+-]{1,40}", value, re.ASCII):
            _unfit(name, value, "a timestamp")
        return value
    if kind == "blob" and not _BASE_64.fullmatch(value):
        _unfit(name, value, "a blob")
    return value


def _names(member: str, shape: Any) -> Iterator[str]:
    """How a form may spell a member: requests.py takes the same names."""
    own = shape.serialization.get("name", member)
    yield shape.serialization.get("queryName", own)
    yield own
    yield own[:1].upper() + own[1:]
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        yield shape.member.serialization.get("name", own)


def _unfit(name: str, value: Any, wanted: str) -> NoReturn:
    said = value[:80] if isinstance(value, str) else "of another form"
    words = f"Value {said} for parameter {name} is not {wanted}."
    raise Refusal("MalformedInput", words, codes={Protocol.EC2: "InvalidParameterValue"})
