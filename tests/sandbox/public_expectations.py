"""What public test suites expect of a service, as rows: calls, and what each answer must have.

A row names its source, and where AWS does otherwise than the source says, a page of AWS or one that
quotes AWS. An answer has
at least the members of a step: ABSENT is a member that it must not have, ``has`` stands for a list
with these items among others, a type or a pattern for any value of it, ``refused`` for an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jmespath
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.sandbox.sandbox_process import Running

MOTO = "https://github.com/getmoto/moto/blob/master/tests/"
FLOCI = "https://github.com/floci-io/floci/blob/main/"
AWS = "https://docs.aws.amazon.com/"

ABSENT = object()
LATER = "later"
"""The operation of a step that moves the sandbox clock by ``seconds``."""


@dataclass(frozen=True)
class Refused:
    code: str
    message: str | re.Pattern[str]


@dataclass(frozen=True)
class Has:
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Told:
    """A parameter that an earlier step's answer holds, at a path of JMESPath."""

    step: int
    path: str


Step = tuple[str, Mapping[str, Any], Any]


@dataclass(frozen=True)
class Row:
    """source: the public test, whose steps are in our words; aws: where AWS does otherwise, and the
    row says what AWS does, or where AWS has what the sandbox refuses by name."""

    name: str
    source: str
    steps: tuple[Step, ...]
    aws: str = ""


def row(name: str, source: str, *steps: Step, aws: str = "") -> Any:
    """A named parameter of a test."""
    return pytest.param(Row(name, source, steps, aws), id=name)


def refused(code: str, message: str | re.Pattern[str] = "") -> Refused:
    """An error of this code, whose message is this text, has this pattern, or is any for ""."""
    return Refused(code, message)


def has(*items: Any) -> Has:
    return Has(items)


def client_of(sandbox: Running, service: str) -> Any:
    """A client that leaves it to the service to check the parameters."""
    settings = Config(parameter_validation=False, retries={"max_attempts": 0})
    return sandbox.client(service, config=settings)


def goes_as_expected(client: Any, one: Row, sandbox: Running | None = None) -> None:
    """Make the calls of a row, and hold each answer against its step.

    sandbox: the one whose clock the row moves.
    """
    assert one.source.startswith("https://"), one
    assert not one.aws or one.aws.startswith("https://"), one
    answers: list[Any] = []
    for operation, params, expected in one.steps:
        if operation == LATER:
            assert sandbox is not None
            moved = {"advance_seconds": params["seconds"]}
            answers.append(sandbox.control("POST", "clock", moved)[1])
            continue
        answers.append(_answer(client, operation, _filled(params, answers)))
        told = list(_differences(answers[-1], _filled(expected, answers), operation))
        assert not told, told


def _answer(client: Any, operation: str, params: dict[str, Any]) -> Any:
    """What a call answers; an error as Refused."""
    try:
        return getattr(client, operation)(**params)
    except ClientError as error:
        said = error.response["Error"]
        return Refused(said["Code"], said["Message"])


def _filled(value: Any, answers: list[Any]) -> Any:
    """A value with what earlier answers told in it."""
    if isinstance(value, Told):
        return jmespath.search(value.path, answers[value.step])
    if isinstance(value, Mapping):
        return {name: _filled(item, answers) for name, item in value.items()}
    if isinstance(value, Has):
        return Has(tuple(_filled(item, answers) for item in value.items))
    return [_filled(item, answers) for item in value] if isinstance(value, list) else value


def _differences(found: Any, expected: Any, path: str) -> Iterable[str]:
    """Where an answer is not what a step expects of it."""
    if isinstance(found, Refused) or isinstance(expected, Refused):
        if not _is_refused(found, expected):
            yield f"{path} is {found}, not {expected}"
    elif isinstance(expected, dict):
        for name, value in expected.items():
            if value is ABSENT:
                if name in found:
                    yield f"{path}.{name} is there: {found[name]}"
            elif name not in found:
                yield f"{path}.{name} is missing in {found}"
            else:
                yield from _differences(found[name], value, f"{path}.{name}")
    elif isinstance(expected, list):
        if len(found) != len(expected):
            yield f"{path} has {len(found)} items, not {len(expected)}: {found}"
        for one, two in zip(found, expected, strict=False):
            yield from _differences(one, two, path)
    elif isinstance(expected, Has):
        for item in expected.items:
            if all(list(_differences(one, item, path)) for one in found):
                yield f"{path} has no {item!r}: {found}"
    elif isinstance(expected, type):
        if not isinstance(found, expected):
            yield f"{path} is {found!r}, no {expected.__name__}"
    elif isinstance(expected, re.Pattern):
        if not expected.search(found):
            yield f"{path} is {found!r}, not {expected.pattern}"
    elif found != expected:
        yield f"{path} is {found!r}, not {expected!r}"


def _is_refused(found: Any, expected: Any) -> bool:
    """Whether a refusal has the code and the words that are expected."""
    if not isinstance(found, Refused) or not isinstance(expected, Refused):
        return False
    said, words = str(found.message), expected.message
    if isinstance(words, re.Pattern):
        return found.code == expected.code and bool(words.search(said))
    return found.code == expected.code and words in ("", said)
