"""moto's objects as bytes and back, without the power that pickle gives its input.

A dump holds the attributes of one object. Other shards and backends in it are kept by name, locks
and files by what they are, private keys as PKCS #8. Of a stored text only plain containers and
classes of moto's models are made again: no other class, and no function but two of ours, is ever
called.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from labs_helpers.sandbox.moto.kept.unpickling import Unpickler, Unreadable

Name = tuple[Any, ...]
"""("shard", service, number), ("backend", service, account, region), ("lock", kind),
("body", digest) or ("key", PKCS #8)."""

Handler = Callable[[Any], Name]


class Handlers(dict[type, Handler | None]):
    """By the exact type of an object: what gives the name that is kept in the object's place."""

    def __init__(self, base: type, of_base: Handler) -> None:
        """of_base: for every class below `base`."""
        super().__init__()
        self._base = base
        self._of_base = of_base

    def __missing__(self, kind: type) -> Handler | None:
        found = self._of_base if issubclass(kind, self._base) else None
        self[kind] = found
        return found


_PLAIN = {
    "builtins": {"set", "frozenset", "bytearray", "complex", "dict", "list", "tuple", "object"},
    "collections": {"OrderedDict", "defaultdict", "deque"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "requests.structures": {"CaseInsensitiveDict"},
    "ipaddress": {"IPv4Address", "IPv4Network", "IPv6Address", "IPv6Network"},
    "uuid": {"UUID"},
}
_FACTORIES = {"dict", "list", "set", "int", "str", "float", "bool"}
"""What a stored defaultdict may make."""

_MODELS = re.compile(
    r"moto\.(cloudformation|cloudtrail|cloudwatch|codebuild|codepipeline|dynamodb|ec2|ecs|eks|elbv2"
    r"|iam|kms|logs|organizations|s3|secretsmanager|sns|sqs|ssm|moto_api|utilities|core)"
    r"(\.[a-z0-9_]+)*"
)
_OUR_MODELS = frozenset({"kinds", "life", "onto_moto", "scope"})
_STACKS = "labs_helpers.sandbox.moto.stacks."
_NO_MODELS = frozenset({"responses", "urls", "server", "subprocess", "custom_model"})


def dump(state: Any, handlers: Mapping[type, Handler | None]) -> bytes:
    """The graph as bytes; raises Unreadable for what load() refuses, and what pickle raises."""

    written = io.BytesIO()
    _Pickler(written, handlers).dump(state)
    return written.getvalue()


def load(content: bytes, named: Callable[[Name], Any]) -> Any:
    """What dump() wrote; `named` gives the objects kept by name. Raises Unreadable."""
    try:
        try:
            return _OnlyValues(io.BytesIO(content)).load()
        except _NeedsCare:
            return Unpickler(io.BytesIO(content), allowed, named, _FUNCTIONS, _is_plain).load()
    except Unreadable:
        raise
    except Exception as error:  # what broken bytes raise is anything
        raise Unreadable(f"it cannot be read: {type(error).__name__}: {error}") from error


class _NeedsCare(Exception):
    """A content holds more than values and containers of Python's own."""


class _OnlyValues(pickle.Unpickler):
    """Reads the many small rows, such as events of a log, 25 times as fast as `Unpickler`.

    With no class and no object by name, there is nothing on its stack whose code could run.
    """

    def find_class(self, module: str, name: str) -> Any:
        raise _NeedsCare

    def persistent_load(self, name: Any) -> Any:
        raise _NeedsCare


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, handlers: Mapping[type, Handler | None]) -> None:
        super().__init__(file, protocol=5)
        self._handlers = handlers

    def persistent_id(self, found: Any) -> Name | None:
        handler = self._handlers[type(found)]
        return None if handler is None else handler(found)

    def reducer_override(self, found: Any) -> Any:
        return _reduced(found)


def _is_plain(kind: type) -> bool:
    return kind.__name__ in _PLAIN.get(kind.__module__, ())


@cache
def allowed(module: str, name: str) -> Any:
    """A class that a stored state may hold; raises Unreadable for any other."""
    for function in _FUNCTIONS:
        if (module, name) == (function.__module__, function.__name__):
            return function
    plain = name in _PLAIN.get(module, ()) or (module == "builtins" and name in _FACTORIES)
    ours = module.startswith(_STACKS) and module.removeprefix(_STACKS) in _OUR_MODELS
    models = _MODELS.fullmatch(module) and _NO_MODELS.isdisjoint(module.split("."))
    if plain or ours or models:
        __import__(module)
        found = getattr(sys.modules[module], name, None)
        if isinstance(found, type) and found.__module__ == module:
            return found
    raise Unreadable(f"it holds {module}.{name}, which is no part of a service's state")


def filter_of(found: Any, name: str) -> Any:
    """The filter of this name that an object of EC2 keeps bound to itself; raises Unreadable."""
    if name.startswith(_FILTER) and type(found).__module__.startswith("moto.ec2."):
        return getattr(found, name)
    raise Unreadable(f"it holds the method {name}, which is no filter")


def _reduced(found: Any) -> Any:
    """How an object that is no plain value is written; as pickle does, but for moto's oddities."""
    if isinstance(found, type):
        allowed(found.__module__, found.__qualname__)
    elif isinstance(found, Enum):
        # as Python 3.11.4 and later do; 3.11.0 to 3.11.3 call getattr with the member's name
        return type(found), (found.value,)
    elif isinstance(found, dict) and type(found).__module__.startswith("moto."):
        # its class may show other items than the dictionary has, and take arguments of its own
        parts = dict(vars(found)), dict(dict.items(found)), getattr(found, _FACTORY, None)
        return copyreg.__newobj__, (type(found),), parts, None, None, _set_parts  # type: ignore[attr-defined]
    elif isinstance(found, MethodType):
        filter_of(found.__self__, found.__name__)
        return filter_of, (found.__self__, found.__name__)
    elif isinstance(found, FunctionType | BuiltinFunctionType) and found not in _FUNCTIONS:
        raise Unreadable(f"{found.__qualname__} is a function, which cannot be kept")
    return NotImplemented


def _set_parts(found: Any, parts: tuple[dict[str, Any], dict[Any, Any], Any]) -> None:
    """Give a dictionary of moto its attributes, its items, and what fills the dictionary."""
    attributes, items, factory = parts
    if not isinstance(found, dict):
        raise Unreadable(f"it fills a {type(found).__qualname__} as if this were a dictionary")
    if factory is not None:
        setattr(found, _FACTORY, factory)
    vars(found).update(attributes)
    dict.update(found, items)


_FILTER = "filter_"
_FACTORY = "default_factory"
_FUNCTIONS = (filter_of, _set_parts)
"""The functions that a stored state may call."""


def plain_handlers(body: Handler) -> dict[type, Handler]:
    """The handlers of what every graph may hold; body: of a temporary file."""
    return {
        type(threading.Lock()): lambda found: ("lock", "Lock"),
        type(threading.RLock()): lambda found: ("lock", "RLock"),
        threading.Condition: lambda found: ("lock", "Condition"),
        tempfile.SpooledTemporaryFile: body,
        **_keys(),
    }


def lock(kind: str) -> Any:
    """A new lock of a kind; raises Unreadable."""
    makers: dict[str, Callable[[], Any]] = {
        "Lock": threading.Lock,
        "RLock": threading.RLock,
        "Condition": threading.Condition,
    }
    if kind not in makers:
        raise Unreadable(f"it holds a lock of the kind {kind!r}")
    return makers[kind]()


def private_key(content: bytes) -> Any:
    """A private key, of PKCS #8; raises ValueError."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    # a check of the key takes 50 ms, and the checksum of the row has been checked
    return load_der_private_key(content, password=None, unsafe_skip_rsa_key_validation=True)


def _keys() -> dict[type, Handler]:
    # cryptography is there once a module of moto that makes keys is
    hazmat = sys.modules.get("cryptography.hazmat.bindings._rust")
    if hazmat is None:
        return {}
    return {hazmat.openssl.rsa.RSAPrivateKey: _pkcs8, hazmat.openssl.ec.ECPrivateKey: _pkcs8}


def _pkcs8(found: Any) -> Name:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return "key", found.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
