"""Whatever is asked of our own services is answered in words: more of the kind D12 of attacks.md.

tests/sandbox/moto/test_mutations.py asks moto's services the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    EndpointResolutionError,
    InvalidEndpointConfigurationError,
    ParamValidationError,
)

from tests.sandbox.sandbox_process import Running

OURS = (
    *("ecr", "sts", "ecs", "eks", "events", "cloudtrail", "codebuild", "codepipeline"),
    *("codedeploy", "codecommit", "codeconnections"),
)
LONG = "9" * 5000
"""More digits than Python makes an integer of: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits"""
TEXTS = (LONG, f"x:{'9' * 30}", "\u00b2", "\ud800", f"arn:aws:ecs:us-west-2:1:a/a:{LONG}")
"""Numbers that are none or fit into nothing, and half of a surrogate pair."""
UNSENT = (
    *(ParamValidationError, EndpointResolutionError, InvalidEndpointConfigurationError),
    *(UnicodeEncodeError, TypeError, AttributeError, KeyError),
)
"""What botocore itself raises where it cannot write the request."""
_SAID = {"NotInSandbox", "NotImplemented"}


def value(shape: Any, text: str, depth: int) -> Any:
    kind = shape.type_name
    if kind == "structure":
        wanted = shape.members.items() if depth < 3 else ()
        return {name: value(each, text, depth + 1) for name, each in wanted}
    if kind == "list":
        return [value(shape.member, text, depth + 1)]
    if kind == "map":
        return {"a": value(shape.value, text, depth + 1)}
    numbers = {"integer": 10**30, "long": -(10**30), "float": 1e308, "double": 1e308}
    plain: dict[str, Any] = {**numbers, "boolean": True, "timestamp": 0, "blob": b"x"}
    return plain.get(kind, text)


def calls(model: Any) -> Iterator[dict[str, Any]]:
    """No member, all of them, then the required ones with each text."""
    shape = model.input_shape
    yield {}
    if shape:
        yield value(shape, LONG, 0)
    for text in TEXTS if shape and shape.required_members else ():
        given = value(shape, text, 0)
        yield {name: given[name] for name in shape.required_members}


@pytest.mark.parametrize("service", OURS)
def test_any_parameters_of_any_operation_are_answered(sandbox: Running, service: str) -> None:
    """Reported as D12."""
    plain = Config(retries={"max_attempts": 0}, parameter_validation=False)
    client = sandbox.client(service, config=plain)
    failed = []
    for operation in client.meta.service_model.operation_names:
        for params in calls(client.meta.service_model.operation_model(operation)):
            try:
                client._make_api_call(operation, params)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in _SAID:
                    break  # the sandbox does not have the operation
                if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                    failed.append((operation, code, str(params)[:100]))
            except UNSENT:
                continue
    assert failed == []
