"""botocore's descriptions of services, held once in a process and in a third of the memory.

botocore reads a description into OrderedDicts, again for each session. Here all sessions of a
process share plain dictionaries. In most files, equal dictionaries are one object: the description
of EC2 holds `{"shape": "String"}` some thousand times. So nobody may change a description.
botocore itself changes only the two kinds below, in which equal dictionaries stay apart:

- a description with extras (https://github.com/boto/botocore/blob/develop/botocore/loaders.py,
  ExtrasProcessor), where the same change is made at each load;
- the table of endpoints (https://github.com/boto/botocore/blob/develop/botocore/regions.py,
  EndpointResolver._resolve), where the clients of a session share the changes, too.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader

_ENDPOINTS = "endpoints"
_SHARED = ("service-2", "endpoint-rule-set-1", _ENDPOINTS)
"""The files that are shared, by their names without an ending."""

_Pairs = list[tuple[str, Any]]


_kept: dict[str, Any] = {}
_lock = threading.Lock()


class SharedFiles(JSONFileLoader):  # type: ignore[misc]
    """Reads botocore's files, and keeps those that all sessions may share."""

    documentation = True
    """Whether texts for people are kept, which a kernel shows and a server does not need."""

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
            content = file.read()
        changes = name == _ENDPOINTS or any(path.parent.glob(f"{name}.*-extras*"))
        return json.loads(content, object_pairs_hook=self._apart if changes else self._once())

    def _apart(self, pairs: _Pairs) -> dict[str, Any]:
        if self.documentation:
            return dict(pairs)
        # a member of that name is a dictionary; botocore wants some texts, and takes empty ones
        return {
            name: "" if name == "documentation" and isinstance(value, str) else value
            for name, value in pairs
        }

    def _once(self) -> Callable[[_Pairs], dict[str, Any]]:
        """A hook that returns the same dictionary for equal pairs."""
        seen: dict[tuple[Any, ...], dict[str, Any]] = {}

        def hook(pairs: _Pairs) -> dict[str, Any]:
            made = self._apart(pairs)
            # what is inside has been through this hook: equal ones have one identity
            marks = (
                (name, id(value)) if isinstance(value, dict | list) else (name, type(value), value)
                for name, value in made.items()
            )
            return seen.setdefault(tuple(marks), made)

        return hook


def share(documentation: bool) -> None:
    """From now on, each loader of botocore in this process reads with `SharedFiles`."""
    SharedFiles.documentation = documentation
    Loader.FILE_LOADER_CLASS = SharedFiles
