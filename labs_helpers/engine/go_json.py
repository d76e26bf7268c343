"""JSON as Go's encoding/json reads it into a structure: types, names without regard to case, words.

dockerd decodes each body into a Go structure before it does anything. So a value of a wrong type is
a bad request that names the field, and no operation ever sees such a value. Sources:
https://pkg.go.dev/encoding/json#Unmarshal and https://pkg.go.dev/encoding/json#UnmarshalTypeError
The words were compared with those of dockerd 20.10 (2026-11-29).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from .errors import BadRequest

_INT64 = range(-(1 << 63), 1 << 63)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Kind:
    """A type of Go's: its name there, what JSON it takes, and the types of what is inside.

    ``words`` is Docker's strslice.StrSlice: a list of texts, or one text.
    """

    name: str
    form: Literal["text", "flag", "number", "list", "table", "words", "struct"]
    of: Kind | None = None
    fields: Mapping[str, Kind] = field(default_factory=dict)


TEXT, FLAG, INT = Kind("string", "text"), Kind("bool", "flag"), Kind("int", "number")
INT64 = Kind("int64", "number")
WORDS = Kind("string", "words", TEXT)
NOTHING = Kind("struct {}", "struct")


def texts(name: str) -> Kind:
    """A named type of string."""
    return Kind(name, "text")


def list_of(kind: Kind, name: str = "") -> Kind:
    """A slice."""
    return Kind(name or f"[]{kind.name}", "list", kind)


def table_of(kind: Kind, name: str = "") -> Kind:
    """A map whose keys are texts."""
    return Kind(name or f"map[string]{kind.name}", "table", kind)


def struct(name: str, fields: Mapping[str, Kind]) -> Kind:
    """A structure. Fields that are not named here are passed on as they are."""
    return Kind(name, "struct", None, fields)


def loads(data: bytes | str) -> Any:
    """Decode JSON. Raises ValueError, or RecursionError where arrays are too deep.

    NaN and Infinity are no JSON, and half of a surrogate pair becomes U+FFFD, as in Go.
    """
    return _whole(json.loads(data, parse_constant=_refuse_constant))


def decode(document: Any, kind: Kind) -> Any:
    """A decoded body with the names of Go's fields; None for null. Raises BadRequest."""
    return _decode(document, kind, "", ())


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"invalid character '{name.lstrip('-')[0]}' looking for beginning of value")


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(each) for name, each in value.items()}
    return value


def _decode(value: Any, kind: Kind, owner: str, path: tuple[str, ...]) -> Any:
    if value is None:
        return None
    if kind.form == "number":
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not isinstance(value, int) or value not in _INT64:
                raise _mismatch(f"number {value}", kind, owner, path)
            return value
    elif kind.form in ("text", "flag"):
        if isinstance(value, str if kind.form == "text" else bool):
            return value
    elif kind.form == "words" and isinstance(value, str):
        return [value]
    elif kind.form in ("list", "words") and isinstance(value, list):
        assert kind.of
        if kind.form == "words" and not all(isinstance(each, str | None) for each in value):
            raise _mismatch("array", kind, owner, path)
        return [_element(each, kind.of, owner, path) for each in value]
    elif kind.form == "table" and isinstance(value, dict):
        assert kind.of
        return {name: _element(each, kind.of, owner, path) for name, each in value.items()}
    elif kind.form == "struct" and isinstance(value, dict):
        return _fields(value, kind, path)
    raise _mismatch(_named(value), kind, owner, path)


def _element(value: Any, kind: Kind, owner: str, path: tuple[str, ...]) -> Any:
    """A value of a list or a map, where null is Go's empty value."""
    if value is None and kind.form != "number":
        return {"text": "", "flag": False, "struct": {}, "table": {}}.get(kind.form, [])
    return 0 if value is None else _decode(value, kind, owner, path)


def _fields(value: Mapping[str, Any], kind: Kind, path: tuple[str, ...]) -> dict[str, Any]:
    owner = kind.name.rpartition(".")[2]
    known = {name.casefold(): name for name in kind.fields}
    found: dict[str, Any] = {}
    for given, each in value.items():
        name = known.get(given.casefold(), given)
        inner = kind.fields.get(name)
        found[name] = _decode(each, inner, owner, (*path, name)) if inner else each
    return found


def _mismatch(what: str, kind: Kind, owner: str, path: tuple[str, ...]) -> BadRequest:
    place = f"Go struct field {owner}.{'.'.join(path)}" if path else "Go value"
    raise BadRequest(
        f"invalid JSON: json: cannot unmarshal {what} into {place} of type {kind.name}"
    )


def _named(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    kinds: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "number")
