"""botocore's descriptions of services, in a tenth of the memory: read when they are asked for.

botocore reads a description into OrderedDicts, again for each session: 20 MB for EC2. Here all
sessions of a process share a description. Its operations and shapes, and the endpoints of each
service, are kept as JSON text, and become dictionaries one by one when somebody asks for them.
A process that decides a few calls of EC2 reads 100 of its 3,000 shapes.

Texts for people are left out. When a learner asks for help (``help(client.describe_images)``),
botocore's file is read once more, with its texts.

Nobody may change a description. botocore itself changes three kinds:

- a description with extras (https://github.com/boto/botocore/blob/develop/botocore/loaders.py,
  ExtrasProcessor), where the same change is made at each load;
- the table of endpoints (https://github.com/boto/botocore/blob/develop/botocore/regions.py,
  EndpointResolver._resolve), where the clients of a session share the changes, too;
- the place of an operation of S3, from which each client takes the bucket when the client first
  calls the operation (https://github.com/boto/botocore/blob/develop/botocore/handlers.py,
  remove_bucket_from_url_paths_from_model). Whoever asks for an operation gets its place anew.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.docs.docstring import LazyLoadedDocstring
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import OperationModel, ServiceModel

_ENDPOINTS = "endpoints"
_SHARED = ("service-2", "endpoint-rule-set-1", _ENDPOINTS)
"""The files that are shared, by their names without an ending."""
_UNREAD = ("operations", "shapes")
"""The parts of a description whose members are read one by one."""

_kept: dict[str, Any] = {}
_lock = threading.Lock()
_space = re.compile(r"[ \t\n\r]*")


class Unread(dict[str, Any]):
    """A dictionary whose values may be JSON texts, each read when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        """The value of a name; raises KeyError."""
        value = super().__getitem__(name)
        if isinstance(value, str):
            # two threads may read the same value, and both are right
            value = self[name] = json.loads(value)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, or the default."""
        try:
            return self[name]
        except KeyError:
            return default

    def values(self) -> Any:
        """All values, which are read for it."""
        self._read()
        return super().values()

    def items(self) -> Any:
        """All names and values, which are read for it."""
        self._read()
        return super().items()

    def _read(self) -> None:
        for name in self:
            self[name]


class Operations(Unread):
    """The operations of a service, each with an ``http`` of the asker's own, who may change it."""

    def __getitem__(self, name: str) -> Any:
        """An operation; raises KeyError."""
        found = super().__getitem__(name)
        return {**found, "http": {**found["http"]}} if "http" in found else found


class SharedFiles(JSONFileLoader):  # type: ignore[misc]
    """Reads botocore's files, and keeps those that all sessions may share."""

    def load_file(self, file_path: str) -> Any:
        """What a file holds, named without its ending; None where there is no such file."""
        if Path(file_path).name not in _SHARED:
            return super().load_file(file_path)
        with _lock:
            if file_path not in _kept:
                _kept[file_path] = super().load_file(file_path)
            return _kept[file_path]

    def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:
        path = Path(full_path)
        name = path.name.partition(".json")[0]
        if name not in _SHARED:
            return super()._load_file(full_path, open_method)
        if not path.is_file():
            return None
        with open_method(full_path, "rb") as file:
            text = file.read().decode("utf-8")
        if name == _ENDPOINTS:
            return json.loads(text, object_pairs_hook=_endpoints)
        if name == "service-2":
            return _without_texts([*_members(text, 0, _part)[0].items()])
        return json.loads(text, object_pairs_hook=_once())


def share(documentation: bool) -> None:
    """From now on, each loader of botocore in this process reads with `SharedFiles`.

    documentation: whether people ask for help here, for which the texts are then read.
    """
    Loader.FILE_LOADER_CLASS = SharedFiles
    if documentation:
        LazyLoadedDocstring._create_docstring = _with_texts


def _members(
    text: str, at: int, read: Callable[[str, str, int], tuple[Any, int]]
) -> tuple[dict[str, Any], int]:
    """The object that begins at an index of a JSON text, and where it ends.

    read: (name, text, index of a value) -> (what to keep of the value, where the value ends).
    """
    found: dict[str, Any] = {}
    at = _after_space(text, at + 1)
    while text[at] != "}":
        name, at = _decoder.raw_decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)  # the colon
        found[name], at = read(name, text, at)
        at = _after_space(text, at)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return found, at + 1


def _after_space(text: str, at: int) -> int:
    found = _space.match(text, at)
    return found.end() if found else at


def _part(name: str, text: str, at: int) -> tuple[Any, int]:
    """A part of a description of a service."""
    if name not in _UNREAD:
        return _decoder.raw_decode(text, at)
    members, end = _members(text, at, _packed)
    return Operations(members) if name == "operations" else Unread(members), end


def _packed(name: str, text: str, at: int) -> tuple[str, int]:
    value, end = _decoder.raw_decode(text, at)
    return _text(value), end


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _without_texts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # a member of that name is a dictionary; botocore wants some texts, and takes empty ones
    return {
        name: "" if name == "documentation" and isinstance(value, str) else value
        for name, value in pairs
    }


_decoder = json.JSONDecoder(object_pairs_hook=_without_texts)


def _endpoints(pairs: list[tuple[str, Any]]) -> Any:
    """The table of endpoints, in which each service of a partition is a text."""
    found = dict(pairs)
    if isinstance(found.get("endpoints"), dict):
        return _text(found)
    if "services" in found and "partition" in found:
        found["services"] = Unread(found["services"])
    return found


def _once() -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """A hook that returns the same dictionary for equal pairs."""
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}

    def hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = _without_texts(pairs)
        # what is inside has been through this hook: equal ones have one identity
        marks = (
            (name, id(value)) if isinstance(value, dict | list) else (name, type(value), value)
            for name, value in made.items()
        )
        return seen.setdefault(tuple(marks), made)

    return hook


_create_docstring = LazyLoadedDocstring._create_docstring


def _with_texts(asked: Any) -> str:
    """A help text of botocore's, made from a description that has its texts."""
    wanted = {name: _full(each) for name, each in asked._gen_kwargs.items()}
    if wanted.get("method_description") == "":
        wanted["method_description"] = wanted["operation_model"].documentation
    asked._gen_kwargs = wanted
    return str(_create_docstring(asked))


def _full(model: Any) -> Any:
    """The same model of a service or an operation, with its texts; anything else as it is."""
    if isinstance(model, OperationModel):
        return _full(model.service_model).operation_model(model.name)
    if not isinstance(model, ServiceModel):
        return model
    loader = Loader()
    loader.file_loader = JSONFileLoader()
    name = str(model.service_name)
    return ServiceModel(loader.load_service_model(name, "service-2"), name)
