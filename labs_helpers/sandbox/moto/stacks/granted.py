"""The capabilities that a call gives to a stack that makes users, roles or policies of IAM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from labs_helpers.sandbox.moto.stacks.types import capabilities
from labs_helpers.sandbox.service.refusal import Refusal

_given: ContextVar[frozenset[str]] = ContextVar("capabilities", default=frozenset())


@contextmanager
def granted(names: list[str]) -> Iterator[None]:
    """While a call that gives these capabilities is answered."""
    token = _given.set(frozenset(names))
    try:
        yield
    finally:
        _given.reset(token)


def with_capabilities(original: Any) -> Callable[[Any], Any]:
    """The operation, run with the capabilities that its call gives."""

    def method(response: Any) -> Any:
        with granted(response._get_param("Capabilities", [])):
            return original(response)

    return method


def require(template: Any) -> None:
    """Raise Refusal when the call does not give what a stack of the template needs."""
    for needed in capabilities(template):
        if not _given.get() & {needed, "CAPABILITY_NAMED_IAM"}:
            words = f"Requires capabilities : [{needed}]"
            raise Refusal("InsufficientCapabilitiesException", words)
