"""A graph of plain objects as bytes and back, without the power that pickle gives its input.

Only classes of the modules that hold IAM's state are made again, by setting their attributes: no
constructor, no function and no other class is ever called from a stored file.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

_CLASSES = {
    "builtins": {"set", "frozenset", "bytearray"},
    "datetime": {"datetime", "date", "timedelta", "timezone"},
    "moto.utilities.tagging_service": {"TaggingService"},
}
_MODULES = {"moto.iam.models"}


class Unreadable(Exception):
    """The bytes are not a state that this program may make again; the message says why."""


def dump(state: dict[str, Any], by_name: Callable[[Any], str | None]) -> bytes:
    """The graph as bytes; an object for which `by_name` has a name is kept as that name."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, found: Any) -> str | None:
            return by_name(found)

    written = io.BytesIO()
    Pickler(written, protocol=5).dump(state)
    return written.getvalue()


def load(content: bytes, named: Callable[[str], Any]) -> dict[str, Any]:
    """What dump() wrote, `named` giving the objects kept by name; raises Unreadable."""

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if module in _MODULES or name in _CLASSES.get(module, ()):
                found = super().find_class(module, name)
                if isinstance(found, type) and found.__module__ == module:
                    return found
            raise Unreadable(f"it holds {module}.{name}, which is no part of IAM's state")

        def persistent_load(self, name: Any) -> Any:
            return named(str(name))

    try:
        found = Unpickler(io.BytesIO(content)).load()
    except Unreadable:
        raise
    except Exception as error:  # what broken bytes raise is anything
        raise Unreadable(f"it cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(found, dict):
        raise Unreadable("it is not a state of IAM")
    return found
