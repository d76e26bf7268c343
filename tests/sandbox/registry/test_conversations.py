"""The conversations of the OCI conformance suite, in the strict OCI mode."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.registry.conversations import CONVERSATIONS, NAMES, Step
from tests.sandbox.registry.registry_server import RegistryUnderTest, Reply


@pytest.fixture
def registry(strict_registry: RegistryUnderTest) -> RegistryUnderTest:
    for name in ("repo", "other"):
        strict_registry.create(f"conformance/{name}")
    return strict_registry


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_registry_answers_as_the_specification_wants(
    registry: RegistryUnderTest, name: str
) -> None:
    known = dict(NAMES)
    for step in CONVERSATIONS[name]:
        method, path = step.line.format(**known).split(" ")
        body: Any = iter([step.body]) if step.chunked else step.body
        reply = registry.send(method, path, body, step.sends)
        assert_right(step, reply, known)
        if step.keep:
            known[step.keep] = reply.headers["location"]


def assert_right(step: Step, reply: Reply, known: dict[str, str]) -> None:
    statuses = step.status if isinstance(step.status, tuple) else (step.status,)
    assert reply.status in statuses, (step.line, reply)
    for name, value in step.headers.items():
        assert reply.headers.get(name) == value.format(**known), step.line
    if isinstance(step.gives, bytes):
        assert reply.body == step.gives, step.line
    elif step.gives is not None:
        found = reply.json()
        for member, value in step.gives.items():
            # ... stands for any value: the specification leaves the text of errors open
            assert found[member] if value is ... else found[member] == value, step.line
